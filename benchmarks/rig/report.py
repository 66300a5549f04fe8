"""Turns results into the page of docs/benchmarks: goals, tables of ratios, charts."""
import statistics

import chart
import growth
from contestants import CONTESTANTS
from scenarios import FIGURES, HIGHER_IS_BETTER

BOTTLENECK = 0.95  # of its core: then the load, not the server, set the pace
FSYNC = """\
Durable means that the message is on the disk before its sender is told: Parley's log, the files
and LMDB by fdatasync of every group, RocksDB by `sync=true` on its write-ahead log, SQLite by WAL
with `synchronous=FULL`. Everything else is in memory, for all."""


def number(value):
    """Three significant digits, thousands separated."""
    if value == 0:
        return "0"
    magnitude = abs(value)
    if magnitude >= 100:
        return f"{float(f'{value:.3g}'):,.0f}"
    return f"{value:.{2 if magnitude >= 1 else 3}f}" if magnitude < 10 else f"{value:.1f}"


def spread(values):
    """The median, and the smallest and largest when there are several."""
    shown = number(statistics.median(values))
    if len(values) == 1:
        return shown
    return f"{shown} ({number(min(values))}–{number(max(values))})"


def values(result, name, figure):
    """One value for each round in which the contestant ran and has the figure."""
    return [run[figure] for run in result["runs"].get(name, []) if figure in run]


def ratios(result, of, to, figure):
    """Round by round, of what stood side by side."""
    pairs = zip(values(result, of, figure), values(result, to, figure))
    return [ours / theirs for ours, theirs in pairs if theirs]


def judged(goal, result):
    """What was measured for a goal, as text, and the verdict."""
    if goal.to:
        measured = ratios(result, goal.of, goal.to, goal.figure)
    else:
        measured = values(result, goal.of, goal.figure)
    if not measured:
        return "–", "not measured"
    median = statistics.median(measured)
    if not goal.must.holds(median):
        verdict = "**missed**"
    else:
        verdict = "met, aim too" if goal.aim and goal.aim.holds(median) else "met"
    return spread(measured), verdict


def label(name):
    return CONTESTANTS[name].label


def goal_rows(scenarios, results):
    yield "| scenario | figure | against | must | aim | measured | |"
    yield "|---|---|---|---|---|---|---|"
    for scenario in scenarios:
        for goal in scenario.goals:
            if scenario.name not in results:
                continue
            measured, verdict = judged(goal, results[scenario.name])
            yield (f"| [{scenario.name}](#{scenario.name}) | {FIGURES[goal.figure]} | "
                   f"{label(goal.to) if goal.to else 'itself'} | {goal.must} | {goal.aim or ''} | "
                   f"{measured} | {verdict} |")


def scenario_figures(scenario, result):
    """The figures to show: the one compared first; others as far as anybody has them."""
    had = {figure for runs in result["runs"].values() for run in runs for figure in run}
    others = [figure for figure in FIGURES if figure in had and figure != scenario.figure]
    return [scenario.figure, *others]


def scenario_rows(scenario, result):
    """The table of one scenario: contestants by rows, Parley first; ratio: Parley's by theirs."""
    ours = scenario.contestants[0]
    figures = [f for f in scenario_figures(scenario, result) if f != "slowest_us"]
    heads = [FIGURES[figures[0]] + f" a {scenario.unit}" * (figures[0] == "cpu_us"), "Parley : it"]
    yield "| | " + " | ".join(heads + [FIGURES[figure] for figure in figures[1:]]) + " |"
    yield "|---|" + "---|" * (len(figures) + 1)
    for name in scenario.contestants:
        if name not in result["runs"]:
            reason = result["missing"].get(name, "not run")
            yield f"| {label(name)} | {reason} |" + " |" * len(figures)
            continue
        ratio = "" if name == ours else spread(ratios(result, ours, name, figures[0]) or [0])
        rest = [number(statistics.median(values(result, name, figure) or [0]))
                for figure in figures[1:]]
        yield (f"| {label(name)} | {spread(values(result, name, figures[0]))} | {ratio} | "
               + " | ".join(rest) + " |")


def bottlenecks(scenario, result):
    """Those whose load had no time left: not the rate tells of such a server, only its CPU."""
    return [label(name) for name in scenario.contestants
            if statistics.median(values(result, name, "load_share") or [0]) >= BOTTLENECK]


