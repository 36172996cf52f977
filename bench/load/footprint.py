"""Memory at rest and under many keys, and the time from exec to the first green /readyz."""
import json
import statistics
import tempfile
import time
from pathlib import Path

from driver import drive
from mixes import NAMESPACE, Mix, keyed
from server_process import memory_mib
from support import Redis, Weir

METRICS_FOR_START = (20, 1_000)
MANY_METRICS = 10_000
HOT_KEYS = 100_000


def configuration(url, count):
    """As many metrics, and one that takes any key."""
    entries = [{"name": f"queue_{number}", "namespaces": [NAMESPACE], "redis": {"backend": "cache", "key": f"k{number}"}}
               for number in range(count - 1)]
    entries.append({"name": "kept_list", "namespaces": [NAMESPACE], "freshness": "1h", "labels": {"key": "k[0-9]+"},
                    "redis": {"backend": "cache", "key": "$(key)"}})
    return json.dumps({"backends": {"cache": {"redis": {"url": url}}}, "metrics": entries})


def started(folder, url, count):
    """A Weir with `count` metrics, and the milliseconds that it took."""
    weir = Weir(folder / f"weir-{count}", configuration(url, count))
    began = time.monotonic()
    weir.start()
    return weir, 1000 * (time.monotonic() - began)


def hot_keys(folder, weir):
    """Reads each of the keys once, and some of them again."""
    pair = weir.certificates
    drive(Mix("hot keys", keyed("kept_list", HOT_KEYS), connections=8, rate=8_000), HOT_KEYS / 8_000 + 2, weir.port, folder,
          pair.crt("ca"), pair.crt("front-proxy-client"), pair.key("front-proxy-client"))


def told(what, weir):
    resident, anonymous = memory_mib(weir.process.pid)
    print(f"{what:<28} {resident:>7.1f} MiB resident {anonymous:>7.1f} anonymous", flush=True)


def run(rounds=5):
    with tempfile.TemporaryDirectory(prefix="weir-bench-") as name:
        folder = Path(name)
        with Redis(folder / "redis") as redis:
            for count in METRICS_FOR_START:
                times = []
                for _ in range(rounds):
                    weir, took = started(folder, redis.url, count)
                    times.append(took)
                    if len(times) == rounds:
                        told(f"{count} metrics, idle", weir)
                    weir.stop()
                print(f"{count} metrics: ready within {statistics.median(times):.0f} ms (median of {rounds}, polled)")
            weir, _ = started(folder, redis.url, MANY_METRICS)
            told(f"{MANY_METRICS} metrics, idle", weir)
            weir.stop()
            weir, _ = started(folder, redis.url, 20)
            hot_keys(folder, weir)
            told(f"{HOT_KEYS} hot keys", weir)
            weir.stop()
