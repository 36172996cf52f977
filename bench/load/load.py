"""CPU per read, latency and memory of Weir beside nginx with the same bytes, over TLS; and of any other adapter.

Everything is on: Weir has a kube-apiserver (a stub), which it asks whether the caller may read, and keeps what it hears for
an hour; the bench fails when it asks again. All servers get the headers that a kube-apiserver sends for the HPA controller
(callers.py), with kubectl's Accept, as nginx's canned answer is JSON.

Servers have processor 0 and the driver processor 1; rounds are interleaved and medians shown. Compare ratios of one run.
Where a mix says how long answers are kept, its rounds are whole multiples of that. For as long before each, uncounted, its
paths are asked once each at an even pace: they then fall due evenly, not all at once, so that what is counted knows no steps.
The asked mixes are also held against the cached read. Their backends run on both processors, beside Weir and the driver.
"""
import contextlib
import json
import statistics
import tempfile
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from callers import KEPT_REVIEWS, ask
from driver import drive
from mixes import QUEUES, configuration, mixes
from nginx import Nginx
from server_process import cpu_seconds, memory_mib
from support import KubeApiserver, Prometheus, RabbitMQ, Redis, Weir, require
from telemetry import questions

PINNED = ("taskset", "--cpu-list", "0")
KEYS = 10_000
CACHED = "1,000 keys"  # the mix that the asked ones are held against
LIMIT_OF_DUE = 1.01
LEAST_ASKED = 0.95  # of the reads that are to be questions; two of one key at once are one
UNITS = {"cpu_us": "us of CPU of the server, a read", "times_nginx": "times the CPU of nginx, a read",
         "reads_per_second": "reads a second", "p50_us": "us, half of the reads", "p99_us": "us, 99 % of the reads",
         "p999_us": "us, 99.9 % of the reads", "questions_per_read": "questions to backends, a read",
         "questions_of_due": "questions to backends, of distinct questions / freshness",
         "times_cached": f"times the CPU of a cached read of {CACHED}", "above_cached_us": "us of CPU above that cached read"}


@dataclass
class Server:
    """One of those that a mix is put on, and what its rounds gave. `path`: its own one, in place of the mix's."""
    name: str
    pid: int  # None: elsewhere, its CPU time is not known
    target: dict  # of drive()
    asked: object = None  # gives how many questions backends have answered it so far; None: not counted
    path: str = None
    reports: list = field(default_factory=list)

    def one_round(self, mix, seconds):
        mix = replace(mix, paths=[self.path]) if self.path else mix
        if self.asked and mix.freshness_seconds:
            drive(replace(mix, rate=len(mix.paths) / mix.freshness_seconds), mix.freshness_seconds, **self.target)
        asked, spent = self.asked and self.asked(), self._cpu_seconds()
        report = drive(mix, seconds, **self.target)
        report["cpu_us"] = (self._cpu_seconds() - spent) / report["answers"] * 1e6
        report["reads_per_second"] = report["answers"] / report["seconds"]
        if self.asked:
            asked = self.asked() - asked
            report["questions_per_read"] = asked / report["answers"]
            if mix.freshness_seconds:
                report["questions_of_due"] = asked / (len(mix.paths) * seconds / mix.freshness_seconds)
            if mix.is_asked and report["questions_per_read"] < LEAST_ASKED:
                raise RuntimeError(f"{mix.name}: {asked:.0f} questions for {report['answers']} reads, each was to be one")
        self.reports.append(report)

    def row(self):
        """The median of each figure."""
        return {name: round(statistics.median(report[name] for report in self.reports), 4)
                for name in UNITS if name in self.reports[0]}

    def _cpu_seconds(self):
        return cpu_seconds(self.pid) if self.pid else 0


def measure(folder, weir, mix, peers, rounds, seconds):
    """{server: row} of one mix: Weir, nginx with Weir's answer, and for one hot key the peers."""
    pair = weir.certificates
    usual = {"folder": folder, "ca": pair.crt("ca")}
    proof = {"cert": pair.crt("front-proxy-client"), "key": pair.key("front-proxy-client")}
    with contextlib.closing(weir.connection()) as connection:
        answer = ask(connection, mix.paths[0]).decode()
    with Nginx(folder / "nginx", pair, answer.strip(), PINNED) as nginx:
        servers = [Server("weir", weir.process.pid, {"port": weir.port, **usual, **proof}, partial(questions, weir)),
                   Server("nginx", nginx.process.pid, {"port": nginx.port, **usual, **proof})]
        servers += [Server(peer.name, peer.pid, {"folder": folder, "port": peer.port, "ca": peer.ca, "cert": peer.cert,
                                                 "key": peer.key, "host": peer.host, "address": peer.address}, path=peer.path)
                    for peer in peers if mix.is_for_peers]
        for _ in range(rounds):
            for server in servers:
                server.one_round(mix, mix.seconds or seconds)
    rows = {server.name: server.row() for server in servers}
    return {name: row | ({"times_nginx": round(row["cpu_us"] / rows["nginx"]["cpu_us"], 3)} if name != "nginx" else {})
            for name, row in rows.items()}


