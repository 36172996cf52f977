"""CPU per read, latency and memory of Weir beside nginx with the same bytes, over TLS; and of any other adapter.

Everything is on: Weir sends access reviews to a kube-apiserver (a stub), and caches the decisions for an hour; the bench
fails when a review is sent again. All servers get the headers that a kube-apiserver sends for the HPA controller
(callers.py), with kubectl's Accept, as nginx's canned answer is JSON.

Servers have processor 0 and the driver processor 1; rounds are interleaved and medians shown. Compare ratios of one run.
Where a mix has a freshness, its rounds are whole multiples of the freshness. Before each round, uncounted, its paths are
read once each at an even pace within one freshness: they then fall due evenly and not all at once.
The uncached mixes are also compared with the cached read. Their backends run on both processors, beside Weir and the driver.
"""
import contextlib
import json
import statistics
import tempfile
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from callers import CACHED_REVIEWS, read
from driver import drive
from mixes import QUEUES, configuration, mixes
from nginx import Nginx
from server_process import cpu_seconds, memory_mib
from support import KubeApiserver, Prometheus, RabbitMQ, Redis, Weir, require
from telemetry import query_count

PINNED = ("taskset", "--cpu-list", "0")
KEYS = 10_000
CACHED = "1,000 keys"  # the mix that the uncached mixes are compared with
LIMIT_OF_DUE = 1.01
LEAST_QUERIES = 0.95  # a read that must query; two reads of one key at once share one query
UNITS = {"cpu_us": "us of CPU of the server, a read", "times_nginx": "times the CPU of nginx, a read",
         "reads_per_second": "reads a second", "p50_us": "us, half of the reads", "p99_us": "us, 99 % of the reads",
         "p999_us": "us, 99.9 % of the reads", "queries_per_read": "queries to backends, a read",
         "queries_of_due": "queries to backends, of distinct queries / freshness",
         "times_cached": f"times the CPU of a cached read of {CACHED}", "above_cached_us": "us of CPU above that cached read"}


@dataclass
class Server:
    """A server under a mix, and the reports of its rounds. `path`: its own path, instead of the mix's."""
    name: str
    pid: int  # None: elsewhere, its CPU time is not known
    target: dict  # of drive()
    count_queries: object = None  # gives the number of queries that backends have answered so far; None: not counted
    path: str = None
    reports: list = field(default_factory=list)

    def one_round(self, mix, seconds):
        mix = replace(mix, paths=[self.path]) if self.path else mix
        if self.count_queries and mix.freshness_seconds:
            drive(replace(mix, rate=len(mix.paths) / mix.freshness_seconds), mix.freshness_seconds, **self.target)
        queries_before = self.count_queries and self.count_queries()
        cpu_before = self._cpu_seconds()
        report = drive(mix, seconds, **self.target)
        report["cpu_us"] = (self._cpu_seconds() - cpu_before) / report["answers"] * 1e6
        report["reads_per_second"] = report["answers"] / report["seconds"]
        if self.count_queries:
            queries = self.count_queries() - queries_before
            report["queries_per_read"] = queries / report["answers"]
            if mix.freshness_seconds:
                report["queries_of_due"] = queries / (len(mix.paths) * seconds / mix.freshness_seconds)
            if mix.is_uncached and report["queries_per_read"] < LEAST_QUERIES:
                raise RuntimeError(f"{mix.name}: {queries:.0f} queries for {report['answers']} reads, each must query")
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
        answer = read(connection, mix.paths[0]).decode()
    with Nginx(folder / "nginx", pair, answer.strip(), PINNED) as nginx:
        servers = [Server("weir", weir.process.pid, {"port": weir.port, **usual, **proof}, partial(query_count, weir)),
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


def compare_with_cached(row, cached):
    return {"times_cached": round(row["cpu_us"] / cached["cpu_us"], 3),
            "above_cached_us": round(row["cpu_us"] - cached["cpu_us"], 4)}


def print_row(name, rows):
    for server, row in rows.items():
        queries = f"{row['queries_per_read']:.4f}" if "queries_per_read" in row else "-"
        print(f"{name:<18} {server:<8} {row['cpu_us']:>8.1f} {row.get('times_nginx', 1):>6.2f} {row['reads_per_second']:>8.0f} "
              f"{row['p50_us']:>7.0f} {row['p99_us']:>7.0f} {row['p999_us']:>8.0f} {queries:>9}", flush=True)
        if "queries_of_due" in row:
            print(f"{'':<18} {server:<8} sent {row['queries_of_due']:.3f} times distinct queries / freshness "
                  f"(target: at most {LIMIT_OF_DUE})", flush=True)
        if "times_cached" in row:
            print(f"{'':<18} {server:<8} {row['times_cached']:.2f} times the CPU of {CACHED}, {row['above_cached_us']:.1f} us "
                  "above it", flush=True)


def check_reviews(kube):
    """RuntimeError when there was no access review, or the same one twice."""
    reviews, distinct = len(kube.access_reviews), len({json.dumps(spec, sort_keys=True) for spec in kube.access_reviews})
    print(f"access reviews: {reviews}, {distinct} different")
    if kube.mistakes or not 0 < reviews == distinct:
        raise RuntimeError(f"access reviews were not cached, or not sent: {reviews}, {distinct} different; {kube.mistakes}")


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
            with Weir(folder / "weir", config, kubeconfig=kube.kubeconfig(folder), flags=CACHED_REVIEWS, launcher=PINNED) as weir:
                rows = run_mixes(folder, weir, peers, rounds, seconds, names)
            check_reviews(kube)
    if out:
        Path(out).write_text(json.dumps(rows, indent=1) + "\n")
    return {"bench": "load", "about": __doc__.splitlines()[0], "units": UNITS,
            "rows": {f"{mix}, {server}": row for mix, rows_of_mix in rows.items() for server, row in rows_of_mix.items()}}


def run_mixes(folder, weir, peers, rounds, seconds, names):
    print(f"after start: {' / '.join(f'{size:.1f}' for size in memory_mib(weir.process.pid))} MiB resident / anonymous")
    print(f"{'mix':<18} {'server':<8} {'CPU us':>8} {'ratio':>6} {'reads/s':>8} {'p50 us':>7} {'p99 us':>7} {'p99.9 us':>8} "
          f"{'queries':>9}")
    rows = {}
    for mix in mixes():
        if names and mix.name not in names:
            continue
        rows[mix.name] = measure(folder, weir, mix, peers, rounds, seconds)
        if mix.is_uncached and CACHED in rows:
            rows[mix.name]["weir"] |= compare_with_cached(rows[mix.name]["weir"], rows[CACHED]["weir"])
        print_row(mix.name, rows[mix.name])
    print(f"at the end: {' / '.join(f'{size:.1f}' for size in memory_mib(weir.process.pid))} MiB resident / anonymous")
    return rows
