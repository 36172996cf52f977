"""Runs a row: injects the fault, and checks that Weir responds with an error in time, or with the right number."""
import itertools
import json
import re
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from fault import Place
from footprint import Footprint
from support import GROUP, HPA_USER, ServerTest, Weir
from world import World

REASONS = {404: "NotFound", 503: "ServiceUnavailable", 504: "Timeout"}
SLACK_SECONDS = 1.0
FAST_SECONDS = 1.0
HEALTHY_VALUE = "7"
# What a text that every reader of the HPA sees never holds: an address, a port, a user.
SECRET = r"weir-test-user|sekret"
PRIVATE = r"weir-fault|127\.0\.0\.1|198\.1[89]\.|:\d{4,5}\b|weir-test|sekret"


class FaultCase(ServerTest):
    """One test a row of a subclass: `test_FAULT_BACKEND_RULE`."""

    def __init_subclass__(cls, rows, **options):
        super().__init_subclass__(**options)
        for row in rows:
            if f"test_{row.name}" in vars(cls):
                raise ValueError(f"two rows are named {row.name}")
            setattr(cls, f"test_{row.name}", _test_of(row))

    @classmethod
    def setUpClass(cls):
        cls.world = cls.start(World(Path(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="weir-fault-")))))

    def check(self, row):
        fault = self.start_in_test(row.make(Place(self.folder(), self.world, row.name)))
        weir = self.start_in_test(Weir(self.folder(), self.config_of(row, fault), flags=("-v=10",),
                                       launcher=fault.launcher))
        self.addCleanup(self.check_alive, weir)
        if fault.healthy_value is not None:
            self.wait_for(lambda: self.value_of(weir) == fault.healthy_value, 30)  # a quorum queue elects first
        self.check_the_others(weir)  # so that their connections count as before
        before = Footprint(weir.process.pid)
        cached = weir.metric("ml-inference", "cached").text if row.serves_cached else ""

        fault.inject()
        if row.serves_cached:
            self.assertEqual(cached, weir.metric("ml-inference", "cached").text)
        self.check_the_first_read(row, weir)
        self.check_concurrent_reads(row, weir)
        for check in row.extra_checks:
            check(self, row, fault, weir)
        self.check_the_others(weir)
        self.check_footprint(row, before, weir)
        self.check_secrets(weir)

        if row.recovers and fault.recovered_value is not None:
            fault.clear()
            self.check_recovery(row, fault, weir)

    def config_of(self, row, fault):
        """The metrics `faulty`; `numbered`, a query for each value of its label; `cached`; and two healthy ones."""
        kind, query = row.backend.kind, {"backend": "faulty", **fault.query_settings}
        faulty = {"name": "faulty", "namespaces": ["ml-inference"], "freshness": "1ms",
                  "deadline": f"{row.deadline_ms}ms",
                  kind: {key: text.replace("$(n)", "") if isinstance(text, str) else text
                         for key, text in query.items()}, **row.metric_settings}
        numbered = {**faulty, "name": "numbered", "labels": {"n": "[0-9]+"}, kind: query}
        cached = {**faulty, "name": "cached", "freshness": "1m"}
        healthy = {"name": "healthy", "namespaces": ["ml-inference"], "freshness": "1ms",
                   "redis": {"backend": "healthy", "key": "healthy"}}
        healthy_http = {"name": "healthy_http", "namespaces": ["ml-inference"], "freshness": "1ms",
                        "prometheus": {"backend": "healthy_http", "query": "healthy"}}
        backends = {"faulty": {kind: fault.backend_settings}, "healthy": {"redis": {"url": self.world.redis.url}},
                    "healthy_http": {"prometheus": {"url": self.world.http.url}}}
        return json.dumps({"backends": backends, "metrics": [faulty, numbered, cached, healthy, healthy_http]})

    def check_alive(self, weir):
        self.assertTrue(weir.process.running, f"Weir has ended{weir.process.log_tail()}")

    def check_the_first_read(self, row, weir):
        if row.status == 200 and row.concurrent_reads:
            return  # it is one of the concurrent reads
        began = time.monotonic()
        with ThreadPoolExecutor(1) as pool:
            read = pool.submit(self.timed, weir)
            self.check_the_others(weir)
            while not read.done():
                self.check_the_others(weir)
            answer, took = read.result()

        self.check_answer(row, answer, (row.status,), row.message, row.message_regex)
        budget = row.deadline_ms / 1000
        limit = FAST_SECONDS if row.timing == "fast" else budget + SLACK_SECONDS
        self.assertLess(took, limit, f"late: {answer.text}")
        if row.timing == "deadline":
            self.assertGreater(time.monotonic() - began, 0.75 * budget, answer.text)

    def check_concurrent_reads(self, row, weir):
        if not row.concurrent_reads:
            return
        limit = FAST_SECONDS if row.concurrent_reads_are_fast else row.deadline_ms / 1000 + SLACK_SECONDS
        with ThreadPoolExecutor(row.concurrent_reads) as pool:
            reads = [pool.submit(self.timed, weir, n) for n in range(row.concurrent_reads)]
            self.check_the_others(weir)
            answers = [read.result() for read in reads]

        for answer, _ in answers:
            self.check_answer(row, answer, row.concurrent_statuses or (row.status,))
        self.assertLess(max(took for _, took in answers), limit, sorted(took for _, took in answers))

    def check_answer(self, row, answer, statuses, message="", message_regex=""):
        """An error with its message, or the one number that is right; never another number."""
        self.assertIn(answer.status, statuses, answer.text)
        self.assertNotIn("Retry-After", answer.headers)
        if answer.status == 200:
            self.assert_values(answer, row.value)
            return
        full_message = self.message_of(answer)
        front = f": {row.backend.kind} faulty: "
        if message:
            self.assertEqual("metric ml-inference/faulty" + front + message, full_message)
        self.assertRegex(full_message, "^metric ml-inference/(faulty|numbered)" + front)
        self.assertEqual(REASONS[answer.status], answer.json()["reason"])
        if message_regex:
            self.assertRegex(full_message, message_regex)
        self.assertNotRegex(full_message, PRIVATE)
        self.assertTrue(full_message.isprintable() and len(full_message.encode()) < 800, full_message)

    def check_the_others(self, weir):
        """Healthy backends of either transport, discovery and readiness are not affected by the faulty one."""
        began = time.monotonic()
        self.assert_values(weir.metric("ml-inference", "healthy"), HEALTHY_VALUE)
        self.assert_values(weir.metric("ml-inference", "healthy_http"), HEALTHY_VALUE)
        discovery = weir.get(GROUP, {"X-Remote-User": HPA_USER})
        ready = weir.get("/readyz", cert=None)

        self.assertEqual((200, 200, "ok"), (discovery.status, ready.status, ready.text))
        names = sorted(resource["name"] for resource in discovery.json()["resources"])
        self.assertEqual(["cached", "externalmetrics", "faulty", "healthy", "healthy_http", "numbered"], names)
        self.assertLess(time.monotonic() - began, FAST_SECONDS)

    def check_secrets(self, weir):
        """S27: neither the most verbose log nor any readable page contains a planted secret."""
        metrics = weir.get("/metrics", {"X-Remote-User": HPA_USER})
        self.assertEqual(200, metrics.status)
        for text in (weir.process.log.read_text(), metrics.text, weir.get("/readyz?verbose", cert=None).text,
                     weir.get(GROUP, {"X-Remote-User": HPA_USER}).text):
            self.assertNotRegex(text, SECRET)

    def check_footprint(self, row, before, weir):
        if row.resources_return_to_baseline:
            self.wait_for(lambda: before.is_at_baseline(), 5)
        if row.max_growth_mib:
            self.assertLess(before.growth_mib(), row.max_growth_mib)
        if row.max_reserved_mib:
            self.assertLess(before.reserved_mib(), row.max_reserved_mib)

    def check_recovery(self, row, fault, weir):
        """Errors until the first number, which is the right one."""
        # An error is cached for a second; where every query has the same reply, another query need not wait for that.
        numbers = itertools.count(1000) if fault.replies_same_to_all else itertools.repeat(None)
        began = time.monotonic()
        answer = self.read(weir)
        if not row.recovers_at_once:
            answer = self.wait_for(lambda: (latest := self.read(weir, next(numbers))).status == 200 and latest,
                                   max(10, row.recovery_seconds))
        took = time.monotonic() - began

        self.assert_values(answer, fault.recovered_value)
        self.assertLess(took, row.recovery_seconds)

    def read(self, weir, n=None):
        """Weir's answer for the metric `faulty`, or for `numbered` with the label `n`."""
        if n is None:
            return weir.metric("ml-inference", "faulty")
        return weir.metric("ml-inference", "numbered", f"n={n}")

    def timed(self, weir, n=None):
        began = time.monotonic()
        answer = self.read(weir, n)
        return answer, time.monotonic() - began

    def value_of(self, weir):
        answer = self.read(weir)
        return answer.json()["items"][0]["value"] if answer.status == 200 else None


def _test_of(row):
    def test(self):
        self.check(row)
    test.__name__ = f"test_{row.name}"
    return test
