#!/usr/bin/env python3
"""Every public header compiles alone, twice included, with and without exceptions and RTTI.

Usage: headers_test.py <source tree> <scratch folder> <compiler> [launcher]
"""
import concurrent.futures
import os
import pathlib
import subprocess
import sys

FLAGS = ["-std=c++20", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]
BARE = ["-fno-exceptions", "-fno-rtti"]
NEEDS_EXCEPTIONS = {"parley/asio.hpp"}  # Asio does


def main():
    tree, scratch = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    compiler = [part for part in (sys.argv[4:] + [sys.argv[3]]) if part]
    include = tree / "include"
    scratch.mkdir(parents=True, exist_ok=True)
    headers = sorted(h.relative_to(include).as_posix() for h in include.rglob("*.hpp"))

    def check(header, extra):
        source = scratch / (header.replace("/", "_") + ("_bare" if extra else "") + ".cpp")
        text = f'#include "{header}"\n#include "{header}"\n'
        if not source.exists() or source.read_text() != text:
            source.write_text(text)
        command = compiler + FLAGS + extra + [
            "-I", str(include), "-c", str(source), "-o", str(source.with_suffix(".o"))]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        return None if result.returncode == 0 else f"{header} {' '.join(extra)}\n{result.stderr}"

    jobs = [(header, extra) for header in headers for extra in ([], BARE)
            if not (extra and header in NEEDS_EXCEPTIONS)]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        problems = [p for p in pool.map(lambda job: check(*job), jobs) if p]
    print("\n".join(problems) if problems else f"{len(headers)} headers compile alone")
    return 1 if problems or not headers else 0


if __name__ == "__main__":
    sys.exit(main())
