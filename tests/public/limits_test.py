#!/usr/bin/env python3
"""Every bound in limits.hpp is named by a test, which is to hold it at the bound and one past it.

Usage: limits_test.py <source tree>
"""
import pathlib
import re
import sys

UNITS = {"kib", "mib"}


def main():
    tree = pathlib.Path(sys.argv[1])
    header = (tree / "include/parley/limits.hpp").read_text()
    names = set(re.findall(r"^inline constexpr [\w:]+ (\w+) =", header, re.MULTILINE)) - UNITS
    used = set()
    for test in (tree / "tests").rglob("*.[ch]pp"):
        used.update(re.findall(r"\blimits::(\w+)", test.read_text()))
    missing = sorted(names - used)
    for name in missing:
        print(f"limits::{name} is named by no test; test it at the limit and one past it")
    print(f"{len(names)} limits, {len(missing)} without a test")
    return 1 if missing or not names else 0


if __name__ == "__main__":
    sys.exit(main())
