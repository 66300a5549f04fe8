#!/usr/bin/env python3
"""C++ files are formatted by .clang-format. Usage: format_test.py <source tree> [--fix] [files…]"""
import pathlib
import shutil
import subprocess
import sys

FOLDERS = ("include", "src", "tests", "examples", "benchmarks", "bindings/c")


def main():
    tree = pathlib.Path(sys.argv[1])
    fix = "--fix" in sys.argv
    named = [a for a in sys.argv[2:] if not a.startswith("--")]
    tool = shutil.which("clang-format-14")
    if tool is None:
        print("clang-format-14 is missing (Debian: clang-format-14)")
        return 1
    files = named or [str(f) for folder in FOLDERS for f in sorted((tree / folder).rglob("*"))
                      if f.suffix in (".hpp", ".cpp", ".h") and "node_modules" not in f.parts]
    if fix:
        return subprocess.run([tool, "--style=file", "-i", *files], check=False).returncode
    result = subprocess.run([tool, "--style=file", "--dry-run", *files], capture_output=True,
                            text=True, check=False)
    wrong = sorted({line.split(":")[0] for line in result.stderr.splitlines()
                    if "-Wclang-format-violations" in line})
    if wrong:
        print("\n".join(wrong))
        print("to fix: tests/public/format_test.py . --fix [files]")
    elif result.returncode:
        print(result.stderr)
    else:
        print(f"{len(files)} files")
    return 1 if wrong or result.returncode else 0


if __name__ == "__main__":
    sys.exit(main())
