"""The hot paths of Weir's AMQP and Redis clients beside the bare libraries: starts the servers for weir_bench_clients.

CPU is that of the client process. Pipelined is compared with one by one: so many times the queries per CPU second.
"""
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test"))
from support import RabbitMQ, Redis  # noqa: E402

QUEUES = 100
LENGTH = 42  # what weir_bench_clients expects of the list
LIMIT_OF_REDIS = 8
UNITS = {"cpu_us": "us of CPU, a query", "elapsed_us": "us elapsed, a query",
         "times": "times the queries per CPU second of one by one"}
ROW = re.compile(r"^(\S.*?)  +([\d.]+) +[\d.]+ +([\d.]+)$", re.M)
ONE_BY_ONE = "one by one"


def run_half(binary, *words):
    """Runs one half of weir_bench_clients, and shows its table; {row: figures}."""
    table = subprocess.run([str(word) for word in (binary, *words)], check=True, stdout=subprocess.PIPE, text=True).stdout
    print(table, end="", flush=True)
    rows = {name: {"cpu_us": float(cpu), "elapsed_us": float(elapsed)} for name, cpu, elapsed in ROW.findall(table)}
    for name, row in rows.items():
        what, is_pipelined, _ = name.partition(" in flight")
        single = rows.get(f"{what.rpartition(', ')[0]}, {ONE_BY_ONE}")
        if is_pipelined and single:
            row["times"] = round(single["cpu_us"] / row["cpu_us"], 1)
            print(f"{name} / {ONE_BY_ONE}: {row['times']:.1f} times the queries per CPU second")
    return rows


def run():
    binary = os.environ.get("WEIR_BENCH_CLIENTS") or ROOT / "build" / "release" / "bench" / "weir_bench_clients"
    with tempfile.TemporaryDirectory(prefix="weir-bench-") as name:
        folder = Path(name)
        with Redis(folder / "redis") as redis:
            redis.command("RPUSH", "bench", *range(LENGTH))
            rows = run_half(binary, "redis", redis.port)
            print(f"(target, of Weir with 100 in flight: at least {LIMIT_OF_REDIS} times)")
        with RabbitMQ(folder / "rabbitmq") as broker:
            for number in range(QUEUES):
                broker.declare(f"bench-{number}")
            login = {"username": broker.user, "password": broker.password}
            for key, text in login.items():
                (folder / key).write_text(text)
            rows |= run_half(binary, "rabbitmq", broker.port, *(folder / key for key in login))
    return {"bench": "clients", "about": __doc__.splitlines()[0], "units": UNITS, "rows": rows}
