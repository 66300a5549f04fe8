#!/usr/bin/env python3
"""Pages show code that compiles and name things that exist.

In every *.md of the tree:
- a block under `<!-- file#name -->` is the part of that file between the two lines
  `//! [name]`, without its indent; in the pages of CHECKED every ```cpp block has such a line;
- a relative link leads to a file, and its #anchor to a heading;
- no path of somebody's machine is named;
- after "Tests:" each `tests/...` is a file, and each "quoted name" behind it stands in that file.

Usage: docs_test.py <source tree>
"""
import os
import pathlib
import re
import sys

SKIP = {".git", "build", "node_modules", "dist", "dist-test"}
CHECKED = ("README.md", "docs/tutorial.md", "docs/write_a_store.md", "docs/write_a_transport.md",
           "docs/delivery_contract.md")
FENCE = re.compile(r"^( {0,3}|\t)(```+|~~~+)\s*(\S*)")
MARK = re.compile(r"^\s*<!--\s*(\S+\.\w+)#(\w+)\s*-->\s*$")
LINK = re.compile(r"(?<!!)\[[^\]\[]*\]\(([^()\s]+)\)|!\[[^\]]*\]\(([^()\s]+)\)")
MACHINE = re.compile(r"(?<![\w.])/(?:work|home|root|Users)/")


def pages(tree):
    for folder, folders, names in os.walk(tree):
        folders[:] = [f for f in folders if f not in SKIP]
        for name in sorted(names):
            if name.endswith(".md"):
                yield pathlib.Path(folder, name)


def region(path, name):
    """The lines between the two marker lines, dedented; None when they are not there."""
    inside, lines = False, []
    for line in path.read_text().splitlines():
        marker = re.match(r"^\s*(?:<!--)?//! \[(\w+)\](?:-->)?$", line)
        if marker and marker[1] == name:
            if inside:
                indent = min((len(l) - len(l.lstrip()) for l in lines if l.strip()), default=0)
                return [l[indent:] for l in lines]
            inside = True
        elif inside and not marker:
            lines.append(line)
    return None


def blocks(lines):
    """(line number, language, line before, content) of each fenced block."""
    at = 0
    while at < len(lines):
        fence = FENCE.match(lines[at])
        if fence:
            start, content = at, []
            at += 1
            while at < len(lines) and not lines[at].strip().startswith(fence[2]):
                content.append(lines[at])
                at += 1
            before = next((l for l in reversed(lines[:start]) if l.strip()), "")
            yield start + 1, fence[3], before, content
        at += 1


def prose(lines):
    """The lines outside fenced blocks, others empty."""
    out, fence = [], None
    for line in lines:
        match = FENCE.match(line)
        if fence:
            fence = None if line.strip().startswith(fence) else fence
            out.append("")
        elif match:
            fence = match[2]
            out.append("")
        else:
            out.append(line)
    return out


def anchor(heading):
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
    return re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", text))


def anchors(path):
    headings = [l.lstrip("#") for l in prose(path.read_text().splitlines()) if re.match(r"#+ ", l)]
    return {anchor(h) for h in headings}


def check_code(tree, page, lines, must):
    for number, language, before, content in blocks(lines):
        mark = MARK.match(before)
        if not mark:
            if must and language == "cpp":
                yield number, "a cpp block without `<!-- file.cpp#name -->` above it"
            continue
        source = tree / mark[1]
        wanted = region(source, mark[2]) if source.is_file() else None
        if wanted is None:
            yield number, f"{mark[1]} has no region {mark[2]}"
        elif [l.rstrip() for l in content] != [l.rstrip() for l in wanted]:
            yield number, f"the block differs from {mark[1]}#{mark[2]}"


def check_links(page, lines):
    for number, line in enumerate(prose(lines), 1):
        for match in LINK.finditer(re.sub(r"`[^`]*`", "", line)):
            target = match[1] or match[2]
            if re.match(r"[a-z][a-z+.-]*:", target):
                continue
            path, _, name = target.partition("#")
            file = page.parent / path if path else page
            if not file.exists():
                yield number, f"the link {target} leads nowhere"
            elif name and file.suffix == ".md" and name not in anchors(file):
                yield number, f"{path or page.name} has no heading #{name}"


def check_tests(tree, lines):
    """Paragraphs that begin with "Tests:", over their lines."""
    number, paragraph = 0, ""
    for at, line in enumerate(prose(lines) + [""], 1):
        if line.strip():
            number = number or at
            paragraph += " " + line.strip()
            continue
        if re.match(r"\s*(?:[-*] )?\**Tests:", paragraph):
            file, text = None, ""
            for path, name in re.findall(r"`((?:tests|src|bindings)/[^`]+)`|\"([^\"]+)\"", paragraph):
                if path:
                    file = tree / path
                    text = file.read_text() if file.is_file() else ""
                    if not file.exists():
                        yield number, f"there is no {path}"
                elif f'"{name}"' not in text and f"'{name}'" not in text:
                    yield number, f'{file} has no test "{name}"'
        number, paragraph = 0, ""


def main():
    tree = pathlib.Path(sys.argv[1]).resolve()
    problems, count = [], 0
    for page in pages(tree):
        count += 1
        name = page.relative_to(tree).as_posix()
        lines = page.read_text().splitlines()
        found = list(check_code(tree, page, lines, name in CHECKED))
        found += check_links(page, lines)
        found += check_tests(tree, lines)
        found += [(number, "names a path of somebody's machine")
                  for number, line in enumerate(lines, 1) if MACHINE.search(line)]
        problems += [f"{name}:{number}: {what}" for number, what in found]
    print("\n".join(problems) if problems else f"{count} pages hold")
    return 1 if problems or count < 5 else 0


if __name__ == "__main__":
    sys.exit(main())
