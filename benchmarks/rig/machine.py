"""What a run was made on: machine, kernel, versions, commit, and how much was stolen meanwhile."""
import os
import pathlib
import platform
import re
import subprocess

from contestants import CONTESTANTS, version

TREE = pathlib.Path(__file__).parent.parent.parent


def output(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False,
                          cwd=TREE).stdout.strip()


def field(file, pattern):
    found = re.search(pattern, pathlib.Path(file).read_text(), re.M)
    return found[1].strip() if found else "unknown"


def file_system(folder):
    return output("findmnt", "-n", "-o", "FSTYPE,OPTIONS", "--target", str(folder)) or "unknown"


def commit():
    return output("git", "rev-parse", "--short=12", "HEAD") + (
        " with changes" if output("git", "status", "--porcelain", "--untracked-files=no") else "")


def facts(data):
    memory = int(field("/proc/meminfo", r"^MemTotal:\s+(\d+)")) / 2**20
    return {
        "commit": commit(),
        "cpu": f"{field('/proc/cpuinfo', r'^model name.*: (.*)')}, {os.cpu_count()} cores",
        "memory": f"{memory:.0f} GiB",
        "kernel": platform.release(),
        "system": field("/etc/os-release", r'^PRETTY_NAME="?([^"\n]*)'),
        "disk": file_system(data),
        "compiler": output("c++", "--version").splitlines()[0],
        "load_average": os.getloadavg()[0],
        "versions": {name: version(each) for name, each in CONTESTANTS.items() if each.version},
        "node": output("node", "--version"),
        "go": output("go", "version"),
    }


def cpu_times():
    """User, nice, system, idle, iowait, irq, softirq, steal of all cores since boot."""
    return [int(word) for word in pathlib.Path("/proc/stat").read_text().split()[1:9]]


def stolen(before, after):
    """The share of time that the hypervisor took between two cpu_times()."""
    spent = [b - a for a, b in zip(before, after)]
    return spent[7] / max(1, sum(spent))
