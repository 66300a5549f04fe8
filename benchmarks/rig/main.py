"""scripts/bench: measures every scenario beside its peers and floors; writes docs/benchmarks."""
import argparse
import datetime
import json
import pathlib
import re
import resource
import shutil
import sys

import machine
import report
import runner
import scenarios

TREE = pathlib.Path(__file__).parent.parent.parent


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="of each scenario (default 5)")
    parser.add_argument("--only", action="append", default=[], metavar="SCENARIO",
                        help="this one, or all whose name begins so; may be repeated")
    parser.add_argument("--quick", action="store_true",
                        help="one short round of small scenarios: does everything run?")
    parser.add_argument("--goals", action="store_true",
                        help="only what has goals, a second a run, beside those whom the goals "
                             "name: ten minutes")
    parser.add_argument("--slow", action="store_true",
                        help="also what takes minutes a round: 300,000 connections")
    parser.add_argument("--list", action="store_true", help="the scenarios")
    parser.add_argument("--build", default=TREE / "build/demo", type=pathlib.Path)
    parser.add_argument("--data", type=pathlib.Path, help="a folder on the disk to be measured")
    parser.add_argument("--note", help="a line for the report, as what else the machine did")
    parser.add_argument("--out", type=pathlib.Path,
                        help="where the report goes (default: docs/benchmarks; with --quick, --goals "
                             "or --only a folder of the build)")
    return parser.parse_args()


def as_json(run):
    """Indented, but a line for what holds nothing but figures."""
    text = json.dumps(run, indent=1)
    return re.sub(r"\{[^{}\[\]]*\}", lambda part: re.sub(r"\s+", " ", part[0]), text) + "\n"


def write(out, chosen, run):
    out.mkdir(parents=True, exist_ok=True)
    (out / "results.json").write_text(as_json(run))
    (out / "report.md").write_text(report.page(chosen, run))
    for name, svg in report.charts(chosen, run).items():
        (out / name).write_text(svg)
    print(f"bench: {out / 'report.md'}")


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")


def main():
    options = arguments()
    options.build = options.build.resolve()
    every = scenarios.load(options.quick, options.goals)
    chosen = [each for each in every
              if (any(each.name.startswith(name) for name in options.only) if options.only
                  else options.slow or options.quick or not each.slow)]
    if options.list or not chosen:
        print("\n".join(f"{each.name:20} {each.description}" for each in every))
        return 0 if options.list else 2
    partial = options.quick or options.goals or options.only
    out = options.out or (options.build / "bench_report" if partial else TREE / "docs/benchmarks")
    data = options.data or options.build / "bench_data"
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    programs = {"bench": str(options.build / "benchmarks/parley_bench"),
                "centrifuge": str(options.build / "centrifuge_server"),
                "build": str(options.build)}
    rounds = 1 if options.quick else options.rounds
    run = {"started": now(), "rounds": rounds, "quick": options.quick, "note": options.note,
           "machine": machine.facts(data), "scenarios": {}}
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # servers and load inherit it
    before = machine.cpu_times()
    try:
        for at, scenario in enumerate(chosen, 1):
            print(f"bench: {at}/{len(chosen)} {scenario.name}: {scenario.description}", flush=True)
            run["scenarios"][scenario.name] = runner.run(scenario, rounds, programs, data)
            run |= {"finished": now(), "stolen": machine.stolen(before, machine.cpu_times())}
            write(out, chosen, run)  # so far
    finally:
        shutil.rmtree(data, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
