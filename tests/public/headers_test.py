#!/usr/bin/env python3
"""Every public header compiles alone, twice included, with and without exceptions and RTTI; and
the members of its structs have initialisers, because gcc warns the hosts that leave one out. What a
coroutine may call writes default arguments `Options()`: gcc 12 destroys a braced aggregate twice in
a co_await (its bug 98401).

Usage: headers_test.py <source tree> <scratch folder> <compiler> [launcher]
"""
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

FLAGS = ["-std=c++20", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]
BARE = ["-fno-exceptions", "-fno-rtti"]
ASIO_HEADERS = {"parley/asio.hpp"}  # Asio needs exceptions

BARE_MEMBER = re.compile(
    r"^\s+(?!using|friend|typedef|static|return|struct|enum|class|template)"
    r"([\w:<>,\s*&]+[\s>]|std::function<.*>\s+)\w+(,\s*\w+)*;\s*$")

AWAITED = ["parley/asio.hpp", "parley/client.hpp", "parley/engine.hpp", "parley/session.hpp"]
BRACED_DEFAULT = re.compile(r"\b([A-Z]\w+) \w+ = \{\}[,)]")


def braced_defaults(header, text):
    for number, line in enumerate(text.splitlines(), 1):
        for found in BRACED_DEFAULT.finditer(line):
            yield f"{header}:{number}: write the default argument {found[1]}()"


def bare_members(header, text):
    """Members without an initialiser that stand directly in a struct."""
    scopes = []
    for number, line in enumerate(text.splitlines(), 1):
        code = line.split("//")[0]
        if scopes and scopes[-1] and BARE_MEMBER.match(code):
            yield f"{header}:{number}: give the member an initialiser: {code.strip()}"
        for brace in re.finditer(r"[{}]", code):
            if brace[0] == "{":
                scopes.append(bool(re.search(r"\bstruct\b[^;{]*$", code[:brace.start()])))
            elif scopes:
                scopes.pop()


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
            if not (extra and header in ASIO_HEADERS)]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        problems = [p for p in pool.map(lambda job: check(*job), jobs) if p]
    for header in [h for h in headers if h not in ASIO_HEADERS]:  # its structs are inner ones
        problems += bare_members(header, (include / header).read_text())
    for header in AWAITED:
        problems += braced_defaults(header, (include / header).read_text())
    print("\n".join(problems) if problems else f"{len(headers)} headers compile alone")
    return 1 if problems or not headers else 0


if __name__ == "__main__":
    sys.exit(main())
