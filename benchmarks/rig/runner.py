"""Runs contestants in interleaved rounds and collects what parley_bench says."""
import json
import pathlib
import subprocess
import sys

import build_cost
from contestants import CONTESTANTS, Missing, pinned, server

LOAD_TASKS = {"fanout", "echo", "receipts", "connections", "presence"}
LIMIT_SECONDS = 1800  # for one run, the filling of a store included


def bench(programs, task, parameters, core=None):
    command = [programs["bench"], task, *(f"{name}={value}" for name, value in parameters.items())]
    done = subprocess.run(pinned(core, command) if core is not None else command, text=True,
                          capture_output=True, check=False, timeout=LIMIT_SECONDS)
    if done.returncode:
        raise RuntimeError(done.stderr.strip() or f"exit code {done.returncode}")
    figures = json.loads(done.stdout)
    if "missing" in figures:
        raise Missing(figures["missing"])
    return figures


def run_one(scenario, name, programs, data):
    """The figures of one run of one contestant."""
    if scenario.task == "build_cost":
        return build_cost.measure(programs, scenario.parameters)
    if scenario.task not in LOAD_TASKS:
        # A filled history serves all scenarios that read it.
        folder = pathlib.Path(data, f"{scenario.task}_{name}")
        return bench(programs, scenario.task,
                     scenario.parameters | {"contestant": name, "data": folder})
    contestant = CONTESTANTS[name]
    with server(contestant, programs) as (port, pid):
        return bench(programs, scenario.task,
                     scenario.parameters | {"protocol": contestant.protocol, "port": port,
                                            "pid": pid}, core=1)


def run(scenario, rounds, programs, data):
    """All rounds of a scenario: runs by contestant, and why others have none. The order of the
    contestants is turned by one each round."""
    runs = {name: [] for name in scenario.contestants}
    missing = {}
    for at in range(scenario.rounds or rounds):
        turn = at % len(scenario.contestants)
        for name in scenario.contestants[turn:] + scenario.contestants[:turn]:
            if name in missing:
                continue
            try:
                runs[name].append(run_one(scenario, name, programs, data))
            except (Missing, RuntimeError, subprocess.TimeoutExpired) as problem:
                kind = "missing" if isinstance(problem, Missing) else "failed"
                missing[name] = f"{kind}: {problem}"
                print(f"  {name} {missing[name]}", file=sys.stderr)
    return {"runs": {name: made for name, made in runs.items() if made}, "missing": missing}
