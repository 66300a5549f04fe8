"""scenarios.toml as objects: what is measured and which goals it has."""
import dataclasses
import pathlib
import re
import tomllib

FILE = pathlib.Path(__file__).parent.parent / "scenarios.toml"
BOUND = re.compile(r"^(<=|>=) (\d+(?:\.\d+)?)$")

# The figures of a run: what a table calls them. Each ends with its unit.
FIGURES = {
    "cpu_us": "CPU µs",
    "units_per_s": "per second",
    "p50_us": "p50 µs",
    "p99_us": "p99 µs",
    "p999_us": "p99.9 µs",
    "slowest_us": "slowest µs",
    "load_cpu_us": "load's CPU µs",
    "load_share": "load's core",
    "fold_share": "share that met a fold",
    "fold_p99_us": "p99 of those µs",
    "between_p99_us": "p99 of others µs",
    "shard_cpu_us": "shard's CPU µs",
    "write_cpu_us": "writer's CPU µs",
    "flush_cpu_us": "flush's CPU µs",
    "fold_cpu_us": "fold's CPU µs",
    "device_bytes": "written B",
    "disk_bytes": "on disk B",
    "bytes": "memory B",
    "bytes_connected": "memory before the room B",
    "bytes_idle": "memory after the idle minute B",
    "heap_idle": "in use of that B",
    "kernel_bytes": "kernel's memory, both ends B",
    "subscribe_cpu_us": "CPU µs to enter",
    "idle_share": "idle CPU share",
    "connect_s": "all connected s",
    "served_ms": "all served ms",
    "busy_share": "told to ask again",
    "cut_share": "cut off meanwhile",
    "page_cpu_us": "CPU µs a page",
    "random_page_cpu_us": "CPU µs a page from anywhere",
    "any_cpu_us": "CPU µs to any of them",
    "find_cpu_us": "CPU µs to find one",
    "create_cpu_us": "CPU µs to create one",
    "add_cpu_us": "CPU µs to add one",
    "remove_cpu_us": "CPU µs to remove one",
    "attach_cpu_us": "CPU µs to attach",
    "new_cpu_us": "CPU µs to attach a new one",
    "start_ms": "start ms",
    "start_cold_ms": "start from the disk ms",
    "start_crash_ms": "start after a crash ms",
    "start_crash_cpu_us": "CPU µs of that",
    "start_bytes": "memory after the start B",
    "include_s": "include s",
    "library_s": "library build s",
    "example_bytes": "example B",
}
HIGHER_IS_BETTER = {"units_per_s"}
# Along an axis: those of everything there is, divided by how much there is.
OF_EACH = {"disk_bytes"}


@dataclasses.dataclass(frozen=True)
class Bound:
    sign: str
    value: float

    def holds(self, value):
        return value <= self.value if self.sign == "<=" else value >= self.value

    def __str__(self):
        return f"{'≤' if self.sign == '<=' else '≥'} {self.value:g}"


@dataclasses.dataclass(frozen=True)
class Goal:
    figure: str
    must: Bound
    aim: Bound | None = None
    to: str | None = None  # none: the figure itself
    of: str = "parley"


@dataclasses.dataclass(frozen=True)
class Scenario:
    name: str
    group: str
    task: str
    description: str
    unit: str
    figure: str
    parameters: dict
    contestants: tuple
    goals: tuple
    rounds: int | None  # none: as many as asked for
    slow: bool = False  # minutes a round: only with --slow, or when it is named

    @property
    def axis(self):
        """The parameter that is a list: each of its values is measured. None: none is."""
        return next((name for name, value in self.parameters.items() if isinstance(value, list)),
                    None)

    @property
    def points(self):
        return self.parameters[self.axis] if self.axis else [None]


def bound(text, where):
    found = BOUND.match(text)
    if not found:
        raise ValueError(f"{where}: a bound is '<= NUMBER' or '>= NUMBER', not {text!r}")
    return Bound(found[1], float(found[2]))


def goal(entry, scenario):
    where = f"{scenario['name']}: goal of {entry.get('figure')}"
    unknown = set(entry) - {"figure", "must", "aim", "to", "of"}
    made = Goal(entry["figure"], bound(entry["must"], where),
                bound(entry["aim"], where) if "aim" in entry else None,
                entry.get("to"), entry.get("of", "parley"))
    if unknown or made.figure not in FIGURES:
        raise ValueError(f"{where}: unknown {', '.join(unknown) or made.figure}")
    for name in (made.of, made.to):
        if name is not None and name not in scenario["contestants"]:
            raise ValueError(f"{where}: {name} is no contestant")
    return made


def needed(entry):
    """The contestants that its goals speak of, in their order."""
    spoken = {name for each in entry["goals"] for name in (each.get("of", "parley"), each.get("to"))}
    return [name for name in entry["contestants"] if name in spoken]


def scenario(entry, defaults, quick, brief):
    where = entry.get("name", "a scenario without a name")
    unknown = set(entry) - {"name", "group", "task", "description", "unit", "figure", "parameters",
                            "quick", "brief", "contestants", "goals", "rounds", "slow"}
    if unknown:
        raise ValueError(f"{where}: unknown {', '.join(sorted(unknown))}")
    if entry["figure"] not in FIGURES:
        raise ValueError(f"{where}: unknown figure {entry['figure']}")
    if not entry["description"] or "\n" in entry["description"]:
        raise ValueError(f"{where}: the description is one line")
    parameters = defaults | entry["parameters"]
    if brief:
        entry = entry | {"contestants": needed(entry)}
        parameters |= {"seconds": 1.0, "warm": 0.25} | entry.get("brief", {})
    if quick:
        parameters |= {"seconds": 0.2, "warm": 0.05} | entry.get("quick", {})
    return Scenario(entry["name"], entry["group"], entry["task"], entry["description"],
                    entry["unit"], entry["figure"], parameters, tuple(entry["contestants"]),
                    tuple(goal(each, entry) for each in entry.get("goals", [])),
                    entry.get("rounds"), entry.get("slow", False))


def load(quick=False, brief=False, file=FILE):
    """`brief`: only what has goals and whom these speak of, measured for a shorter time."""
    content = tomllib.loads(file.read_text())
    made = [scenario(entry, content["defaults"], quick, brief) for entry in content["scenario"]
            if not brief or entry.get("goals")]
    names = [each.name for each in made]
    if len(set(names)) != len(names):
        raise ValueError("two scenarios have the same name")
    return made
