"""Instructions that `weir serve` spends on a request in a cluster's set-up, TLS included, by kind of request.

Counted by callgrind in the process: the kernel's are not among them. The answers of the access reviews are kept, as those
of the metrics are. $WEIR_BIN names another binary than the release build's.
"""
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "test"), str(ROOT / "bench" / "micro")]
import counts  # noqa: E402
from callers import CACHED_REVIEWS, JSON, PROTOBUF, read  # noqa: E402
from support import GROUP, KubeApiserver, Redis, Weir, metric_path, weir_binary  # noqa: E402

UNITS = {"instructions": "instructions of the process a request, TLS included"}
WARM_UPS = 20
REQUESTS = {"health": ("/livez", JSON), "discovery": (GROUP, JSON),
            "cached read": (metric_path("bench", "plain"), JSON),
            "cached read, selector": (metric_path("bench", "labelled", "queue=list"), JSON),
            "cached read, protobuf": (metric_path("bench", "plain"), PROTOBUF)}


def config(redis):
    cached = {"namespaces": ["bench"], "freshness": "1h"}
    return json.dumps({"backends": {"cache": {"redis": {"url": redis.url}}}, "metrics": [
        {"name": "plain", **cached, "redis": {"backend": "cache", "key": "list"}},
        {"name": "labelled", **cached, "redis": {"backend": "cache", "key": "$(queue)"}, "labels": {"queue": "[a-z]+"}}]})


def read_repeatedly(connection, path, accept, times):
    for _ in range(times):
        read(connection, path, accept)


def control(weir, *words):
    subprocess.run(["callgrind_control", *words, str(weir.process.pid)], check=True, capture_output=True)


def measure(weir, folder, requests):
    """{kind of request: instructions a request}, each on one persistent connection."""
    out = {}
    with contextlib.closing(weir.connection(seconds=60)) as connection:
        for number, (name, (path, accept)) in enumerate(REQUESTS.items(), 1):
            read_repeatedly(connection, path, accept, WARM_UPS)
            control(weir, "-i", "on")
            read_repeatedly(connection, path, accept, WARM_UPS)
            control(weir, "-z")
            read_repeatedly(connection, path, accept, requests)
            control(weir, "-d")
            control(weir, "-i", "off")
            total = re.search(r"^totals: (\d+)$", (folder / f"dump.{number}").read_text(errors="replace"), re.M)
            out[name] = round(int(total[1]) / requests)
    return out


@contextlib.contextmanager
def under_callgrind(folder):
    """Weir in its cluster. Its debug information is left out: Debian 12's valgrind stops at clang 19's."""
    if not shutil.which("valgrind"):
        raise counts.NotMeasured("valgrind is not installed: run ./dev setup")
    before = os.environ.get("WEIR_BIN")
    subprocess.run(["objcopy", "--strip-debug", weir_binary(), folder / "weir"], check=True)
    launcher = ["valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={folder / 'dump'}", "--"]
    os.environ["WEIR_BIN"] = str(folder / "weir")
    try:
        with Redis(folder / "redis") as redis, contextlib.ExitStack() as stack:
            redis.command("RPUSH", "list", *range(42))
            kube = KubeApiserver().start()
            stack.callback(kube.stop)
            weir = Weir(folder / "serve", config(redis), kubeconfig=kube.kubeconfig(folder), launcher=launcher,
                        flags=CACHED_REVIEWS)
            yield stack.enter_context(weir)
    finally:
        os.environ.pop("WEIR_BIN")
        if before:
            os.environ["WEIR_BIN"] = before


def run(requests=300):
    """Prints the table; the result is what bench/results.py records."""
    with tempfile.TemporaryDirectory(prefix="weir-bench-") as name, under_callgrind(Path(name)) as weir:
        measured = measure(weir, Path(name), requests)
    print(f"{'request':<24}{'instructions':>14}")
    for kind, count in measured.items():
        print(f"{kind:<24}{count:>14,}")
    return {"bench": "process", "about": __doc__.splitlines()[0], "units": UNITS,
            "rows": {kind: {"instructions": count} for kind, count in measured.items()}}
