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
import growth  # noqa: E402
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
        tasks = runner.LOAD_TASKS | {"build_cost", "durable", "fleet", "history", "local_fanout",
                                     "start", "round_trip", "scale_conversations", "scale_members",
                                     "scale_messages", "scale_users"}
        for quick in (False, True):
            for scenario in scenarios.load(quick):
                with self.subTest(scenario=scenario.name, quick=quick):
                    self.assertIn(scenario.task, tasks)
                    self.assertLessEqual(set(scenario.contestants), set(CONTESTANTS))
                    self.assertLessEqual({"seconds", "warm", "seed"}, set(scenario.parameters))
                    self.assertTrue(scenario.axis is None or sorted(scenario.points) ==
                                    scenario.points)
                    if scenario.task in runner.LOAD_TASKS | {"fleet"}:
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

    def test_a_list_is_the_axis(self):
        of = {each.name: each for each in scenarios.load(file=HERE / "scenarios.toml")}
        self.assertEqual((of["members"].axis, of["members"].points), ("members", [100, 10000, 100000]))
        self.assertEqual((of["durable"].axis, of["durable"].points), (None, [None]))
        self.assertTrue(of["members"].slow and not of["durable"].slow)

    def test_what_is_stored_is_named_for_its_contents(self):
        shape = {"rooms": 10, "messages": 1000, "size": 200}
        names = [runner.folder_name("history", "parley", shape | {"page": "last"}),
                 runner.folder_name("start", "parley", shape),
                 runner.folder_name("history", "lmdb", shape),
                 runner.folder_name("history", "parley", shape | {"messages": 2000}),
                 runner.folder_name("scale_members", "parley", {"members": 100}),
                 runner.folder_name("scale_members", "parley", {"members": 1000})]
        self.assertEqual(names[0], names[1])
        self.assertEqual(len(set(names)), 5)

    def test_brief_keeps_goals_and_whom_they_name(self):
        for scenario in scenarios.load(brief=True):
            with self.subTest(scenario=scenario.name):
                named = {name for goal in scenario.goals for name in (goal.of, goal.to) if name}
                self.assertEqual(set(scenario.contestants), named)

    def runs_of(self, scenario, rounds):
        """Which points were run, in their order, with a task that answers at once."""
        before, runner.run_one = runner.run_one, lambda *_: {"cpu_us": 1}
        try:
            return runner.run(scenario, rounds, {}, None)["runs"]["parley"]
        finally:
            runner.run_one = before

    def test_each_point_is_run_in_each_round(self):
        members = scenarios.load(file=HERE / "scenarios.toml")[2]
        for rounds, expected in ((1, [100, 10000, 100000]),
                                 (5, [100, 100, 10000, 10000, 100000, 100000])):
            self.assertEqual([run["members"] for run in self.runs_of(members, rounds)], expected)

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
        self.assertEqual(sorted(made), ["durable_publish.svg", "fan_out.svg", "members.svg"])
        rectangles = xml.fromstring(made["fan_out.svg"]).findall("{http://www.w3.org/2000/svg}rect")
        self.assertEqual(len(rectangles), 1 + 3)  # the ground; Parley, the floor and NATS

    def test_curves_are_svg_with_a_dot_for_each_point(self):
        drawn = xml.fromstring(report.charts(*fixed())["members.svg"])
        space = "{http://www.w3.org/2000/svg}"
        self.assertEqual(len(drawn.findall(space + "polyline")), 3)  # one a figure
        self.assertEqual(len(drawn.findall(space + "circle")), 3 * 3)

    def test_growth_is_told_by_the_decade(self):
        def told(figure, *values):
            by_point = {10 ** at: (each,) * 3 for at, each in enumerate(values, 2)}
            return growth.verdict(figure, *growth.ratios(by_point))
        self.assertEqual(told("cpu_us", 5, 5, 5.5), "flat")
        self.assertEqual(told("cpu_us", 5, 10, 20), "less than linear")
        self.assertEqual(told("start_ms", 5, 50, 500), "linear")
        self.assertEqual(told("start_ms", 5, 5, 500), "linear; **more than linear in one decade**")
        self.assertEqual(told("start_ms", 5, 100, 2000), "**more than linear**")
        self.assertEqual(told("disk_bytes", 300, 310, 320), "linear")
        self.assertEqual(told("disk_bytes", 300, 600, 1200), "**more than linear**")
        self.assertEqual(growth.ratios({100: (1, 1, 1)}), None)
        self.assertAlmostEqual(growth.per_decade((100, 1), (10000, 100)), 10)


if __name__ == "__main__":
    if "--update" in sys.argv:
        EXPECTED.write_text(report.page(*fixed()))
    else:
        unittest.main(argv=sys.argv[:1])
