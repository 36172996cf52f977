"""The two rules that ask a tool: clang-format-14 on every C++ file, clang-tidy-19 on every .cpp of the rooms."""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import tempfile

from tree import Finding, Tree, includes

FORMAT = "clang-format-14"
TIDY = "clang-tidy-19"
JOBS = 2


class Unusable(Exception):
    """The rule cannot run here; the text says what to install or build."""


def _tool(name):
    if not shutil.which(name):
        raise Unusable(f"{name} is not installed: ./dev setup")
    return name


def check_format(tree):
    files = tree.cpp()
    if not files:
        return
    run = subprocess.run([_tool(FORMAT), "--dry-run", "-Werror", "--ferror-limit=1", *files],
                         cwd=tree.root, capture_output=True, text=True)
    findings = re.findall(r"^([^:\n]+):(\d+):\d+: error: code should be clang-formatted", run.stderr, re.M)
    for path, line in findings:
        yield Finding(path, int(line), "not formatted, run ./dev format")
    if run.returncode and not findings:
        raise Unusable(f"{FORMAT}: {run.stderr.strip()[:400]}")


def commands(build_dir):
    """The compilation database as {absolute file: (directory, arguments)}, without launcher and precompiled header."""
    database = pathlib.Path(build_dir) / "compile_commands.json"
    if not database.is_file():
        raise Unusable(f"{database} does not exist: build first, or say --build-dir")
    entries = json.loads(database.read_text())
    return {os.path.normpath(os.path.join(e["directory"], e["file"])):
            (e["directory"], strip(e.get("arguments") or shlex.split(e["command"]))) for e in entries}


def strip(arguments):
    """The compile command without ccache, output, warnings and whatever CMake adds for a precompiled header.

    Tidy then also proves that a file includes what it uses instead of living off the precompiled header.
    """
    if os.path.basename(arguments[0]) in ("ccache", "sccache"):
        arguments = arguments[1:]
    flags, at = [], 0
    while at < len(arguments):
        flag, value = arguments[at], arguments[at + 1:at + 2]
        joined = [a for a in arguments[at:at + 4] if a != "-Xclang"]
        if flag == "-Xclang" and joined[0] in ("-include-pch", "-include"):
            at += 4  # -Xclang -include-pch -Xclang path
        elif flag == "-Xclang" and value == ["-fno-pch-timestamp"]:
            at += 2
        elif flag in ("-o", "-MF", "-MT", "-MQ") or (flag == "-include" and "cmake_pch" in "".join(value)):
            at += 2
        elif flag in ("-c", "-MD", "-MMD", "-Winvalid-pch",
                      "-fpch-instantiate-templates") or flag.startswith("-Werror"):
            at += 1
        else:
            flags.append(flag)
            at += 1
    return flags


def _sources(tree, path, visited):
    """`path` and every project file it includes, however deep."""
    if path in visited or not (tree.root / path).is_file():
        return
    visited.add(path)
    for _, name in includes(tree.text(path)):
        if not name.startswith("<"):
            _sources(tree, name, visited)
            _sources(tree, os.path.normpath(os.path.join(os.path.dirname(path), name)), visited)


def _without_comments(text):
    """`text` without the lines that are comments alone: tidy reads only NOLINT in them. A better comment in a header that
    a hundred files include would cost ten minutes otherwise. A text with NOLINT stays whole, because it counts lines."""
    if "NOLINT" in text:
        return text
    return "\n".join(line for line in text.split("\n") if not line.lstrip().startswith("//"))


def key(tree, path, arguments, version):
    """What a clean result depends on, but for the system's headers. The checkout's own folder is taken out, so that
    another clone of the same text finds the result."""
    digest = hashlib.sha256()
    here = [a.replace(str(tree.root), ".") for a in arguments]
    digest.update(json.dumps([version, here, (tree.root / ".clang-tidy").read_text()]).encode())
    sources = set()
    _sources(tree, path, sources)
    for source in sorted(sources):
        digest.update(f"\0{source}\0{_without_comments(tree.text(source))}".encode())
    return digest.hexdigest()


def cache_folder():
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return pathlib.Path(home) / "weir" / "tidy"


def _tidy(tree, path, database):
    run = subprocess.run([TIDY, "-p", database, "--quiet", str(tree.root / path)],
                         cwd=tree.root, capture_output=True, text=True)
    findings = set()
    for file, line, what in re.findall(r"^(/[^:\n]+):(\d+):\d+: (?:warning|error): (.*)$", run.stdout, re.M):
        relative = os.path.relpath(os.path.normpath(file), tree.root)
        findings.add(Finding(relative, int(line), what.replace(",-warnings-as-errors", "")))
    if run.returncode and not findings:
        findings.add(Finding(path, 1, f"{TIDY} failed: {(run.stderr or run.stdout).strip()[-300:]}"))
    return findings


def check_tidy(tree, build_dir, say=lambda text: None):
    sources = tree.in_rooms((".cpp",))
    if not sources:
        return
    version = subprocess.run([_tool(TIDY), "--version"], capture_output=True, text=True).stdout
    command_of = commands(build_dir)
    todo, clean = {}, 0
    folder = cache_folder()
    for path in sources:
        command = command_of.get(str(tree.root / path))
        if command is None:
            yield Finding(path, 1, f"not in {build_dir}/compile_commands.json, run cmake again or register the file")
            continue
        name = folder / key(tree, path, command[1], version)
        if name.exists():
            clean += 1
        else:
            todo[path] = (name, command)
    say(f"tidy: {clean} of {len(sources)} files cached as clean, checking {len(todo)}")

    findings = set()
    with tempfile.TemporaryDirectory() as database, concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        entries = [{"directory": directory, "file": str(tree.root / path), "arguments": arguments}
                   for path, (_, (directory, arguments)) in todo.items()]
        (pathlib.Path(database) / "compile_commands.json").write_text(json.dumps(entries))
        runs = {pool.submit(_tidy, tree, path, database): path for path in todo}
        for run in concurrent.futures.as_completed(runs):
            path = runs[run]
            name, (_, arguments) = todo[path]
            # Remember only what did not change while tidy read it.
            if not run.result() and name.name == key(Tree(tree.root, tree.files), path, arguments, version):
                folder.mkdir(parents=True, exist_ok=True)
                name.touch()
            findings |= run.result()
    yield from findings
