"""CPU of RabbitMQ when Weir queries the length of each of 10,000 queues once in 15 s, at an even pace.

Windows of 15 s, in turn: no queries; all queues are queried once; as many queries of 100 queues. The added cost is the
difference to the first window. A queue without a query for a second hibernates, so the second window wakes 10,000 queues and
the third none. The broker is Debian's with its usual statistics interval, 5 s, on both processors; Weir has 0, the driver 1.
"""
import json
import statistics
import tempfile
import time
from pathlib import Path

from driver import drive
from mixes import NAMESPACE, Mix
from server_process import cpu_seconds
from support import RabbitMQ, Weir, metric_path
from telemetry import query_count

QUEUES = 10_000
WINDOW_SECONDS = 15
DECLARED_AT_ONCE = 500
LIMIT_PERCENT = 4
UNITS = {"broker": "% of one core, RabbitMQ with all its processes", "weir": "% of one core, weir serve"}
LOGIN = ("username", "password")
PINNED = ("taskset", "--cpu-list", "0")
IDLE = "no queries"
QUERIED = {"10,000 queues queried": QUEUES, "100 queues queried": 100}


def added_cost(row):
    return f"{row}: added"


def name_of(queue):
    return f"q{queue:05}"


def declare(broker):
    """All queues: classic ones, durable and empty."""
    for first in range(0, QUEUES, DECLARED_AT_ONCE):
        broker.call("POST", "/api/definitions", {"queues": [
            {"name": name_of(queue), "vhost": "/", "durable": True, "auto_delete": False, "arguments": {}}
            for queue in range(first, min(first + DECLARED_AT_ONCE, QUEUES))]})


def configuration(folder, broker):
    for key, text in zip(LOGIN, (broker.user, broker.password)):
        (folder / key).write_text(text)
    login = {key: {"file": str(folder / key)} for key in LOGIN}
    return json.dumps({
        "backends": {"broker": {"rabbitmq": {"url": broker.url, **login}}},
        # Fresh for so short a time that each read is a query.
        "metrics": [{"name": "queue", "namespaces": [NAMESPACE], "freshness": "1ms", "labels": {"queue": "q[0-9]+"},
                     "rabbitmq": {"backend": "broker", "queue": "$(queue)"}}]})


def query_queues(folder, weir, queues):
    """QUEUES queries of so many queues, in turn. RuntimeError when there were fewer."""
    before = query_count(weir)
    paths = [metric_path(NAMESPACE, "queue", f"queue={name_of(queue)}") for queue in range(queues)]
    pair = weir.certificates
    mix = Mix(f"{queues} queues", paths, connections=25, rate=QUEUES / WINDOW_SECONDS)
    report = drive(mix, WINDOW_SECONDS, weir.port, folder, pair.crt("ca"), pair.crt("front-proxy-client"),
                   pair.key("front-proxy-client"))
    queries = query_count(weir) - before
    if queries < 0.99 * QUEUES:
        raise RuntimeError(f"{queries:.0f} queries for {report['answers']} answers, not {QUEUES}: is the machine busy?")


def window(broker, weir, act):
    """% of a core that {broker, weir} took while `act` lasted."""
    pids = {"broker": broker.process.pid, "weir": weir.process.pid}
    before, began = {name: cpu_seconds(pid) for name, pid in pids.items()}, time.monotonic()
    act()
    took = time.monotonic() - began
    return {name: 100 * (cpu_seconds(pid) - before[name]) / took for name, pid in pids.items()}


def measure(folder, broker, weir, rounds):
    """{row: {process: % of a core}}, the medians; the cost of each way of querying is the median of the differences."""
    samples = {row: [] for row in (IDLE, *QUERIED, *map(added_cost, QUERIED))}
    for _ in range(rounds):
        idle = window(broker, weir, lambda: time.sleep(WINDOW_SECONDS))
        samples[IDLE].append(idle)
        for row, queues in QUERIED.items():
            shares = window(broker, weir, lambda: query_queues(folder, weir, queues))
            samples[row].append(shares)
            samples[added_cost(row)].append({name: shares[name] - idle[name] for name in UNITS})
    return {row: {name: round(statistics.median(shares[name] for shares in shares_of_row), 2) for name in UNITS}
            for row, shares_of_row in samples.items()}


def run(rounds=5):
    with tempfile.TemporaryDirectory(prefix="weir-bench-") as name:
        folder = Path(name)
        with RabbitMQ(folder / "rabbitmq", statistics_seconds=5) as broker:
            declare(broker)
            with Weir(folder / "weir", configuration(folder, broker), launcher=PINNED) as weir:
                query_queues(folder, weir, QUEUES)  # not counted: the connection comes up, and queues wake for the first time
                rows = measure(folder, broker, weir, rounds)
    print(f"{'% of one core':<28}{'broker':>8}{'weir':>8}{'broker, us a query':>24}")
    for row, shares in rows.items():
        each = f"{shares['broker'] / 100 * WINDOW_SECONDS / QUEUES * 1e6:.0f}" if row in map(added_cost, QUERIED) else ""
        print(f"{row:<28}{shares['broker']:>8.2f}{shares['weir']:>8.2f}{each:>24}")
    everything, *_ = QUERIED
    print(f"queries add {rows[added_cost(everything)]['broker']:.2f} % of a core to {rows[IDLE]['broker']:.2f} %, which makes "
          f"{rows[everything]['broker']:.2f} % (target: at most {LIMIT_PERCENT} %)")
    return {"bench": "broker", "about": __doc__.splitlines()[0], "units": UNITS, "rows": rows}
