"""Source lint: refuses by name what Kura's code may not use. Usage: source_lint.py TREE.

Prints one line for each finding, `path:line: [rule] text; use ... instead`, and exits 1 if any.
The rules are data in rules.py; source_lint_test.py plants a violation of each.
"""

import fnmatch
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import rules  # noqa: E402

SKIPPED = {".git", "build", "data", "node_modules", "__pycache__", ".pytest_cache"}
SELF = "tests/lint/"
CODE_SUFFIXES = {".h", ".cc"}
LIMITED_SUFFIXES = CODE_SUFFIXES | {".py", ".sh", ".js", ".mjs", ".proto", ".cmake"}
TEXT_SUFFIXES = LIMITED_SUFFIXES | {".md", ".txt", ".json", ".toml", ".yaml", ".yml", ""}
TOKEN = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(?P<d>[^()\\ ]{0,16})\(.*?\)(?P=d)"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])+\'',
    re.DOTALL,
)


def blank(match: re.Match) -> str:
    """The same number of lines, without the text."""
    return " " + "\n" * match.group().count("\n")


def code_of(text: str) -> str:
    return TOKEN.sub(blank, text)


def at_home(path: str, homes: tuple[str, ...]) -> bool:
    return any(fnmatch.fnmatch(path, h) or fnmatch.fnmatch(path, f"tests/{h}") for h in homes)


def files_of(tree: pathlib.Path):
    for path in sorted(tree.rglob("*")):
        parts = path.relative_to(tree).parts
        if not SKIPPED.intersection(parts) and path.is_file() and not path.is_symlink():
            yield path.relative_to(tree).as_posix(), path


def matches(rule: rules.Rule, path: str, text: str):
    if at_home(path, rule.homes):
        return
    for match in re.finditer(rule.pattern, text, re.MULTILINE):
        line = text.count("\n", 0, match.start()) + 1
        yield f"{path}:{line}: [{rule.name}] {match.group().strip()}; use {rule.instead}"


def includes_of(path: str, text: str):
    for number, line in enumerate(text.splitlines(), 1):
        found = re.match(r'\s*#\s*include\s*[<"]([^>"]+)[>"]', line)
        for rule in rules.HEADERS if found else ():
            if re.search(rule.pattern, found[1]) and not at_home(path, rule.homes):
                yield f"{path}:{number}: [{rule.name}] includes {found[1]}; its home is {rule.instead}"


def unordered_loops(path: str, code: str, text: str):
    """A range-for over a container that this file declares unordered, unless its line says why not."""
    names = set(re.findall(r"\bunordered_\w+\s*<[^;{}()]*>\s+(\w+)\s*[;={]", code))
    lines = text.splitlines()
    for match in re.finditer(r"\bfor\s*\([^;()]*[^:]:\s*(\w+)\)", code):
        line = code.count("\n", 0, match.start()) + 1
        if match[1] in names and "any order" not in lines[line - 1]:
            yield (f"{path}:{line}: [unordered] iterates over {match[1]} in the library's order; use an "
                   "ordered container, or say `// any order` if no result depends on it")


def check_code(path: str, text: str):
    code = code_of(text)
    for rule in rules.CODE:
        yield from matches(rule, path, code)
    yield from includes_of(path, text)
    if not path.startswith("tests/"):
        yield from unordered_loops(path, code, text)
    for match in re.finditer(rules.BAD_TYPES, code):
        line = code.count("\n", 0, match.start()) + 1
        yield f"{path}:{line}: [name] {match[1]} says nothing; name the idea"
    if path.startswith("tests/") and path.endswith("_test.cc") and not re.search(rules.EXPECTATION, code):
        yield f"{path}:1: [no-expectation] this test cannot fail"


def check_file(path: str, file: pathlib.Path):
    parts = pathlib.PurePosixPath(path)
    for part in parts.parts:
        if re.search(rules.BAD_NAMES, part.split(".")[0]):
            yield f"{path}:1: [name] '{part}' says nothing; name the idea"
    if parts.suffix not in TEXT_SUFFIXES or parts.name == "LICENSE":
        return
    try:
        text = file.read_text()
    except UnicodeDecodeError:
        return
    for rule in rules.TEXT:
        yield from matches(rule, path, text)
    lines = text.count("\n")
    if parts.suffix in LIMITED_SUFFIXES and lines > rules.LINES_MAX:
        yield f"{path}:1: [long-file] {lines} lines, at most {rules.LINES_MAX}; split deciding from doing"
    if parts.suffix in CODE_SUFFIXES:
        yield from check_code(path, text)


def lint(tree: pathlib.Path) -> list[str]:
    return [f for path, file in files_of(tree) if not path.startswith(SELF) for f in check_file(path, file)]


def main() -> int:
    findings = lint(pathlib.Path(sys.argv[1]))
    print("\n".join(findings) if findings else "source lint: nothing found")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
