"""What both history tests share: readers, a log of the machine's stalls, and the check of every read.

WEIR_HISTORY_SEED replays the faults of a run.
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
from dataclasses import dataclass
from pathlib import Path

from checker import Promise, Read, Rule, Stalls, Truth, find_wrong_reads
from injector import BackendFaults, Injector
from plan import KINDS
from reader import RECORD, STALL_SECONDS
from support import ServerTest, Weir, is_sanitized, metric_path

SEED = int(os.environ.get("WEIR_HISTORY_SEED") or random.SystemRandom().randrange(1 << 32))
READERS = 2
CONNECTIONS = 3  # of each reader, for each metric
RATE = 3200  # reads a second, in all
FULL_READS = 300_000  # so many have time for every kind of fault
TICK_SECONDS = 0.005
WAIT_SECONDS = 0.002  # for a processor, within a tick
SHOWN = 3
# Of each source's three metrics, which put the same question.
RULES = {"brief": Rule(freshness=0.1, deadline=0.5), "usual": Rule(freshness=0.7, deadline=1.0),
         "held": Rule(freshness=0.1, deadline=0.5, hold=1.5)}
HOLD_AFTER_SECONDS = 0.2


def milliseconds(seconds):
    return f"{1000 * seconds:.0f}ms"


def promised(rule):
    """The rule, as the settings of a metric."""
    fallback = {"fallback": {"after": milliseconds(HOLD_AFTER_SECONDS), "hold": milliseconds(rule.hold)}} if rule.hold else {}
    return {"freshness": milliseconds(rule.freshness), "deadline": milliseconds(rule.deadline), **fallback}


def shown(problems):
    """The first few of each metric and kind, as texts."""
    groups = collections.defaultdict(list)
    for problem in problems:
        groups[problem.read.metric, problem.kind].append(str(problem))
    return [text for _, texts in sorted(groups.items()) for text in texts[:SHOWN]]


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


@dataclass(frozen=True)
class Run:
    """What one run left: every read, the spans in which nobody ran, those in which Weir was stopped, and its seconds."""
    reads: list
    stalls: list
    seconds: float


class HistoryTest(ServerTest):
    """A subclass starts its sources and Weir in `setUp`, and calls `check_history` in its one test."""
    sources, injectors, read_count, rate = (), (), 0, RATE
    least_share = 1 / 11  # of a metric's reads that end in a number

    def promise(self):
        """What is promised beside true numbers and errors in time."""
        return Promise()

    def start_sources(self, *sources):
        print(f"\nWEIR_HISTORY_SEED={SEED} replays these faults", flush=True)
        self.sources = [self.start_in_test(source) for source in sources]
        self.metrics = [(source, rule) for source in self.sources for rule in RULES]
        self.injectors = [Injector(SEED, source.name, BackendFaults(source)) for source in self.sources]

    def start_weir(self, **settings):
        self.weir = self.start_in_test(Weir(self.place / "weir", self.config_of(0), **settings))

    def inject_into_weir(self, name, faults):
        """`name` is that of the plan."""
        self.injectors.append(Injector(SEED, name, faults))

    def chance(self, name):
        return random.Random(f"{SEED} values of {name}")

    def config_of(self, version):
        """Any two versions differ, and mean the same."""
        entries = [{"name": f"{source.name}_{rule}", "namespaces": ["ml-inference"], **promised(RULES[rule]), **source.block}
                   for source, rule in self.metrics]
        entries.append({**entries[0], "name": f"unasked-{version}"})
        return json.dumps({"backends": {source.name: source.backend() for source in self.sources}, "metrics": entries})

    def check_history(self):
        """Runs the readers among the faults, and checks every read. The reads."""
        run = self.run_history()
        for source in self.sources:
            source.stop()
        truths = {source.name: Truth(source.changes) for source in self.sources}
        excused = set()
        wrong = list(find_wrong_reads(run.reads, [truths[source.name] for source, _ in self.metrics],
                                      [RULES[rule] for _, rule in self.metrics], Stalls(run.stalls), self.promise(), excused))
        self.print_summary(run, wrong, excused)
        threads = (*self.sources, *self.injectors)
        self.assertEqual([None] * len(threads), [thread.problem for thread in threads])
        self.assertTrue(self.weir.process.running, self.weir.process.log_tail())
        self.assertEqual([], shown(wrong), f"{len(wrong)} wrong, seed {SEED}")
        self.assert_much_happened(run.reads)
        return run.reads

    def run_history(self):
        began = time.monotonic()
        with Canary(self.weir.process.pid) as canary, contextlib.ExitStack() as stack:
            for injector in self.injectors:
                stack.enter_context(injector)
            stalls = self.run_readers()
        return Run(list(self.reads()), [*canary.stalls, *stalls], time.monotonic() - began)

    def reader(self, number):
        """One reader's program, started; it writes its records to the file reader-NUMBER."""
        numbers = [index for index in range(len(self.metrics)) for _ in range(CONNECTIONS)]
        paths = [metric_path("ml-inference", f"{source.name}_{rule}") for source, rule in self.metrics]
        pair = self.weir.certificates
        settings = {"port": self.weir.port, "ca": str(pair.crt("ca")), "cert": str(pair.crt("front-proxy-client")),
                    "key": str(pair.key("front-proxy-client")), "paths": [paths[index] for index in numbers],
                    "metrics": numbers, "reads": self.read_count // READERS, "rate": self.rate / READERS,
                    "out": str(self.place / f"reader-{number}")}
        return subprocess.Popen([sys.executable, "-B", Path(__file__).with_name("reader.py"), json.dumps(settings)],
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def run_readers(self):
        """The stalls that they noticed."""
        readers = [self.reader(number) for number in range(READERS)]
        stalls = []
        try:
            for reader in readers:
                out, problem = reader.communicate(timeout=60 + 8 * self.read_count / self.rate)
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
            for index, status, began, ended, value, stamp in RECORD.iter_unpack(data):
                yield Read(index, began, ended, status, None if math.isnan(value) else value, stamp)

    def print_summary(self, run, problems, excused):
        reads, kinds = run.reads, collections.Counter(problem.kind for problem in problems)
        changes = sum(len(source.changes) for source in self.sources)
        print(f"{len(reads)} reads in {run.seconds:.0f} s of {changes} states: {kinds['number']} wrong numbers, "
              f"{kinds['late']} late reads, {kinds['stamp']} wrong timestamps, "
              f"{len(excused)} numbers that Weir was stopped before it sent them")
        for index, (source, rule) in enumerate(self.metrics):
            mine = [read for read in reads if read.metric == index]
            statuses = collections.Counter(read.status for read in mine)
            print(f"  {index} {source.name}_{rule}: {dict(sorted(statuses.items()))}, "
                  f"{len({read.value for read in mine if read.status == 200})} values, "
                  f"slowest {1000 * max(read.ended - read.began for read in mine):.0f} ms, "
                  f"{sum(1 for problem in problems if problem.read.metric == index)} wrong")
        for injector in self.injectors:
            print(f"  {injector.name}: {dict(sorted(injector.step_counts.items()))}")

    def assert_much_happened(self, reads):
        """A run in which nothing changed, or nothing failed, proves nothing."""
        count = self.read_count
        self.assertEqual(count // READERS * READERS, len(reads))
        is_full = count >= FULL_READS  # a shorter run has time for some faults of chance only
        for index, (source, rule) in enumerate(self.metrics):
            with self.subTest(f"{source.name}_{rule}"):
                mine = [read for read in reads if read.metric == index]
                self.assertGreater(len({read.value for read in mine if read.status == 200}), count // 10_000 if is_full else 2)
                self.assertGreater(sum(1 for read in mine if read.status == 200),
                                   count / len(self.metrics) * self.least_share if is_full else 0)
                self.assertGreater(sum(1 for read in mine if read.status != 200),
                                   count // len(self.metrics) // 111 if is_full else -1)
                self.assertLessEqual({read.status for read in mine}, {200, 404, 503, 504})
        self.assertGreater(sum(1 for read in reads if read.status != 200), count // 1000)
        for injector in self.injectors:
            least = len(KINDS[injector.name]) if count >= FULL_READS and not is_sanitized() else 1
            self.assertGreaterEqual(len(injector.step_counts), least, injector.step_counts)
