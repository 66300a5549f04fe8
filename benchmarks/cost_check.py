#!/usr/bin/env python3
# cost_check.py: runs the hot paths of parley_cost and holds what they cost against a baseline.
# Instructions (counted by callgrind), bytes and allocations may differ by 5 %; system calls by
# half: a burst takes one turn more when the clock says so, and one send for each message when the
# joining is broken. A figure that became better by more than that fails as well: then the
# baseline is to be lowered, with the change that did it.
#
#   cost_check.py <parley_cost> <baseline.json>             checks; exit code 1 when one is off
#   cost_check.py <parley_cost> <baseline.json> --update    writes the baseline
import json
import re
import subprocess
import sys
import tempfile

TOLERANCE = {"instructions": 0.05, "bytes": 0.05, "allocations": 0.05, "sends": 0.5}


def figures_of(output):
    return {name: float(value) for name, value in (line.split() for line in output.splitlines())}


def run(program, path):
    """The figures of one path; instructions are those a delivery (or page) costs the engine."""
    figures = figures_of(subprocess.run([program, path], check=True, text=True,
                                        stdout=subprocess.PIPE).stdout)
    if "deliveries" not in figures:
        return figures
    with tempfile.NamedTemporaryFile() as out:
        subprocess.run(["valgrind", "--tool=callgrind", "--collect-atstart=no", "--quiet",
                        f"--callgrind-out-file={out.name}", program, path],
                       check=True, stdout=subprocess.DEVNULL)
        found = re.search(r"^(?:totals|summary): (\d+)", open(out.name).read(), re.M)
    figures["instructions_per_delivery"] = int(found.group(1)) / figures.pop("deliveries")
    return figures


def tolerance(name):
    return TOLERANCE[name.split("_")[0]]


def check(path, figures, baseline):
    good = True
    for name, value in sorted(figures.items()):
        wanted = baseline.get(name)
        off = wanted is None or abs(value - wanted) > tolerance(name) * max(wanted, 0.05)
        print(f"{'OFF ' if off else 'good'} {path:14} {name:28} {value:12.3f}  baseline "
              f"{'none' if wanted is None else format(wanted, '.3f')}")
        good = good and not off
    return good


def main():
    program, file = sys.argv[1:3]
    usage = subprocess.run([program], text=True, stdout=subprocess.PIPE).stdout
    measured = {path: run(program, path) for path in usage.split()[2:]}
    if sys.argv[3:] == ["--update"]:
        with open(file, "w") as out:
            json.dump(measured, out, indent=2, sort_keys=True)
            out.write("\n")
        return 0
    with open(file) as kept:
        baseline = json.load(kept)
    good = [check(path, figures, baseline.get(path, {})) for path, figures in measured.items()]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
