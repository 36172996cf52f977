"""Every number that Weir gives under faults of chance was the backend's within the metric's allowed age; every error is in time.

WEIR_HISTORY_SEED replays the faults of a run, WEIR_SCALE multiplies its 300,000 reads.
"""
import collections
import contextlib
import json
import math
import os
import random
import subprocess
import sys
import threading
import time
import unittest
from pathlib import Path

from checker import Read, Rule, Stalls, Truth, find_wrong_reads
from injector import HOUR, BackendFaults, Injector, WeirFaults
from plan import KINDS, OF_WEIR
from reader import RECORD, STALL_SECONDS
from sources import BrokerSource, PrometheusSource, RedisSource
from support import ServerTest, WallClock, Weir, is_sanitized, metric_path, scaled

READS = scaled(300_000)
SEED = int(os.environ.get("WEIR_HISTORY_SEED") or random.SystemRandom().randrange(1 << 32))
READERS = 2
CONNECTIONS = 3  # of each reader, for each metric
RATE = 3200  # reads a second, in all
TICK_SECONDS = 0.005
WAIT_SECONDS = 0.002  # for a processor, within a tick
SHOWN = 20
# Of each backend's three metrics, which put the same question.
RULES = {"brief": Rule(freshness=0.1, deadline=0.5), "usual": Rule(freshness=0.7, deadline=1.0),
         "held": Rule(freshness=0.1, deadline=0.5, hold=1.5)}
HOLD_AFTER_SECONDS = 0.2


def milliseconds(seconds):
    return f"{1000 * seconds:.0f}ms"


def promised(rule):
    """The rule, as the settings of a metric."""
    fallback = {"fallback": {"after": milliseconds(HOLD_AFTER_SECONDS), "hold": milliseconds(rule.hold)}} if rule.hold else {}
    return {"freshness": milliseconds(rule.freshness), "deadline": milliseconds(rule.deadline), **fallback}


class Canary:
    """Notices when the machine lets this process not run, and how long Weir's loop waited for a processor."""

    def __init__(self, pid):
        self.stalls = []
        self._schedule = Path(f"/proc/{pid}/task/{pid}/schedstat")  # its second number: nanoseconds of waiting
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self):
        before, wait_seconds = time.monotonic(), self._wait_seconds()
        while not self._end.wait(TICK_SECONDS):
            now, sum_now = time.monotonic(), self._wait_seconds()
            if now - before > STALL_SECONDS:
                self.stalls.append((before, now))
            if sum_now - wait_seconds > WAIT_SECONDS:
                self.stalls.append((now - (sum_now - wait_seconds), now))
            before, wait_seconds = now, sum_now

    def _wait_seconds(self):
        return int(self._schedule.read_text().split()[1]) / 1e9

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        self._thread.join(5)


