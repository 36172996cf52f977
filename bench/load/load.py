"""CPU per read, latency and memory of Weir beside nginx with the same bytes, over TLS; and of any other adapter.

Servers have processor 0 and the driver processor 1; rounds are interleaved and medians shown. Compare ratios of one run.
"""
import json
import statistics
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from driver import drive
from mixes import QUEUE, configuration, mixes
from nginx import Nginx
from server_process import cpu_seconds, memory_mib
from support import Prometheus, RabbitMQ, Redis, Weir, require
from support.weir import HPA_USER

PINNED = ("taskset", "--cpu-list", "0")
KEYS = 10_000


@dataclass
class Seen:
    """What the rounds of one mix on one server gave."""
    cpu_us: list = field(default_factory=list)
    reports: list = field(default_factory=list)
    questions: list = field(default_factory=list)  # to the backend, for each read

    def median(self, name):
        return statistics.median(report[name] for report in self.reports)

    def row(self):
        return {"cpu_us": round(statistics.median(self.cpu_us), 2),
                "reads_per_second": round(statistics.median(one["answers"] / one["seconds"] for one in self.reports)),
                **{name: round(self.median(name)) for name in ("p50_us", "p99_us", "p999_us")},
                "questions_per_read": round(statistics.median(self.questions), 4) if self.questions else None}


def one_round(seen, mix, seconds, pid, asked, **target):
    questions, spent = asked(), cpu_seconds(pid)
    report = drive(mix, seconds, **target)
    seen.cpu_us.append((cpu_seconds(pid) - spent) / report["answers"] * 1e6)
    seen.questions.append((asked() - questions) / report["answers"])
    seen.reports.append(report)


def measure(folder, weir, mix, rounds, seconds, asked):
    """{"weir": row, "nginx": row} of one mix."""
    pair = weir.certificates
    proof = {"cert": pair.crt("front-proxy-client"), "key": pair.key("front-proxy-client")}
    answer = weir.get(mix.paths[0], {"X-Remote-User": HPA_USER})
    if answer.status != 200:
        raise RuntimeError(f"{mix.name}: {answer.text}")
    seen = {"weir": Seen(), "nginx": Seen()}
    target = {"folder": folder, "ca": pair.crt("ca")}
    with Nginx(folder / "nginx", pair, answer.text.strip(), PINNED) as nginx:
        for _ in range(rounds):
            one_round(seen["weir"], mix, seconds, weir.process.pid, asked, port=weir.port, **target, **proof)
            one_round(seen["nginx"], mix, seconds, nginx.process.pid, lambda: 0, port=nginx.port, **target)
    return {name: one.row() for name, one in seen.items()}


def print_row(name, rows):
    for server, row in rows.items():
        ratio = row["cpu_us"] / rows["nginx"]["cpu_us"]
        print(f"{name:<18} {server:<6} {row['cpu_us']:>8.1f} {ratio:>6.2f} {row['reads_per_second']:>9} "
              f"{row['p50_us']:>7} {row['p99_us']:>7} {row['p999_us']:>8}   {row['questions_per_read']}", flush=True)


def run(rounds=5, seconds=2.0, names=(), out=None):
    """Prints the table; `out`: a file for the same as JSON."""
    require("taskset", "util-linux")
    with tempfile.TemporaryDirectory(prefix="weir-bench-") as name:
        folder = Path(name)
        with Redis(folder / "redis") as redis, RabbitMQ(folder / "rabbitmq") as broker, \
                Prometheus(folder / "prometheus") as prometheus:
            redis.fill(*(f"RPUSH k{number} x" for number in range(KEYS)))
            broker.declare(QUEUE)
            login = {}
            for key, text in (("username", broker.user), ("password", broker.password)):
                login[key] = str(folder / key)
                (folder / key).write_text(text)
            config = json.dumps(configuration(redis, broker, prometheus, login))
            weir = Weir(folder / "weir", config, launcher=PINNED)
            weir.start()
            try:
                rows = run_mixes(folder, weir, redis, rounds, seconds, names)
            finally:
                weir.stop()
    if out:
        Path(out).write_text(json.dumps(rows, indent=1) + "\n")


def run_mixes(folder, weir, redis, rounds, seconds, names):
    def asked():
        """The questions that Redis has answered."""
        stats = redis.ask("INFO", "commandstats").split("\r\n")
        return sum(int(line.split("calls=")[1].split(",")[0]) for line in stats if line.startswith("cmdstat_llen:"))

    print(f"after start: {' / '.join(f'{size:.1f}' for size in memory_mib(weir.process.pid))} MiB resident / anonymous")
    print(f"{'mix':<18} {'server':<6} {'CPU us':>8} {'ratio':>6} {'reads/s':>9} {'p50 us':>7} {'p99 us':>7} {'p99.9 us':>8}   "
          "questions a read")
    rows = {}
    for mix in mixes():
        if names and mix.name not in names:
            continue
        rows[mix.name] = measure(folder, weir, mix, rounds, seconds, asked)
        print_row(mix.name, rows[mix.name])
    print(f"at the end: {' / '.join(f'{size:.1f}' for size in memory_mib(weir.process.pid))} MiB resident / anonymous")
    return rows
