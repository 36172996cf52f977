"""The checkout as the rules see it: a list of files, their text, and C++ text without comments and literals."""

import dataclasses
import functools
import pathlib
import re
import subprocess

ROOMS = ("server", "apiservice", "scalers")
CPP = (".cpp", ".hpp")


@dataclasses.dataclass(frozen=True, order=True)
class Finding:
    """One broken rule: `path:line: what is wrong, what to write instead`."""

    path: str
    line: int
    what: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.what}"


class Tree:
    """A folder and the files in it that count, as sorted relative paths with slashes."""

    def __init__(self, root, files):
        self.root = pathlib.Path(root).resolve()
        self.files = sorted(f for f in files if self._is_plain(f))
        self.text = functools.cache(self._text)
        self.lines = functools.cache(lambda path: self.text(path).split("\n"))
        self.code = functools.cache(lambda path: blank(self.text(path)))

    @classmethod
    def of_git(cls, root):
        """Tracked files and those that `git add` would take: the rules hold before a commit too."""
        listing = subprocess.run(
            ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            check=True, capture_output=True, text=True).stdout
        return cls(root, {name for name in listing.split("\0") if name})

    def in_rooms(self, suffixes=CPP):
        return [f for f in self.files if f.split("/")[0] in ROOMS and f.endswith(suffixes)]

    def cpp(self):
        return [f for f in self.files if f.endswith(CPP)]

    def _is_plain(self, name):
        path = self.root / name
        return path.is_file() and not path.is_symlink()

    def _text(self, path):
        raw = (self.root / path).read_bytes()
        return "" if b"\0" in raw else raw.decode("utf-8", "replace")


_COMMENT = r"//[^\n]*|/\*.*?\*/"
_LITERAL = r"""R"(?P<mark>[^()\s\\]{0,16})\(.*?\)(?P=mark)"|"(?:\\.|[^"\\\n])*"|(?<!\w)'(?:\\.|[^'\\\n])+'"""
_TOKEN = re.compile(f"(?P<comment>{_COMMENT})|{_LITERAL}", re.S)


def _spaces(text):
    return re.sub(r"[^\n]", " ", text)


def blank(text):
    """C++ text with every comment and the inside of every literal turned to spaces; offsets and lines stay."""
    def replace(match):
        token = match.group()
        return _spaces(token) if match["comment"] else token[0] + _spaces(token[1:-1]) + token[-1]
    return _TOKEN.sub(replace, text)


def without_comments(text):
    """C++ text with its literals, for the names in #include lines."""
    return _TOKEN.sub(lambda m: _spaces(m.group()) if m["comment"] else m.group(), text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


_PAIRS = {"(": ")", "[": "]", "{": "}", "<": ">"}


def closing(code, opening):
    """Offset of the bracket that closes the one at `opening` in blanked text, or -1."""
    depth = 0
    opening_mark, closing_mark = code[opening], _PAIRS[code[opening]]
    for at in range(opening, len(code)):
        if code[at] == opening_mark:
            depth += 1
        elif code[at] == closing_mark and not (closing_mark == ">" and code[at - 1] == "-"):
            depth -= 1
            if depth == 0:
                return at
    return -1


INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:<(?P<system>[^>\n]+)>|"(?P<project>[^"\n]+)")', re.M)


def includes(text):
    """(line, "room/file.hpp" or "<system/header>") of each #include."""
    for match in INCLUDE.finditer(without_comments(text)):
        name = match["project"] or f"<{match['system']}>"
        yield line_of(text, match.start()), name