class HistoryTest(ServerTest):
    def setUp(self):
        print(f"\nWEIR_HISTORY_SEED={SEED} replays these faults", flush=True)
        self.place = self.folder()
        self.sources = [self.start_in_test(kind(self.place / kind.name, random.Random(f"{SEED} values of {kind.name}")))
                        for kind in (RedisSource, PrometheusSource, BrokerSource)]
        self.metrics = [(source, rule) for source in self.sources for rule in RULES]
        clock = self.start_in_test(WallClock(self.place, 2 * HOUR))
        self.weir = self.start_in_test(Weir(self.place / "weir", self.config_of(0), env=clock.env))
        self.injectors = [Injector(SEED, source.name, BackendFaults(source)) for source in self.sources]
        self.injectors.append(Injector(SEED, "weir", WeirFaults(self.weir, clock, self.config_of)))

    def config_of(self, version):
        """Any two versions differ, and mean the same."""
        entries = [{"name": f"{source.name}_{rule}", "namespaces": ["ml-inference"], **promised(RULES[rule]), **source.block}
                   for source, rule in self.metrics]
        entries.append({**entries[0], "name": f"unasked-{version}"})
        return json.dumps({"backends": {source.name: source.backend() for source in self.sources}, "metrics": entries})

    def reader(self, number):
        """One reader's program, started; it writes its records to the file reader-NUMBER."""
        numbers = [index for index in range(len(self.metrics)) for _ in range(CONNECTIONS)]
        paths = [metric_path("ml-inference", f"{source.name}_{rule}") for source, rule in self.metrics]
        pair = self.weir.certificates
        settings = {"port": self.weir.port, "ca": str(pair.crt("ca")), "cert": str(pair.crt("front-proxy-client")),
                    "key": str(pair.key("front-proxy-client")), "paths": [paths[index] for index in numbers],
                    "metrics": numbers, "reads": READS // READERS, "rate": RATE / READERS,
                    "out": str(self.place / f"reader-{number}")}
        return subprocess.Popen([sys.executable, "-B", Path(__file__).with_name("reader.py"), json.dumps(settings)],
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def run_readers(self):
        """The stalls that they noticed."""
        readers = [self.reader(number) for number in range(READERS)]
        stalls = []
        try:
            for reader in readers:
                out, problem = reader.communicate(timeout=60 + 8 * READS / RATE)
                self.assertEqual((0, ""), (reader.returncode, problem))
                stalls += [tuple(map(float, line.split())) for line in out.splitlines()]
        finally:
            for reader in readers:
                if reader.poll() is None:
                    reader.kill()
                    reader.communicate()
        return stalls

    def reads(self):
        for number in range(READERS):
            data = (self.place / f"reader-{number}").read_bytes()
            for index, status, began, ended, value in RECORD.iter_unpack(data):
                yield Read(index, began, ended, status, None if math.isnan(value) else value)

    def test_every_number_was_the_backends_and_every_error_is_in_time(self):
        began = time.monotonic()
        with Canary(self.weir.process.pid) as canary, contextlib.ExitStack() as stack:
            for injector in self.injectors:
                stack.enter_context(injector)
            stalls = self.run_readers()
        took = time.monotonic() - began
        for source in self.sources:
            source.stop()

        reads = list(self.reads())
        rules = [RULES[rule] for _, rule in self.metrics]
        truths = {source.name: Truth(source.changes) for source in self.sources}
        wrong = list(find_wrong_reads(reads, [truths[source.name] for source, _ in self.metrics], rules,
                                      Stalls([*canary.stalls, *stalls])))
        self.print_summary(reads, took, wrong)
        self.assertEqual([None] * 7, [thread.problem for thread in (*self.sources, *self.injectors)])
        self.assertTrue(self.weir.process.running, self.weir.process.log_tail())
        self.assertEqual([], [str(problem) for problem in wrong[:SHOWN]], f"{len(wrong)} wrong, seed {SEED}")
        self.assert_much_happened(reads)

    def print_summary(self, reads, took, problems):
        late = sum(1 for problem in problems if problem.read.status != 200)
        changes = sum(len(source.changes) for source in self.sources)
        print(f"{len(reads)} reads in {took:.0f} s of {changes} states: {len(problems) - late} wrong numbers, {late} late errors")
        for index, (source, rule) in enumerate(self.metrics):
            mine = [read for read in reads if read.metric == index]
            statuses = collections.Counter(read.status for read in mine)
            print(f"  {source.name}_{rule}: {dict(sorted(statuses.items()))}, "
                  f"{len({read.value for read in mine if read.status == 200})} values, "
                  f"slowest {1000 * max(read.ended - read.began for read in mine):.0f} ms")
        for injector in self.injectors:
            print(f"  {dict(sorted(injector.step_counts.items()))}")

    def assert_much_happened(self, reads):
        """A run in which nothing changed, or nothing failed, proves nothing."""
        self.assertEqual(READS // READERS * READERS, len(reads))
        for index, (source, rule) in enumerate(self.metrics):
            with self.subTest(f"{source.name}_{rule}"):
                mine = [read for read in reads if read.metric == index]
                self.assertGreater(len({read.value for read in mine if read.status == 200}), READS // 10_000)
                self.assertGreater(sum(1 for read in mine if read.status == 200), READS // 100)
                self.assertGreater(sum(1 for read in mine if read.status != 200), READS // 1000)
                self.assertLessEqual({read.status for read in mine}, {200, 404, 503, 504})
        for kinds, injector in zip((*(KINDS[source.name] for source in self.sources), OF_WEIR), self.injectors):
            least = len(kinds) if READS >= 300_000 and not is_sanitized() else 1
            self.assertGreaterEqual(len(injector.step_counts), least, injector.step_counts)


if __name__ == "__main__":
    unittest.main()
