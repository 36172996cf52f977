"""The hot paths of a request: instructions (callgrind) and CPU time of one operation each."""
import datetime
import json
import subprocess
import tempfile

import counts

UNITS = {"instructions": "instructions an operation", "nanoseconds": "ns of CPU an operation, fastest of 15 rounds"}


def run():
    """Prints the table; the result is what bench/results.py records."""
    with tempfile.TemporaryDirectory(prefix="weir-bench-") as folder:
        program = counts.binary()
        instructions = counts.instructions(program, folder)
        times = counts.nanoseconds(program, folder)
    stated = counts.read_limits()["instructions"]
    print(f"{'path':<12}{'instructions':>14}{'limit':>12}{'CPU ns':>10}")
    for name, count in instructions.items():
        print(f"{name:<12}{count:>14,}{stated.get(name, 0):>12,}{times[name]:>10,}")
    rows = {name: {"instructions": count, "nanoseconds": times[name]} for name, count in instructions.items()}
    return {"bench": "paths", "about": __doc__.splitlines()[0], "units": UNITS, "rows": rows}


def state_limits(result, compiler):
    """Makes the counts of `result` the limits."""
    limits = counts.read_limits() | {
        "date": datetime.date.today().isoformat(), "compiler": compiler,
        "instructions": {name: row["instructions"] for name, row in result["rows"].items()}}
    counts.LIMITS.write_text(json.dumps(limits, indent=2) + "\n")


def profile(name, lines=110):
    """Prints where the instructions of one path go, callees included."""
    with tempfile.TemporaryDirectory(prefix="weir-bench-") as folder:
        counts.instructions(counts.binary(), folder, ("count", name))
        annotation = subprocess.run(["callgrind_annotate", "--inclusive=yes", "dump.1"], cwd=folder, check=True,
                                    capture_output=True, text=True)
    print("\n".join(annotation.stdout.splitlines()[:lines]))