def beside_cached(row, cached):
    return {"times_cached": round(row["cpu_us"] / cached["cpu_us"], 3),
            "above_cached_us": round(row["cpu_us"] - cached["cpu_us"], 4)}


def print_row(name, rows):
    for server, row in rows.items():
        asked = f"{row['questions_per_read']:.4f}" if "questions_per_read" in row else "-"
        print(f"{name:<18} {server:<8} {row['cpu_us']:>8.1f} {row.get('times_nginx', 1):>6.2f} {row['reads_per_second']:>8.0f} "
              f"{row['p50_us']:>7.0f} {row['p99_us']:>7.0f} {row['p999_us']:>8.0f} {asked:>9}", flush=True)
        if "questions_of_due" in row:
            print(f"{'':<18} {server:<8} asked {row['questions_of_due']:.3f} times distinct questions / freshness "
                  f"(target: at most {LIMIT_OF_DUE})", flush=True)
        if "times_cached" in row:
            print(f"{'':<18} {server:<8} {row['times_cached']:.2f} times the CPU of {CACHED}, {row['above_cached_us']:.1f} us "
                  "above it", flush=True)


def check_reviews(kube):
    """RuntimeError when there was no access review, or the same one twice."""
    asked, distinct = len(kube.access_reviews), len({json.dumps(spec, sort_keys=True) for spec in kube.access_reviews})
    print(f"reviews of access: {asked}, of {distinct} different ones")
    if kube.mistakes or not 0 < asked == distinct:
        raise RuntimeError(f"access reviews were not kept, or not asked for: {asked}, {distinct} different; {kube.mistakes}")


def run(rounds=5, seconds=2.0, names=(), peers=(), out=None):
    """Prints the table; the result is what bench/results.py records. names: of mixes, none: all. peers: those of peers.py.
    out: a file for the same as JSON."""
    require("taskset", "util-linux")
    with tempfile.TemporaryDirectory(prefix="weir-bench-") as name:
        folder = Path(name)
        with Redis(folder / "redis") as redis, RabbitMQ(folder / "rabbitmq") as broker, \
                Prometheus(folder / "prometheus") as prometheus, KubeApiserver() as kube:
            redis.fill(*(f"RPUSH k{number} x" for number in range(KEYS)))
            for number in range(QUEUES):
                broker.declare(f"k{number}")
            login = {}
            for key, text in (("username", broker.user), ("password", broker.password)):
                login[key] = str(folder / key)
                (folder / key).write_text(text)
            config = json.dumps(configuration(redis, broker, prometheus, login))
            with Weir(folder / "weir", config, kubeconfig=kube.kubeconfig(folder), flags=KEPT_REVIEWS, launcher=PINNED) as weir:
                rows = run_mixes(folder, weir, peers, rounds, seconds, names)
            check_reviews(kube)
    if out:
        Path(out).write_text(json.dumps(rows, indent=1) + "\n")
    return {"bench": "load", "about": __doc__.splitlines()[0], "units": UNITS,
            "rows": {f"{mix}, {server}": row for mix, found in rows.items() for server, row in found.items()}}


def run_mixes(folder, weir, peers, rounds, seconds, names):
    print(f"after start: {' / '.join(f'{size:.1f}' for size in memory_mib(weir.process.pid))} MiB resident / anonymous")
    print(f"{'mix':<18} {'server':<8} {'CPU us':>8} {'ratio':>6} {'reads/s':>8} {'p50 us':>7} {'p99 us':>7} {'p99.9 us':>8} "
          f"{'asked':>9}")
    rows = {}
    for mix in mixes():
        if names and mix.name not in names:
            continue
        rows[mix.name] = measure(folder, weir, mix, peers, rounds, seconds)
        if mix.is_asked and CACHED in rows:
            rows[mix.name]["weir"] |= beside_cached(rows[mix.name]["weir"], rows[CACHED]["weir"])
        print_row(mix.name, rows[mix.name])
    print(f"at the end: {' / '.join(f'{size:.1f}' for size in memory_mib(weir.process.pid))} MiB resident / anonymous")
    return rows
