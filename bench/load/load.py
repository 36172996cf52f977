"""CPU per read, latency and memory of Weir beside nginx with the same bytes, over TLS; and of any other adapter.

Servers have processor 0 and the driver processor 1; rounds are interleaved and medians shown. Compare ratios of one run.
"""
import json
import statistics
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path

from driver import drive
from mixes import QUEUE, configuration, mixes
from nginx import Nginx
from server_process import cpu_seconds, memory_mib
from support import Prometheus, RabbitMQ, Redis, Weir, require
from support.weir import HPA_USER

PINNED = ("taskset", "--cpu-list", "0")
KEYS = 10_000
# asked: the backend's questions, for each read.
FIGURES = ("cpu_us", "reads_per_second", "p50_us", "p99_us", "p999_us", "questions_per_read")


@dataclass
class Server:
    """One of those that a mix is put on, and what its rounds gave. `path`: its own one, in place of the mix's."""
    name: str
    pid: int  # None: elsewhere, its CPU time is not known
    target: dict  # of drive()
    asked: object = lambda: 0  # how many questions its backend was asked so far
    path: str = None
    reports: list = field(default_factory=list)

    def one_round(self, mix, seconds):
        questions, spent = self.asked(), self._spent()
        report = drive(replace(mix, paths=[self.path]) if self.path else mix, seconds, **self.target)
        report["cpu_us"] = (self._spent() - spent) / report["answers"] * 1e6
        report["questions_per_read"] = (self.asked() - questions) / report["answers"]
        report["reads_per_second"] = report["answers"] / report["seconds"]
        self.reports.append(report)

    def row(self):
        """The median of each figure."""
        return {name: round(statistics.median(report[name] for report in self.reports), 4) for name in FIGURES}

    def _spent(self):
        return cpu_seconds(self.pid) if self.pid else 0


def measure(folder, weir, mix, peers, rounds, seconds, asked):
    """{server: row} of one mix: Weir, nginx with Weir's answer, and for one hot key the peers."""
    pair = weir.certificates
    usual = {"folder": folder, "ca": pair.crt("ca")}
    proof = {"cert": pair.crt("front-proxy-client"), "key": pair.key("front-proxy-client")}
    answer = weir.get(mix.paths[0], {"X-Remote-User": HPA_USER})
    if answer.status != 200:
        raise RuntimeError(f"{mix.name}: {answer.text}")
    with Nginx(folder / "nginx", pair, answer.text.strip(), PINNED) as nginx:
        servers = [Server("weir", weir.process.pid, {"port": weir.port, **usual, **proof}, asked),
                   Server("nginx", nginx.process.pid, {"port": nginx.port, **usual})]
        servers += [Server(peer.name, peer.pid, {"folder": folder, "port": peer.port, "ca": peer.ca, "cert": peer.cert,
                                                 "key": peer.key, "host": peer.host, "address": peer.address}, path=peer.path)
                    for peer in peers if mix.is_for_peers]
        for _ in range(rounds):
            for server in servers:
                server.one_round(mix, seconds)
    return {server.name: server.row() for server in servers}


def print_row(name, rows):
    for server, row in rows.items():
        ratio = row["cpu_us"] / rows["nginx"]["cpu_us"]
        print(f"{name:<18} {server:<8} {row['cpu_us']:>8.1f} {ratio:>6.2f} {row['reads_per_second']:>8.0f} "
              f"{row['p50_us']:>7.0f} {row['p99_us']:>7.0f} {row['p999_us']:>8.0f} {row['questions_per_read']:>9.4f}", flush=True)


def run(rounds=5, seconds=2.0, names=(), peers=(), out=None):
    """Prints the table. names: of mixes, none: all. peers: those of peers.py. out: a file for the same as JSON."""
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
                rows = run_mixes(folder, weir, redis, peers, rounds, seconds, names)
            finally:
                weir.stop()
    if out:
        Path(out).write_text(json.dumps(rows, indent=1) + "\n")


def run_mixes(folder, weir, redis, peers, rounds, seconds, names):
    def asked():
        """The questions that Redis has answered."""
        stats = redis.ask("INFO", "commandstats").split("\r\n")
        return sum(int(line.split("calls=")[1].split(",")[0]) for line in stats if line.startswith("cmdstat_llen:"))

    print(f"after start: {' / '.join(f'{size:.1f}' for size in memory_mib(weir.process.pid))} MiB resident / anonymous")
    print(f"{'mix':<18} {'server':<8} {'CPU us':>8} {'ratio':>6} {'reads/s':>8} {'p50 us':>7} {'p99 us':>7} {'p99.9 us':>8} "
          f"{'asked':>9}")
    rows = {}
    for mix in mixes():
        if names and mix.name not in names:
            continue
        rows[mix.name] = measure(folder, weir, mix, peers, rounds, seconds, asked)
        print_row(mix.name, rows[mix.name])
    print(f"at the end: {' / '.join(f'{size:.1f}' for size in memory_mib(weir.process.pid))} MiB resident / anonymous")
    return rows
