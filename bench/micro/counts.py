"""Instructions and CPU time of the hot paths, and the limits that the instructions are held to.

Instructions come from callgrind, which counts those of the operation alone: warm-up, set-up and servers are left out.
They repeat to 0.3 % whatever else the machine does, so a limit can be close; times can not.
"""
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIMITS = Path(__file__).with_name("limits.json")
SECONDS = 120  # where 3 are usual: the machine may be busy


class NotMeasured(Exception):
    """There are no counts; the text says what to do."""


def binary():
    """weir_bench_paths of $WEIR_BUILD, or of the release build."""
    path = Path(os.environ.get("WEIR_BUILD") or ROOT / "build" / "release") / "bench" / "weir_bench_paths"
    if not os.access(path, os.X_OK):
        raise NotMeasured(f"{path} is not there: run ./dev bench, or set WEIR_BUILD")
    return path


def _run(command, folder):
    # Nothing of the caller's environment: its size moves the stack, and with it a few instructions.
    return subprocess.run(command, cwd=folder, env={"LC_ALL": "C"}, capture_output=True, text=True, timeout=SECONDS)


def instructions(program, folder, words=("count",)):
    """{path: instructions an operation}. The dumps, for callgrind_annotate, are left in `folder`."""
    valgrind = shutil.which("valgrind")
    if not valgrind:
        raise NotMeasured("valgrind is not installed: run ./dev setup")
    run = _run([valgrind, "--tool=callgrind", "--instr-atstart=no", "--callgrind-out-file=dump", program, *words], folder)
    if run.returncode or not run.stdout.strip().isdigit():
        raise NotMeasured(f"{Path(program).name} under callgrind: exit code {run.returncode}: {run.stderr[-800:]}")
    return per_operation(Path(folder), int(run.stdout))


def per_operation(folder, operations):
    """What the dumps in `folder` say, each of `operations` operations."""
    out = {}
    for dump in sorted(folder.glob("dump.*"), key=lambda file: int(file.suffix[1:])):
        text = dump.read_text(errors="replace")
        name = re.search(r"^desc: Trigger: Client Request: (\w+)$", text, re.M)
        total = re.search(r"^totals: (\d+)$", text, re.M)
        if not name or not total:
            raise NotMeasured(f"{dump.name} is not a dump of a path: is this another version of valgrind?")
        out[name[1]] = round(int(total[1]) / operations)
    return out


def nanoseconds(program, folder):
    """{path: nanoseconds of CPU an operation}, of the fastest round."""
    run = _run([program], folder)
    if run.returncode:
        raise NotMeasured(f"{Path(program).name}: exit code {run.returncode}: {run.stderr[-800:]}")
    return {name: int(value) for name, value in (line.split() for line in run.stdout.splitlines())}


def read_limits():
    return json.loads(LIMITS.read_text())


def faults(counts, limits):
    """What is wrong with the counts: a text for each path, which says what to do. Empty: nothing."""
    stated, margin = limits["instructions"], limits["margin_percent"]
    out = []
    for name in [*stated, *(name for name in counts if name not in stated)]:
        if name not in counts:
            out.append(f"{name}: {LIMITS.name} has a limit and weir_bench_paths no such path; remove the limit")
        elif name not in stated:
            out.append(f"{name}: {counts[name]:,} instructions an operation and no limit; state one: ./dev bench paths "
                       "--limits")
        elif counts[name] > stated[name] * (1 + margin / 100):
            increase = (counts[name] / stated[name] - 1) * 100
            out.append(
                f"{name}: {counts[name]:,} instructions an operation, {increase:.1f} % above the limit of {stated[name]:,} "
                f"(margin {margin} %; stated {limits['date']} for {limits['compiler']}). Look for what costs more: "
                f"./dev bench paths --profile {name}, on this commit and on the one before. If it is worth it, state the "
                "new limit (./dev bench paths --limits) and say why in the commit")
    return out
