"""Rules about plain text: length of files, files a folder, the registry, leftovers, keys, host names, and switches over Errc."""

import collections
import re

from tree import Finding, closing, line_of

MAX_LINES = 400
MAX_FILES = 25
CODE_FOLDERS = ("server", "apiservice", "scalers", "test", "bench", "demo", "dev", "certs")
CODE = (".cpp", ".hpp", ".def", ".py", ".sh", ".go", ".js", ".cmake", "CMakeLists.txt")
# Written with tabs by their own tools, or bytes that a test compares.
TABS = (".go",)
AS_THEY_ARE = ("test/golden/",)

# Put together from halves, so that this file passes its own rules.
_TODO = re.compile(r"\b(TO" r"DO|FIX" r"ME)\b(?![^\n]*#\d)")
_KEY = re.compile(r"-----BEGIN (?:[A-Z0-9]+ )*PRIV" r"ATE KEY")
_HOSTS = re.compile("|".join(re.escape(name + "." + end) for name, end in (
    ("deb.debian", "org"), ("pypi", "org"), ("files.pythonhosted", "org"), ("registry.npmjs", "org"),
    ("crates", "io"), ("proxy.golang", "org"), ("sum.golang", "org"), ("repo.maven.apache", "org"))))


def is_code(path):
    """Code has no suffix that names a data format: `dev` and `certs/make-ca` count, a golden answer does not."""
    return path.endswith(CODE) or (path.split("/")[0] in CODE_FOLDERS and "." not in path.rsplit("/", 1)[-1])


def check_lines(tree):
    for path in tree.files:
        count = tree.text(path).count("\n")
        if path.split("/")[0] in CODE_FOLDERS and is_code(path) and count > MAX_LINES:
            yield Finding(path, MAX_LINES + 1,
                          f"{count} lines, split the file: one job a file, {MAX_LINES} lines at most")


def check_folders(tree):
    """A folder has few files, because a reader who looks for one reads all of their names."""
    counts = collections.Counter(path.rpartition("/")[0] for path in tree.files
                                 if path.split("/")[0] in CODE_FOLDERS and is_code(path))
    for folder, count in sorted(counts.items()):
        if count > MAX_FILES:
            yield Finding(folder, 1, f"{count} files, divide the folder: {MAX_FILES} files at most")


_ENTRY = re.compile(r"WEIR_SCALER\(([a-z_]+)\)(?:\s*//.*)?")
CATALOG = "scalers/catalog.def"


def kinds(tree):
    """(line, kind) of the registry, in its order; empty when there is none."""
    if CATALOG not in tree.files:
        return []
    entries = ((number, _ENTRY.fullmatch(line)) for number, line in enumerate(tree.lines(CATALOG), 1))
    return [(number, match[1]) for number, match in entries if match]


def check_registry(tree):
    folders = sorted({f.split("/")[2] for f in tree.files
                      if f.startswith("scalers/backends/") and f.count("/") > 2 and f.endswith(".cpp")})
    if CATALOG not in tree.files:
        if folders:
            yield Finding(CATALOG, 1,
                          "is missing, write it with a line WEIR_SCALER(kind) for each kind of scalers/backends")
        return
    for number, line in enumerate(tree.lines(CATALOG), 1):
        if line.strip() and not line.startswith("//") and not _ENTRY.fullmatch(line):
            yield Finding(CATALOG, number, f"`{line}` is not a registry line, write WEIR_SCALER(kind)")
    registered = kinds(tree)
    for (_, before), (number, kind) in zip(registered, registered[1:]):
        if kind <= before:
            yield Finding(CATALOG, number,
                          f"`{kind}` comes after `{before}`, sort the lines and name each kind once")
    for number, kind in registered:
        if kind not in folders:
            yield Finding(CATALOG, number, f"`{kind}` has no folder scalers/backends/{kind}, write it or drop the line")
    for folder in folders:
        if folder not in [kind for _, kind in registered]:
            yield Finding(f"scalers/backends/{folder}", 1,
                          f"belongs to no registered kind, add WEIR_SCALER({folder}) to {CATALOG}")


def check_text(tree):
    for path in tree.files:
        clean = not path.startswith(AS_THEY_ARE)
        for number, line in enumerate(tree.lines(path), 1):
            if _KEY.search(line):
                yield Finding(path, number,
                              "a private key, delete it, replace it where it was used, and make keys with certs/")
            if host := _HOSTS.search(line):
                yield Finding(path, number,
                              f"{host.group()} is named, take packages from whatever the machine is set up with")
            if not clean or not (is_code(path) or path.endswith((".yaml", ".yml", ".md"))):
                continue
            if line != line.rstrip():
                yield Finding(path, number, "trailing blanks, delete them")
            if "\t" in line and is_code(path) and not path.endswith(TABS):
                yield Finding(path, number, "a tab, write spaces (\\t inside a literal)")
            if is_code(path) and (word := _TODO.search(line)):
                yield Finding(path, number, f"{word[1]} without an issue, write {word[1]}(#N) or do it")


def check_errc(tree):
    """A switch over Errc lists every code, so that the compiler finds the gap when one is added."""
    for path in tree.cpp():
        code = tree.code(path)
        for match in re.finditer(r"\bswitch\s*(?=\()", code):
            body = code.find("{", closing(code, match.end()))
            inside = code[body:closing(code, body)] if body > 0 else ""
            default = re.search(r"\bdefault\s*:", inside)
            if default and re.search(r"\bcase\s[\w:]*\bErrc::", inside):
                line = line_of(code, body + default.start())
                yield Finding(path, line,
                              "default in a switch over Errc, name every code so that the compiler finds a gap")