def growth_page(scenario, result):
    """Of a scenario with an axis: our figures at each point, drawn and as a table."""
    yield f"### {scenario.name}"
    yield ""
    yield f"{scenario.description}."
    yield ""
    runs = result["runs"].get(scenario.contestants[0])
    if runs:
        yield f"![{scenario.name}]({scenario.name}.svg)"
        yield ""
        yield from growth.rows(scenario, runs, number)
        yield ""


def scenario_page(scenario, result):
    if scenario.axis:
        yield from growth_page(scenario, result)
        return
    yield f"### {scenario.name}"
    yield ""
    better = "higher is better" if scenario.figure in HIGHER_IS_BETTER else "lower is better"
    yield f"{scenario.description}. {better.capitalize()}."
    yield ""
    yield from scenario_rows(scenario, result)
    yield ""
    bound = bottlenecks(scenario, result)
    if bound:
        yield (f"The load was the bottleneck beside {', '.join(bound)}: compare CPU, not rates or "
               "latencies.")
        yield ""


def absent(results):
    """Every contestant that did not run somewhere, with the reason and the scenarios."""
    reasons = {}
    for name, result in results.items():
        for contestant, reason in result["missing"].items():
            reasons.setdefault((contestant, reason), []).append(name)
    return [f"- {label(contestant)}: {reason} ({', '.join(names)})"
            for (contestant, reason), names in reasons.items()]


def machine_lines(run):
    facts = run["machine"]
    peers = ", ".join(f"{label(name)} {found or 'missing'}"
                      for name, found in facts["versions"].items())
    yield (f"- Commit {facts['commit']}, {run['started']} to {run['finished']}, "
           f"{run['rounds']} rounds")
    yield f"- {facts['cpu']}, {facts['memory']}, {facts['system']}, Linux {facts['kernel']}"
    yield f"- Disk: {facts['disk']}"
    yield f"- {facts['compiler']}; Node {facts['node']}; {facts['go'] or 'no Go'}"
    yield f"- Peers: {peers}"
    yield (f"- Load average before the run {facts['load_average']:.1f}; the hypervisor took "
           f"{100 * run['stolen']:.0f} % of the time")
    if run.get("note"):
        yield f"- {run['note']}"


def page(scenarios, run):
    results = run["scenarios"]
    out = ["# Measured", "", "Written by `scripts/bench`; [how to read it](README.md).", ""]
    if run["quick"]:
        out += ["**A smoke run (`--quick`): its figures mean nothing.**", ""]
    out += [*machine_lines(run), "", FSYNC, "", "## Goals", "", *goal_rows(scenarios, results), ""]
    missing = absent(results)
    if missing:
        out += ["## Missing", "", *missing, ""]
    group = None
    for scenario in scenarios:
        if scenario.name not in results:
            continue
        if scenario.group != group:
            group = scenario.group
            out += [f"## {group}", ""]
            if not scenario.axis:
                out += [f"![{group}]({file_name(group)})", ""]
        out += scenario_page(scenario, results[scenario.name])
    return "\n".join(out).rstrip() + "\n"


def file_name(group):
    return group.lower().replace(" ", "_").replace("-", "_") + ".svg"


def growth_chart(scenario, result):
    runs = result["runs"].get(scenario.contestants[0], [])
    panels = []
    for figure in growth.figures_of(scenario, runs) if runs else []:
        points = [(point, least, median, largest, number(median)) for point, (least, median, largest)
                  in sorted(growth.medians(runs, scenario.axis, figure).items())]
        panels.append((FIGURES[figure], f"{scenario.name}, by {scenario.axis}", points))
    return chart.curves(panels)


def charts(scenarios, run):
    """SVG by file name: one a group, and one for each scenario with an axis."""
    panels, curves = {}, {}
    for scenario in scenarios:
        result = run["scenarios"].get(scenario.name)
        if not result:
            continue
        if scenario.axis:
            curves[scenario.name + ".svg"] = growth_chart(scenario, result)
            continue
        rows = []
        for name in scenario.contestants:
            seen = values(result, name, scenario.figure)
            if seen:
                median = statistics.median(seen)
                rows.append((name, label(name), min(seen), median, max(seen), number(median)))
        unit = FIGURES[scenario.figure]
        panels.setdefault(scenario.group, []).append(
            (f"{scenario.name}: {unit} a {scenario.unit}" if scenario.figure == "cpu_us"
             else f"{scenario.name}: {unit}", scenario.description, rows))
    return {file_name(group): chart.chart(each) for group, each in panels.items()} | curves
