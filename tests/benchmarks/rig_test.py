#!/usr/bin/env python3
"""The measuring rig: scenarios.toml parses, and fixed results give the expected page and charts.

Usage: rig_test.py <source tree> [--update]    --update writes the expected page anew
"""
import json
import pathlib
import sys
import tempfile
import unittest
import xml.etree.ElementTree as xml

HERE = pathlib.Path(__file__).parent
TREE = pathlib.Path(sys.argv[1])
sys.dont_write_bytecode = True
sys.path.insert(0, str(TREE / "benchmarks/rig"))
import report  # noqa: E402
import runner  # noqa: E402
import scenarios  # noqa: E402
from contestants import CONTESTANTS  # noqa: E402

EXPECTED = HERE / "expected_report.txt"


def fixed():
    """Two small scenarios and results of theirs."""
    return (scenarios.load(file=HERE / "scenarios.toml"),
            json.loads((HERE / "results.json").read_text()))


class Scenarios(unittest.TestCase):
    def test_each_is_whole(self):
        tasks = runner.LOAD_TASKS | {"build_cost", "durable", "history", "local_fanout", "start",
                                     "round_trip"}
        for quick in (False, True):
            for scenario in scenarios.load(quick):
                with self.subTest(scenario=scenario.name, quick=quick):
                    self.assertIn(scenario.task, tasks)
                    self.assertLessEqual(set(scenario.contestants), set(CONTESTANTS))
                    self.assertLessEqual({"seconds", "warm", "seed"}, set(scenario.parameters))
                    if scenario.task in runner.LOAD_TASKS:
                        self.assertTrue(all(CONTESTANTS[name].protocol
                                            for name in scenario.contestants))

    def test_goals_are_there(self):
        goals = [goal for scenario in scenarios.load() for goal in scenario.goals]
        self.assertGreater(len(goals), 20)

    def test_quick_replaces_parameters(self):
        small = scenarios.load(quick=True, file=HERE / "scenarios.toml")[0].parameters
        whole = scenarios.load(file=HERE / "scenarios.toml")[0].parameters
        self.assertEqual((small["sockets"], whole["sockets"]), (2, 10))
        self.assertLess(small["seconds"], whole["seconds"])

    def test_brief_keeps_goals_and_whom_they_name(self):
        for scenario in scenarios.load(brief=True):
            with self.subTest(scenario=scenario.name):
                named = {name for goal in scenario.goals for name in (goal.of, goal.to) if name}
                self.assertEqual(set(scenario.contestants), named)

    def refused(self, before, after):
        text = (HERE / "scenarios.toml").read_text()
        self.assertIn(before, text)
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder, "scenarios.toml")
            file.write_text(text.replace(before, after, 1))
            with self.assertRaises(ValueError):
                scenarios.load(file=file)

    def test_mistakes_are_refused(self):
        self.refused('must = "<= 1.25"', 'must = "< 1.25"')
        self.refused('to = "floor"', 'to = "mosquitto"')
        self.refused('aim = "<= 1.1"', 'aims = "<= 1.1"')
        self.refused('figure = "units_per_s"', 'figure = "speed"')
        self.refused('name = "durable"', 'name = "fanout"')
        self.refused('unit = "message"', 'units = "message"\nunit = "message"')


class Report(unittest.TestCase):
    def test_page(self):
        self.maxDiff = None
        self.assertEqual(report.page(*fixed()), EXPECTED.read_text())

    def test_a_scenario_that_did_not_run_is_left_out(self):
        every, run = fixed()
        del run["scenarios"]["durable"]
        self.assertNotIn("durable", report.page(every, run))

    def test_charts_are_svg_with_a_bar_for_each_who_ran(self):
        made = report.charts(*fixed())
        self.assertEqual(sorted(made), ["durable_publish.svg", "fan_out.svg"])
        rectangles = xml.fromstring(made["fan_out.svg"]).findall("{http://www.w3.org/2000/svg}rect")
        self.assertEqual(len(rectangles), 1 + 3)  # the ground; Parley, the floor and NATS


if __name__ == "__main__":
    if "--update" in sys.argv:
        EXPECTED.write_text(report.page(*fixed()))
    else:
        unittest.main(argv=sys.argv[:1])
