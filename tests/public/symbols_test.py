#!/usr/bin/env python3
"""The layers without I/O reference no clock, chance, thread or socket, directly or through base's os files.

Usage: symbols_test.py <nm> <archive>…   (archives named libparley_<folder>_layer.a; base is needed)
"""
import pathlib
import re
import subprocess
import sys

FORBIDDEN = re.compile(
    r"^(clock_gettime|gettimeofday|time|nanosleep|usleep|getrandom|getentropy|arc4random|rand|random"
    r"|pthread_create|getaddrinfo|socket|socketpair|connect|bind|listen|accept4?|epoll_\w+|poll"
    r"|open|openat|fopen|(__)?v?f?printf(_chk)?|puts|fputs|fwrite|getenv|secure_getenv)(@.*)?$"
    r"|^std::(__1::)?chrono::.*clock::now|^std::random_device|^std::thread::_M_start_thread"
    r"|^std::condition_variable|^std::__future_base")
# Objects of base that are the border to the operating system; nothing below it is checked.
BORDER = re.compile(r"^os(_|\.)")
# Beside the layout: whole stores, which draw an incarnation, and the conformance suite, which waits.
STORES = re.compile(r"^(memory_store|weak_store|store_conformance|conformance_\w+)\.")


def symbols(nm, archive, kind):
    """(object, demangled name) of every defined or undefined symbol of an archive."""
    flag = "--defined-only" if kind == "defined" else "--undefined-only"
    text = subprocess.run([nm, "-C", "-A", flag, archive], capture_output=True, text=True,
                          check=True).stdout
    for line in text.splitlines():
        match = re.match(r"^.*?\.a:([^:]+):\s*(?:[0-9a-f]+)?\s+(\w)\s+(.*)$", line)
        if match:
            yield match[1], match[2], match[3]


def main():
    nm, archives = sys.argv[1], sys.argv[2:]
    folders = {}
    for archive in archives:
        match = re.match(r"libparley_(\w+)_layer\.a", pathlib.Path(archive).name)
        folders[match[1]] = archive
    border = {name for obj, kind, name in symbols(nm, folders["base"], "defined")
              if BORDER.match(obj) and kind == "T"}
    problems, seen = set(), 0
    for folder, archive in folders.items():
        for obj, _, name in symbols(nm, archive, "undefined"):
            seen += 1
            if (folder == "base" and BORDER.match(obj)) or (folder == "store" and STORES.match(obj)):
                continue
            if FORBIDDEN.search(name):
                problems.add(f"src/{folder} {obj}: references {name}")
            elif name in border and folder in ("core", "wire"):
                problems.add(f"src/{folder} {obj}: references {name}, which is the operating system's")
    print("\n".join(sorted(problems)) if problems else f"{seen} references, none forbidden")
    return 1 if problems or not seen else 0


if __name__ == "__main__":
    sys.exit(main())
