"""What a broker that hangs costs the reads of another backend: their p99 beside it, and without it, in one run.

One reader reads from a real Redis, uncached, one read after the other. Further readers use a second backend at an even pace:
in one phase a Redis that answers, in the other a scripted AMQP broker that lets Weir log in and then says nothing.
Phases take turns, and the reads of all turns are pooled. The bench fails when the hung broker was not felt at all.
"""
import contextlib
import json
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "test"))
from support import Redis, ScriptedServer, Weir  # noqa: E402

READERS = 16
PACE_SECONDS = 0.2
START = b"\x01\0\0\0\0\0\x1c\0\x0a\0\x0a\0\x09\0\0\0\0\0\0\0\x05PLAIN\0\0\0\x05en_US\xce"
TUNE = b"\x01\0\0\0\0\0\x0c\0\x0a\0\x1e\0\x10\0\x02\0\0\0\x0a\xce"
OPEN_OK = b"\x01\0\0\0\0\0\x05\0\x0a\0\x29\0\xce"


def hang(connection):
    """Lets a client log in, and responds to no query."""
    for answer in (START, TUNE, OPEN_OK):
        connection.recv(65536)
        connection.sendall(answer)
    while connection.recv(65536):
        pass


def metric(name, kind, block):
    return {"name": name, "namespaces": ["bench"], "freshness": "1ms", kind: block}


def config_of(folder, redis, other, broker):
    for name in ("user", "password"):
        (folder / name).write_text(name)
    login = {"username": {"file": str(folder / "user")}, "password": {"file": str(folder / "password")}}
    metrics = [metric("measured", "redis", {"backend": "redis", "key": "list"})]
    metrics += [metric(f"healthy-{n}", "redis", {"backend": "other", "key": f"list-{n}"}) for n in range(READERS)]
    metrics += [metric(f"hung-{n}", "rabbitmq", {"backend": "broker", "queue": f"queue-{n}"}) for n in range(READERS)]
    return json.dumps({"backends": {"redis": {"redis": {"url": redis.url}}, "other": {"redis": {"url": other.url}},
                                    "broker": {"rabbitmq": {"url": f"amqp://127.0.0.1:{broker.port}", **login}}},
                       "metrics": metrics})


class Background:
    """Readers of the metrics `kind`-N, each every PACE_SECONDS, while the block lasts."""

    def __init__(self, weir, kind):
        self.weir, self.kind = weir, kind
        self.statuses = []
        self._end = threading.Event()

    def _read(self, number):
        with self.weir.persistent_reader() as read:
            while not self._end.wait(PACE_SECONDS):
                self.statuses.append(read("bench", f"{self.kind}-{number}").status)

    def __enter__(self):
        self._threads = [threading.Thread(target=self._read, args=(n,)) for n in range(READERS)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        for thread in self._threads:
            thread.join()


def reads(weir, count):
    """Seconds that each of `count` reads took."""
    out = []
    with weir.persistent_reader() as read:
        for _ in range(count):
            began = time.perf_counter()
            answer = read("bench", "measured")
            out.append(time.perf_counter() - began)
            if answer.status != 200:
                raise RuntimeError(f"measured: {answer.status} {answer.text}")
    return out


def share(seconds, part):
    return sorted(seconds)[int(len(seconds) * part)] * 1e3


def run(rounds=8, count=6000):
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="weir-bench-")))
        redis = stack.enter_context(Redis(folder / "redis"))
        other = stack.enter_context(Redis(folder / "other"))
        broker = stack.enter_context(ScriptedServer(raw=hang))
        weir = stack.enter_context(Weir(folder / "weir", config_of(folder, redis, other, broker)))
        latencies, statuses = {"healthy": [], "hung": []}, {"healthy": set(), "hung": set()}
        for number in range(rounds):
            for kind in sorted(latencies, reverse=number % 2 == 0):
                with Background(weir, kind) as background:
                    latencies[kind] += reads(weir, count)
                statuses[kind] |= set(background.statuses)
    if statuses["healthy"] != {200} or not statuses["hung"] & {503, 504} or 200 in statuses["hung"]:
        raise RuntimeError(f"not what was to be measured: {statuses}")
    print(f"{rounds} rounds of {count} reads each; beside them {READERS} readers of the other backend, every {PACE_SECONDS} s")
    print(f"{'the other backend':<20}{'p50 ms':>9}{'p99 ms':>9}")
    for kind, name in (("healthy", "responds"), ("hung", "hangs")):
        print(f"{name:<20}{share(latencies[kind], 0.5):>9.3f}{share(latencies[kind], 0.99):>9.3f}")
    print(f"p99 ratio {share(latencies['hung'], 0.99) / share(latencies['healthy'], 0.99):.2f} (target: at most 1.1)")
