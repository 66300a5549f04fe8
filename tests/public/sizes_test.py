#!/usr/bin/env python3
"""Source files have at most 600 lines, functions at most 70.

A function is counted from the first line of its head to the line of its closing brace, with what is
inside it. C++, TypeScript and JavaScript are measured. Cases of tests (TEST_CASE, test) are exempt:
they are read section by section. So are tables of data, which are no functions. A function is found
by its braces, which the formatting makes easy: in C++ a block's has a space before it, that of an
initialiser has none, or comes after one of `= , (` or `return`.

Usage: sizes_test.py <source tree>
"""
import os
import pathlib
import re
import sys

FILE_LINES, FUNCTION_LINES = 600, 70
FOLDERS = ("include", "src", "tests", "benchmarks", "examples", "bindings", "tools", "scripts")
SKIP = {"node_modules", "dist", "dist-test", "build"}
CPP = (".hpp", ".cpp", ".h", ".c")
SCRIPT = (".ts", ".mjs", ".js")
OTHER = (".py", ".fbs", ".css", ".html", ".cmake")
# What may be over, and why: generated, or one table. Nothing else belongs here.
EXCEPTIONS = {
    "tests/authorization/operations.cpp make_all": "one entry per operation",
    "tests/simulation/report.cpp name_of": "one line per name",
    "tests/wire/any_message.hpp any_answer": "one case per answer",
    "tests/wire/any_message.hpp any_operation": "one case per operation",
}

TOKENS = {
    "cpp": re.compile(
        r'//[^\n]*|/\*.*?\*/|R"(?P<raw>[^()\s]*)\(.*?\)(?P=raw)"|"(?:\\.|[^"\\\n])*"'
        r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'"
        r"|^[ \t]*#(?:[^\n\\]|\\.|\\\n)*", re.DOTALL | re.MULTILINE),
    "script": re.compile(
        r"//[^\n]*|/\*.*?\*/|'(?:\\.|[^'\\\n])*'|\"(?:\\.|[^\"\\\n])*\"|`(?:\\.|[^`\\])*`"
        r"|(?<=[(,=:\[!&|?{};])\s*/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n\[])+/[a-z]*",
        re.DOTALL),
}
CASE = re.compile(r"\s*(TEST_CASE|TEMPLATE_TEST_CASE|SCENARIO|test|describe)\b")
CPP_SCOPE = re.compile(r"\b(namespace|class|struct|union|enum|concept)\b(?![^<]*>)|\bextern\s*$")
WORDS = "export|default|private|protected|public|static|override|async|get|set"
SCRIPT_FUNCTION = re.compile(
    rf"=>\s*$|\bfunction\b|^\s*(?:(?:{WORDS})\s+)*[*#]?(?:\w+|\[[\w.]+\])\s*(?:<.*>)?"
    r"\(.*\)\s*(?::.*)?$", re.DOTALL)
CONTROL = re.compile(r"\s*(if|for|while|switch|do|else|try|catch|finally)\b")
ACCESS = re.compile(r"\s*(public|protected|private)\s*:")


def blank(text, language):
    """The text without comments, directives and what stands in strings, on the same lines."""
    def rest(match):
        comment = match[0].startswith(("//", "/*")) or match[0].lstrip().startswith("#")
        return ("" if comment else '""') + "\n" * match[0].count("\n")
    return TOKENS[language].sub(rest, text)


def is_function(head, before, language):
    """Whether a brace behind `head` opens the body of a function."""
    if CONTROL.match(head):
        return False
    if language == "script":
        return bool(SCRIPT_FUNCTION.search(head))
    scope = CPP_SCOPE.search(re.sub(r"\(.*", "", head, flags=re.DOTALL))
    return (before in " \n" and ")" in head and not scope
            and not re.search(r"(=|,|\(|\breturn)\s*$", head))


def functions(text, language):
    """(first line, lines, head) of each function that is in no other and in no case of a test."""
    text = blank(text, language)
    stack, head, line, parens, inside = [], "", 1, 0, 0
    for at, char in enumerate(text):
        if char == "{":
            kind = None
            if not inside and CASE.match(head):
                kind = "case"
            elif not inside and is_function(head, text[at - 1], language):
                kind = "function"
            inside += kind is not None
            part = parens > 0 or (language == "cpp" and text[at - 1] not in " \n")  # of the head
            stack.append((kind, line - head.lstrip().count("\n"), head, parens, part))
            head, parens = "", 0
        elif char == "}" and stack:
            kind, first, before, parens, part = stack.pop()
            inside -= kind is not None
            if kind == "function":
                yield first, line - first + 1, " ".join(before.split())
            head = before + "{}" if part else ""
        elif char == ";" and parens == 0:
            head = ""
        else:
            parens += (char in "([") - (char in ")]")
            head = "" if ACCESS.fullmatch(head + char) else head + char
        line += char == "\n"


