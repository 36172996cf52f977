"""What a bench saw, as a dated file in bench/results: with commit, machine, command and the value before.

Of a commit that was rebased after it was measured, `became` says the one that holds the same change since; it is added by hand.
"""
import datetime
import json
import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench" / "results"


def load(folder=RESULTS):
    """Every recorded result, oldest first."""
    results = [json.loads(file.read_text()) for file in folder.glob("*.json")]
    return sorted(results, key=lambda result: (result["date"], result["bench"]))


def commit(root=ROOT):
    """The commit that was measured; with a + when files that are built had changes beyond it."""
    def git(*words):
        return subprocess.run(["git", "-C", root, *words], check=True, capture_output=True, text=True).stdout.strip()
    changes = git("status", "--porcelain", "--", ".", ":!bench/results")
    return git("rev-parse", "--short=12", "HEAD") + ("+" if changes else "")


def machine():
    cpu = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.M)
    system = re.search(r'^PRETTY_NAME="(.*)"$', Path("/etc/os-release").read_text(), re.M)
    return f"{os.cpu_count()} x {cpu[1] if cpu else 'unknown CPU'}, {system[1] if system else 'unknown system'}"


def compiler(build):
    """The compiler of a CMake build and its flags: "clang++-19 19.1.7, RelWithDebInfo"."""
    cache = (Path(build) / "CMakeCache.txt").read_text()
    path = re.search(r"^CMAKE_CXX_COMPILER:\w+=(.*)$", cache, re.M)[1]
    kind = re.search(r"^CMAKE_BUILD_TYPE:\w+=(.*)$", cache, re.M)
    version = subprocess.run([path, "-dumpversion"], check=True, capture_output=True, text=True).stdout.strip()
    return f"{Path(path).name} {version}, {(kind and kind[1]) or 'RelWithDebInfo'}"


def with_previous(rows, before):
    """The rows, each with the value that it had in the result `before`, if it was there."""
    previous = before["rows"] if before else {}
    return {name: row | ({"previous": {unit: previous[name][unit] for unit in row if unit in previous[name]}}
                         if name in previous else {}) for name, row in rows.items()}


def record(result, command, build, folder=RESULTS, now=None):
    """Writes the result of a bench; gives the file. The values before are of the same machine and compiler. `now` is in UTC."""
    now = now or datetime.datetime.now(datetime.timezone.utc)
    whole = {"bench": result["bench"], "about": result["about"], "date": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
             "commit": commit(), "machine": machine(), "compiler": compiler(build), "command": command,
             "units": result["units"]}
    alike = [result for result in load(folder) if all(result[key] == whole[key] for key in ("bench", "machine", "compiler"))]
    whole["rows"] = with_previous(result["rows"], alike[-1] if alike else None)
    file = folder / f"{now:%Y-%m-%d-%H%M%S}-{result['bench']}.json"
    with file.open("x") as out:
        out.write(json.dumps(whole, indent=1) + "\n")
    return file
