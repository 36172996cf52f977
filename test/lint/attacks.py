"""The index of attacks and faults, test/attacks.md: each row names tests that exist, so that it cannot rot."""

import re

from tree import Finding

INDEX = "test/attacks.md"
_ROW = re.compile(r"\| (?P<id>[SF]\d\d) \| (?P<what>[^|]+) \| (?P<where>[^|]+) \|")
_TEST = re.compile(r"`(?P<file>[\w/]+\.(?:py|cpp))`: (?P<names>`[^`]+`(?:, `[^`]+`)*)")
_FORM = "write `| S01 | what is right | `api/x_test.py`: `test_name`; `unit/room/x_test.cpp`: `rule` |`"


def _tests(where):
    """(file, name) of each test in the last cell; None when it is written in another way."""
    parts = [_TEST.fullmatch(part) for part in where.split("; ")]
    if None in parts:
        return None
    return [(part["file"], name) for part in parts for name in re.findall("`([^`]+)`", part["names"])]


def _is_there(text, file, name):
    """A test of a Python file is a function, one of a C++ file has its name in quotes."""
    if file.endswith(".py"):
        return re.search(rf"^ *def {re.escape(name)}\(", text, re.M) is not None
    return f'TEST_CASE("{name}")' in text


def check(tree):
    if INDEX not in tree.files:
        yield Finding(INDEX, 1, "is missing, write a row for each attack and fault that a test proves")
        return
    before = ""
    for number, line in enumerate(tree.lines(INDEX), 1):
        if not re.match(r"\| [SF]\d", line):
            continue
        row = _ROW.fullmatch(line)
        tests = _tests(row["where"]) if row else None
        if tests is None:
            yield Finding(INDEX, number, f"is not a row of the index, {_FORM}")
            continue
        if before[:1] == row["id"][:1] and row["id"] <= before:
            yield Finding(INDEX, number, f"{row['id']} comes after {before}, sort the rows and name each once")
        before = row["id"]
        for file, name in tests:
            path = f"test/{file}"
            if path not in tree.files:
                yield Finding(INDEX, number, f"{path} does not exist, name the file that proves {row['id']}")
            elif not _is_there(tree.text(path), file, name):
                yield Finding(INDEX, number, f"{path} has no test `{name}`, name the one that proves {row['id']}")
