"""Runs weir_load: one mix on one server, for some seconds."""
import json
import os
import subprocess
from pathlib import Path

from support.weir import HPA_USER

ROOT = Path(__file__).resolve().parents[2]
PROCESSOR = "1"


def binary():
    return os.environ.get("WEIR_LOAD") or ROOT / "build" / "release" / "bench" / "weir_load"


def drive(mix, seconds, port, folder, ca, cert=None, key=None, headers=(f"X-Remote-User: {HPA_USER}",), host="localhost",
          address="127.0.0.1"):
    """The driver's report. RuntimeError when it failed, or when any answer was none of 200."""
    paths = Path(folder) / "paths"
    paths.write_text("\n".join(mix.paths) + "\n")
    argv = ["taskset", "--cpu-list", PROCESSOR, binary(), "--address", address, "--port", port, "--host", host,
            "--ca", ca, "--paths", paths, "--seconds", seconds, "--connections", mix.connections, "--rate", mix.rate]
    if cert:
        argv += ["--cert", cert, "--key", key]
    if mix.reconnects:
        argv.append("--reconnect")
    for header in headers:
        argv += ["--header", header]
    run = subprocess.run([str(word) for word in argv], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                         timeout=seconds + 120)
    if run.returncode != 0:
        raise RuntimeError(run.stderr.strip())
    report = json.loads(run.stdout)
    if set(report["statuses"]) != {"200"}:
        raise RuntimeError(f"{mix.name}: answers were {report['statuses']}")
    return report
