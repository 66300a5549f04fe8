#!/usr/bin/env python3
"""Who may include whom: the table of src/README.md as a test. Usage: layers_test.py <source tree>"""
import pathlib
import re
import sys

LEVELS = {
    "base": 1,
    "wire": 2, "store": 2, "transport": 2,
    "core": 3,
    "runtime": 4,
    "net": 5, "lmdb": 5, "client": 5,
    "engine": 6,
}
# Third-party header, and the only places that may see it.
THIRD_PARTY = {
    "asio": r"include/parley/asio\.hpp",
    "flatbuffers": r"src/wire/.*",
    "lmdb.h": r"src/lmdb/.*",
    "llhttp.h": r"src/net/.*",
    "liburing.h": r"src/net/send_batch\.cpp",
}
# The core has no I/O: neither headers nor calls that would give it any.
PURE = re.compile(r"src/(core|wire)/.*|src/store/layout.*")
IMPURE_HEADERS = {
    "thread", "mutex", "shared_mutex", "condition_variable", "future", "semaphore", "latch",
    "barrier", "stop_token", "random", "iostream", "fstream", "filesystem", "ctime",
}
IMPURE_CALLS = re.compile(r"\b\w*[cC]lock::now\s*\(|\bstd::time\s*\(|\bstd::rand\s*\(|\bgetenv\s*\(")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
STANDARD = re.compile(r"^[a-z_0-9]+$")
POSIX = re.compile(r"^(sys|netinet|arpa|linux|net)/|^[a-z_0-9]+\.h$")


def third_party_of(name):
    for library in THIRD_PARTY:
        if name == library or name.startswith((library + "/", library + ".")):
            return library
    return None


def check_include(path, quoted, name, tree):
    """The reason why `path` may not include `name`, or None."""
    library = third_party_of(name)
    if library:
        if not re.fullmatch(THIRD_PARTY[library], path):
            return f"only {THIRD_PARTY[library]} may include <{name}>"
        return None
    public = path.startswith("include/")
    if quoted:
        if name.startswith("parley/"):
            if name == "parley/asio.hpp":
                return "parley/asio.hpp is for hosts"
            if not (tree / "include" / name).is_file():
                return f'no such public header: "{name}"'
            return None
        if public:
            return f'a public header includes std and parley only, not "{name}"'
        mine, folder = path.split("/")[1], name.split("/")[0]
        if folder not in LEVELS or "/" not in name:
            return f'write "<folder>/<file>", not "{name}"'
        if folder != mine and LEVELS[folder] >= LEVELS[mine]:
            return f"{mine} (level {LEVELS[mine]}) may not include {folder} (level {LEVELS[folder]})"
        return None
    if STANDARD.match(name):
        if PURE.fullmatch(path) and name in IMPURE_HEADERS:
            return f"<{name}> would give this layer I/O, threads, clocks or chance"
        return None
    if public:
        return f"a public header includes std and parley only, not <{name}>"
    if PURE.fullmatch(path):
        return f"this layer includes std only, not <{name}>"
    if POSIX.match(name):
        return None
    return f"<{name}> is not in the table of third-party headers"


def check_file(tree, file):
    path = file.relative_to(tree).as_posix()
    problems = []
    for number, line in enumerate(file.read_text().splitlines(), 1):
        match = INCLUDE.match(line)
        reason = check_include(path, match[1] == '"', match[2], tree) if match else None
        if not reason and PURE.fullmatch(path) and IMPURE_CALLS.search(line.split("//")[0]):
            reason = "this layer is given the time and its choices; it does not ask for them"
        if reason:
            problems.append(f"{path}:{number}: {reason}")
    return problems


def self_test(tree):
    """The checker catches what it is for."""
    bad = [
        ("src/base/a.cpp", True, "core/a.hpp"), ("src/wire/a.cpp", True, "store/a.hpp"),
        ("src/core/a.cpp", False, "asio/post.hpp"), ("src/runtime/a.cpp", False, "asio.hpp"),
        ("src/core/a.cpp", False, "thread"), ("src/core/a.cpp", False, "sys/socket.h"),
        ("src/store/a.cpp", False, "flatbuffers/flatbuffers.h"), ("src/base/a.cpp", True, "crc.hpp"),
        ("include/parley/a.hpp", True, "base/a.hpp"),
        ("include/parley/a.hpp", False, "unistd.h"), ("src/net/a.cpp", True, "client/a.hpp"),
    ]
    good = [
        ("src/core/a.cpp", True, "base/a.hpp"),
        ("src/wire/a.cpp", False, "flatbuffers/flatbuffers.h"), ("src/base/os.cpp", False, "unistd.h"),
        ("include/parley/asio.hpp", False, "asio.hpp"),
        ("src/lmdb/a.cpp", False, "lmdb.h"), ("src/core/a.cpp", True, "parley/error.hpp"),
    ]
    return ([f"self-test: {case} was let through" for case in bad if not check_include(*case, tree)]
            + [f"self-test: {case} was refused" for case in good if check_include(*case, tree)])


def main():
    tree = pathlib.Path(sys.argv[1]).resolve()
    problems = self_test(tree)
    for folder in sorted(p.name for p in (tree / "src").iterdir() if p.is_dir()):
        if folder not in LEVELS:
            problems.append(f"src/{folder} has no level")
    files = [f for root in ("include", "src") for f in sorted((tree / root).rglob("*"))
             if f.suffix in (".hpp", ".cpp", ".h", ".c")]
    for file in files:
        problems += check_file(tree, file)
    print("\n".join(problems) if problems else f"{len(files)} files keep to the layers")
    return 1 if problems or not files else 0


if __name__ == "__main__":
    sys.exit(main())
