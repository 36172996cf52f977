"""Latency of discovery, read 500 times a second, while every backend hangs, and while all respond.

Beside it metrics of each kind of backend are read. In one phase a Redis answers them all; in the other their servers accept
and say nothing more, the AMQP one after the login. Phases take turns; medians of the rounds are shown, and how many of those
reads were answered, with a value or an error: fewer while they hang. The bench fails when a hung backend was not felt.
"""
import contextlib
import json
import statistics
import tempfile
from pathlib import Path

from driver import drive, drive_in_background
from isolation import hang, metric
from mixes import Mix
from support import GROUP, Redis, ScriptedServer, Weir, metric_path

PINNED = ("taskset", "--cpu-list", "0")
RATE = 500
READERS = 16  # connections, and metrics, of each kind
READER_RATE = 25
WARM_UP_SECONDS = 4  # a deadline and a half: queries hang everywhere
LIMIT_MS = 2
TIMES = {"p50": "ms, half of the answers", "p99": "ms, 99 % of the answers", "p999": "ms, 99.9 % of the answers"}
UNITS = TIMES | {"beside": "reads of the backends answered beside it, with any status, in a round"}
# Kind of backend: its block's name, its scheme, the setting of the metric's query.
KINDS = {"redis": ("redis", "redis", "key"), "amqp": ("rabbitmq", "amqp", "queue"),
         "management": ("rabbitmq", "http", "queue"), "prometheus": ("prometheus", "http", "query")}


def silent(connection):
    """Reads everything, and sends nothing."""
    while connection.recv(65536):
        pass


def config_of(folder, redis, servers):
    """Of each kind READERS metrics hung-KIND-N of its hung server, and as many healthy-KIND-N of the Redis."""
    for name in ("user", "password"):
        (folder / name).write_text(name)
    login = {"username": {"file": str(folder / "user")}, "password": {"file": str(folder / "password")}}
    backends, metrics = {"healthy": {"redis": {"url": redis.url}}}, []
    for name, (block, scheme, setting) in KINDS.items():
        target = {"url": f"{scheme}://127.0.0.1:{servers[name].port}", **(login if block == "rabbitmq" else {})}
        backends[name] = {block: target}
        for number in range(READERS):
            what = f"{name}_{number}"
            metrics.append(metric(f"hung-{name}-{number}", block, {"backend": name, setting: what}))
            metrics.append(metric(f"healthy-{name}-{number}", "redis", {"backend": "healthy", "key": what}))
    return json.dumps({"backends": backends, "metrics": metrics})


def one_round(folder, weir, phase, seconds):
    """(The driver's report, {kind of backend: its readers' report})."""
    pair = weir.certificates
    target = (weir.port, folder, pair.crt("ca"), pair.crt("front-proxy-client"), pair.key("front-proxy-client"))
    discovery = Mix("discovery", [GROUP], connections=4, rate=RATE)
    with contextlib.ExitStack() as stack:
        readers = {}
        for name in KINDS:
            paths = [metric_path("bench", f"{phase}-{name}-{number}") for number in range(READERS)]
            mix = Mix(f"{phase} {name}", paths, connections=READERS, rate=READER_RATE)
            readers[name] = stack.enter_context(drive_in_background(mix, WARM_UP_SECONDS + seconds, *target))
        drive(discovery, WARM_UP_SECONDS, *target)
        report = drive(discovery, seconds, *target)
    return report | {"beside": sum(reader["answers"] for reader in readers.values())}, readers


def check(phase, readers):
    for name, reader in readers.items():
        statuses = {int(status) for status in reader["statuses"]}
        is_right = statuses == {200} if phase == "healthy" else statuses & {503, 504} and 200 not in statuses
        if not is_right:
            raise RuntimeError(f"not what was to be measured: {name}, {phase}: answers were {sorted(statuses)}")


def run(rounds=5, seconds=5.0):
    reports = {"healthy": [], "hung": []}
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="weir-bench-")))
        redis = stack.enter_context(Redis(folder / "redis"))
        servers = {name: stack.enter_context(ScriptedServer(raw=hang if name == "amqp" else silent)) for name in KINDS}
        weir = stack.enter_context(Weir(folder / "weir", config_of(folder, redis, servers), launcher=PINNED))
        for _ in range(rounds):
            for phase in reports:
                report, readers = one_round(folder, weir, phase, seconds)
                check(phase, readers)
                reports[phase].append(report)
    print(f"{rounds} rounds of {seconds:g} s; beside them {len(KINDS)} backends are read for {WARM_UP_SECONDS + seconds:g} s")
    print(f"{'the backends':<20}{'p50 ms':>9}{'p99 ms':>9}{'p99.9 ms':>10}{'reads of them':>15}")
    rows = {}
    for phase, name in (("healthy", "all respond"), ("hung", "all hang")):
        row = {figure: round(statistics.median(report[f"{figure}_us"] for report in reports[phase]) / 1000, 3)
               for figure in TIMES}
        row["beside"] = round(statistics.median(report["beside"] for report in reports[phase]))
        print(f"{name:<20}{row['p50']:>9.3f}{row['p99']:>9.3f}{row['p999']:>10.3f}{row['beside']:>15}")
        rows[name] = row
    print(f"p99 while all hang {rows['all hang']['p99']:.2f} ms (target: at most {LIMIT_MS} ms)")
    return {"bench": "discovery", "about": __doc__.splitlines()[0], "units": UNITS, "rows": rows}