def problems_of(path, text):
    """What is too long in a file, unless the table says why it may be."""
    found = []
    lines = text.count("\n")
    if lines > FILE_LINES:
        found.append((path, f"{path}: {lines} lines, at most {FILE_LINES}"))
    suffix = pathlib.PurePath(path).suffix
    if suffix in CPP + SCRIPT:
        for first, count, head in functions(text, "cpp" if suffix in CPP else "script"):
            if count > FUNCTION_LINES:
                name = (re.search(r"([\w:~]+)\s*\(", head) or re.search(r"(\w+)\s*[=:]", head))[1]
                what = f"{name} has {count} lines, at most {FUNCTION_LINES}"
                found.append((f"{path} {name}", f"{path}:{first}: {what}"))
    return found


def self_test():
    """What is too long is seen in each of its forms, and what only looks so is not."""
    body = "  x();\n" * FUNCTION_LINES
    long = [
        ("a.cpp", "\n" * (FILE_LINES + 1)),
        ("a.cpp", f"namespace n {{\nvoid f() {{\n{body}}}\n}}\n"),
        ("a.hpp", f"class C : B {{\n public:\n  int f(int a = int{{}}) const {{\n{body}  }}\n}};\n"),
        ("a.cpp", f"C::C(A a)\n    : a_{{a}}, b_(a) {{\n{body}}}\n"),
        ("a.cpp", f"const auto f = [](int a) -> int {{\n{body}}};\n"),
        ("a.cpp", f"char c = '{{';\nauto s = R\"({{)\";  // {{\nvoid f() {{\n{body}}}\n"),
        ("a.ts", f"export async function f(a: {{ b: C }} = {{ b: 1 }}): P<void> {{\n{body}}}\n"),
        ("a.ts", f"class C {{\n  private get f(): string {{\n{body}  }}\n}}\n"),
        ("a.ts", f"const f = (a: string) => {{\n{body}}};\n"),
        ("a.ts", f"const f = {{ a: /[{{'\"]/, g: async ({{ x }}) => {{\n{body}}} }};\n"),
    ]
    good = [
        ("a.cpp", "\n" * FILE_LINES),
        ("a.cpp", "void f() {\n" + "  x();\n" * (FUNCTION_LINES - 2) + "}\n"),
        ("a.cpp", f'TEST_CASE("a") {{\n{body}}}\n'),
        ("a.cpp", "const std::map<int, int> table = {\n" + "  {f(1), 2},\n" * 99 + "};\n"),
        ("a.hpp", "struct A final : B<void()> {\n" + "  void f() { x(); }\n" * 99 + "};\n"),
        ("a.ts", "const table = {\n" + "  a: (b) => ({ b }),\n" * 99 + "};\n"),
        ("a.ts", f"test('a', async () => {{\n{body}}});\n"),
        ("a.ts", "class C extends B {\n" + "  f(): void { x(); }\n" * 99 + "}\n"),
        ("a.csv", f"void f() {{\n{body}}}\n"),
    ]
    return ([f"self-test: {text[:60]!r} was let through" for path, text in long
             if len(problems_of(path, text)) != 1]
            + [f"self-test: {text[:60]!r} was refused" for path, text in good
               if problems_of(path, text)])


def sources(tree):
    for folder in FOLDERS:
        for place, folders, names in os.walk(tree / folder):
            folders[:] = [f for f in folders if f not in SKIP]
            yield from (pathlib.Path(place, name) for name in sorted(names)
                        if name.endswith(CPP + SCRIPT + OTHER) or name == "CMakeLists.txt")


def main():
    tree = pathlib.Path(sys.argv[1]).resolve()
    found, files = [], 0
    for file in sources(tree):
        files += 1
        found += problems_of(file.relative_to(tree).as_posix(), file.read_text())
    named = {key for key, _ in found}
    problems = self_test() + [what for key, what in found if key not in EXCEPTIONS]
    problems += [f"{key} is in a table of this script and not too long"
                 for key in sorted(EXCEPTIONS) if key not in named]
    print("\n".join(problems) if problems else f"{files} files, {len(EXCEPTIONS)} exceptions")
    return 1 if problems or not files else 0


if __name__ == "__main__":
    sys.exit(main())
