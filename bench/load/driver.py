"""Runs weir_load: one mix on one server, for some seconds, alone or beside what else is done. Each read has the headers of
callers.py."""
import contextlib
import json
import os
import subprocess
from pathlib import Path

import callers

ROOT = Path(__file__).resolve().parents[2]
PROCESSOR = "1"


def binary():
    return os.environ.get("WEIR_LOAD") or ROOT / "build" / "release" / "bench" / "weir_load"


def _command(mix, seconds, port, folder, ca, cert=None, key=None, headers=callers.LINES, host="localhost",
             address="127.0.0.1"):
    paths = Path(folder) / f"paths of {mix.name}"
    paths.write_text("\n".join(mix.paths) + "\n")
    argv = ["taskset", "--cpu-list", PROCESSOR, binary(), "--address", address, "--port", port, "--host", host,
            "--ca", ca, "--paths", paths, "--seconds", seconds, "--connections", mix.connections, "--rate", mix.rate]
    if cert:
        argv += ["--cert", cert, "--key", key]
    if mix.reconnects:
        argv.append("--reconnect")
    for header in headers:
        argv += ["--header", header]
    return [str(word) for word in argv]


def start_driver(mix, seconds, *target, **options):
    return subprocess.Popen(_command(mix, seconds, *target, **options), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)


def _report(driver, seconds):
    try:
        out, problem = driver.communicate(timeout=seconds + 120)
    finally:
        driver.kill()
    if driver.returncode != 0:
        raise RuntimeError(problem.strip())
    return json.loads(out)


def drive(mix, seconds, *target, **options):
    """The driver's report. RuntimeError when it failed, or when any answer was none of 200."""
    report = _report(start_driver(mix, seconds, *target, **options), seconds)
    if set(report["statuses"]) != {"200"}:
        raise RuntimeError(f"{mix.name}: answers were {report['statuses']}")
    return report


@contextlib.contextmanager
def drive_in_background(mix, seconds, *target, **options):
    """Drives while the block lasts, at least for `seconds`; what is yielded has the report afterwards, of any statuses."""
    report = {}
    driver = start_driver(mix, seconds, *target, **options)
    try:
        yield report
        report.update(_report(driver, seconds))
    finally:
        driver.kill()
        driver.wait()
