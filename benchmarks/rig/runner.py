"""Runs contestants in interleaved rounds and collects what parley_bench says."""
import json
import pathlib
import subprocess
import sys

import build_cost
import fleet
import memory_cap
from contestants import CONTESTANTS, Missing, pinned, server

LOAD_TASKS = {"fanout", "echo", "receipts", "connections", "presence", "reconnect"}
# What they fill serves every scenario with the same contents.
FILLING_TASKS = {"history", "start"}
LIMIT_SECONDS = 3600  # for one run, the filling of a store included


def bench(programs, task, parameters, core=None, prefix=()):
    command = [*prefix, programs["bench"], task,
               *(f"{name}={value}" for name, value in parameters.items())]
    done = subprocess.run(pinned(core, command) if core is not None else command, text=True,
                          capture_output=True, check=False, timeout=LIMIT_SECONDS)
    if done.returncode:
        raise RuntimeError(done.stderr.strip() or f"exit code {done.returncode}")
    figures = json.loads(done.stdout)
    if "missing" in figures:
        raise Missing(figures["missing"])
    return figures


def folder_name(task, name, parameters):
    """Where a run keeps its data: the same for the same contents."""
    if task in FILLING_TASKS:
        return "stored_{}_{rooms}_{messages}_{size}".format(name, **parameters)
    counts = [str(parameters[each]) for each in ("messages", "members", "conversations", "users")
              if task.startswith("scale") and each in parameters]
    return "_".join([task, name, *counts])


def run_one(scenario, name, programs, data, point):
    """The figures of one run of one contestant."""
    parameters = scenario.parameters | ({scenario.axis: point} if scenario.axis else {})
    if scenario.task == "build_cost":
        return build_cost.measure(programs, parameters)
    contestant = CONTESTANTS[name]
    if scenario.task == "fleet":
        return fleet.measure(contestant, programs, parameters, data)
    if scenario.task in LOAD_TASKS:
        with server(contestant, programs) as (port, pid):
            return bench(programs, scenario.task,
                         parameters | {"protocol": contestant.protocol, "port": port, "pid": pid},
                         core=1)
    folder = pathlib.Path(data, folder_name(scenario.task, name, parameters))
    words = parameters | {"contestant": name, "data": folder}
    if "memory_mib" not in parameters:
        return bench(programs, scenario.task, words)
    with memory_cap.group(parameters["memory_mib"]) as prefix:
        if not folder.with_name(folder.name + ".filled").exists():  # without the cap
            bench(programs, scenario.task, words | {"seconds": 0.1, "warm": 0.1})
        memory_cap.forget(folder)
        return bench(programs, scenario.task, words, prefix=prefix)


def run(scenario, rounds, programs, data):
    """All rounds of a scenario: runs by contestant, and why others have none. The order of the
    contestants is turned by one each round. With an axis: all rounds of its first point, then
    those of the next; each run says under the axis's name which it was."""
    runs = {name: [] for name in scenario.contestants}
    missing = {}
    for point in scenario.points:
        for at in range(min(rounds, scenario.rounds or rounds)):
            turn = at % len(scenario.contestants)
            for name in scenario.contestants[turn:] + scenario.contestants[:turn]:
                if name in missing:
                    continue
                try:
                    figures = run_one(scenario, name, programs, data, point)
                    runs[name].append(({scenario.axis: point} if scenario.axis else {}) | figures)
                except (Missing, RuntimeError, subprocess.TimeoutExpired) as problem:
                    kind = "missing" if isinstance(problem, Missing) else "failed"
                    missing[name] = f"{kind}: {problem}"
                    print(f"  {name} {missing[name]}", file=sys.stderr)
    return {"runs": {name: made for name, made in runs.items() if made}, "missing": missing}
