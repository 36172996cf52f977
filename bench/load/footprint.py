"""Memory at rest and under many keys, and the time from exec to the first green /readyz."""
import json
import statistics
import tempfile
from functools import partial
from pathlib import Path

from driver import drive
from mixes import NAMESPACE, Mix
from readiness import start_cost
from server_process import memory_mib
from support import Redis, Weir
from support.weir import metric_path
from telemetry import scrape

UNITS = {"ready_ms": "ms from exec to a green /readyz, a TLS handshake included, median of 9 starts",
         "start_cpu_ms": "ms of CPU until then", "resident_mib": "MiB resident", "anonymous_mib": "MiB anonymous of those"}
METRICS = (20, 1_000, 10_000)
STARTS = 9
HOT_KEYS = 100_000
KEYS_OF_NAMESPACE = 10_000  # Weir caches no more values of one namespace
HOT_SECONDS = 40
READ_SECONDS = 5  # in which all metrics are read once


def configuration(url, count):
    """As many metrics, and one that takes any key."""
    entries = [{"name": f"queue_{number}", "namespaces": [NAMESPACE], "redis": {"backend": "cache", "key": f"k{number}"}}
               for number in range(count - 1)]
    entries.append({"name": "cached_list", "namespaces": ["*"], "freshness": "1h", "labels": {"key": "k[0-9]+"},
                    "redis": {"backend": "cache", "key": "$(key)"}})
    return json.dumps({"backends": {"cache": {"redis": {"url": url}}}, "metrics": entries})


def memory(weir):
    resident, anonymous = memory_mib(weir.process.pid)
    return {"resident_mib": round(resident, 1), "anonymous_mib": round(anonymous, 1)}


def at_rest(folder, url, count):
    with Weir(folder / f"weir-{count}", configuration(url, count)) as weir:
        row = memory(weir)
    costs = [start_cost(weir) for _ in range(STARTS)]
    ready, cpu = (round(statistics.median(column), 1) for column in zip(*costs))
    return {"ready_ms": ready, "start_cpu_ms": cpu, **row}


def drive_all(folder, weir, mix, seconds):
    """RuntimeError when not every path was read."""
    pair = weir.certificates
    report = drive(mix, seconds, weir.port, folder, pair.crt("ca"), pair.crt("front-proxy-client"), pair.key("front-proxy-client"))
    if report["answers"] < len(mix.paths):
        raise RuntimeError(f"{mix.name}: {report['answers']:,} of {len(mix.paths):,} were read in {seconds} s")


def read_and_scraped(folder, url, count):
    """(The memory once each metric has been read, that once it was scraped too)."""
    paths = [metric_path(NAMESPACE, f"queue_{number}") for number in range(count - 1)]
    paths.append(metric_path(NAMESPACE, "cached_list", "key=k0"))
    with Weir(folder / "weir-read", configuration(url, count)) as weir:
        # A little longer than they need, so that none is left out.
        drive_all(folder, weir, Mix("all metrics", paths, rate=count / READ_SECONDS), 1.02 * READ_SECONDS)
        read = memory(weir)
        scrape(weir)
        return read, memory(weir)


def with_hot_keys(folder, url):
    """The memory once each of the keys has been read."""
    paths = [metric_path(f"{NAMESPACE}-{number // KEYS_OF_NAMESPACE}", "cached_list", f"key=k{number}")
             for number in range(HOT_KEYS)]
    with Weir(folder / "weir-hot", configuration(url, METRICS[0])) as weir:
        drive_all(folder, weir, Mix("hot keys", paths), HOT_SECONDS)
        return memory(weir)


def run():
    """Prints the table; the result is what bench/results.py records."""
    rows = {}
    with tempfile.TemporaryDirectory(prefix="weir-bench-") as name, Redis(Path(name) / "redis") as redis:
        measures = {(f"{count:,} metrics",): partial(at_rest, Path(name), redis.url, count) for count in METRICS}
        most = f"{METRICS[-1]:,} metrics"
        measures[f"{most}, all read once", f"{most}, read and scraped"] = partial(
            read_and_scraped, Path(name), redis.url, METRICS[-1])
        measures[f"{HOT_KEYS:,} hot keys",] = partial(with_hot_keys, Path(name), redis.url)
        print(f"{'':<33}{'ready ms':>10}{'CPU ms':>10}{'resident MiB':>14}{'anonymous MiB':>15}")
        for names, measure in measures.items():
            measured = measure()
            for what, row in zip(names, measured if isinstance(measured, tuple) else (measured,), strict=True):
                rows[what] = row
                print(f"{what:<33}{row.get('ready_ms', ''):>10}{row.get('start_cpu_ms', ''):>10}"
                      f"{row['resident_mib']:>14}{row['anonymous_mib']:>15}", flush=True)
    return {"bench": "footprint", "about": __doc__.splitlines()[0], "units": UNITS, "rows": rows}
