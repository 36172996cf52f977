"""Every row of the table: a backend is made sick, and Weir answers with an error in time, or with the right number."""
import itertools
import json
import re
import tempfile
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from footprint import Footprint
from row import KINDS, REASONS, Place
from support import GROUP, HPA_USER, ServerTest, Weir
from table import ROWS
from world import World

SLACK_SECONDS = 1.0
FAST_SECONDS = 1.0
WELL_VALUE = "7"
# What a text that every reader of the HPA sees never holds: an address, a port, a user.
SECRET = r"weir-test-user|sekret"
PRIVATE = r"weir-fault|127\.0\.0\.1|198\.1[89]\.|:\d{4,5}\b|weir-test|sekret"


class FaultTest(ServerTest):
    """One test a row: `test_FAULT_BACKEND_RULE`."""

    @classmethod
    def setUpClass(cls):
        cls.world = cls.start(World(Path(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="weir-fault-")))))

    def check(self, row):
        fault = self.started(row.make(Place(self.folder(), self.world, row.name)))
        weir = self.started(Weir(self.folder(), self.config_of(row, fault), flags=("-v=10",),
                                 launcher=fault.launcher))
        self.addCleanup(self.check_alive, weir)
        if fault.well is not None:
            self.wait_for(lambda: self.value_of(weir) == fault.well, 30)  # a quorum queue elects first
        self.check_the_others(weir)  # so that their connections count as before
        before = Footprint(weir.process.pid)
        kept = weir.metric("ml-inference", "kept").text if row.keeps else ""

        fault.inject()
        if row.keeps:
            self.assertEqual(kept, weir.metric("ml-inference", "kept").text)
        self.check_the_first_read(row, weir)
        self.check_more_reads(row, weir)
        for check in row.also:
            check(self, row, fault, weir)
        self.check_the_others(weir)
        self.check_footprint(row, before, weir)
        self.check_secrets(weir)

        if row.recovers and fault.healed is not None:
            fault.mend()
            self.check_recovery(row, fault, weir)

    def config_of(self, row, fault):
        """The metric `sick`; `numbered`, another question for each value of its label; `kept`; and what is well."""
        kind = KINDS[row.backend]
        sick = {"name": "sick", "namespaces": ["ml-inference"], "freshness": "1ms", "deadline": f"{row.deadline}ms",
                kind: {key: text.replace("$(n)", "") if isinstance(text, str) else text
                       for key, text in fault.block.items()}, **row.metric}
        numbered = {**sick, "name": "numbered", "labels": {"n": "[0-9]+"}, kind: fault.block}
        kept = {**sick, "name": "kept", "freshness": "1m"}
        well = {"name": "well", "namespaces": ["ml-inference"], "freshness": "1ms",
                "redis": {"backend": "well", "key": "well"}}
        well_http = {"name": "well_http", "namespaces": ["ml-inference"], "freshness": "1ms",
                     "prometheus": {"backend": "well_http", "query": "well"}}
        backends = {"sick": {kind: fault.backend}, "well": {"redis": {"url": self.world.redis.url}},
                    "well_http": {"prometheus": {"url": self.world.http.url}}}
        return json.dumps({"backends": backends, "metrics": [sick, numbered, kept, well, well_http]})

    def check_alive(self, weir):
        self.assertTrue(weir.process.running, f"Weir has ended{weir.process.log_tail()}")

    def check_the_first_read(self, row, weir):
        if row.status == 200 and row.more:
            return  # one of many
        began = time.monotonic()
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(self.timed, weir)
            self.check_the_others(weir)
            while not asked.done():
                self.check_the_others(weir)
            answer, took = asked.result()

        self.check_answer(row, answer, (row.status,), row.text, row.words)
        budget = row.deadline / 1000
        limit = FAST_SECONDS if row.when == "fast" else budget + SLACK_SECONDS
        self.assertLess(took, limit, f"late: {answer.text}")
        if row.when == "deadline":
            self.assertGreater(time.monotonic() - began, 0.75 * budget, answer.text)

    def check_more_reads(self, row, weir):
        if not row.more:
            return
        limit = FAST_SECONDS if row.more_fast else row.deadline / 1000 + SLACK_SECONDS
        with ThreadPoolExecutor(row.more) as pool:
            asked = [pool.submit(self.timed, weir, n) for n in range(row.more)]
            self.check_the_others(weir)
            answers = [one.result() for one in asked]

        for answer, _ in answers:
            self.check_answer(row, answer, row.later or (row.status,))
        self.assertLess(max(took for _, took in answers), limit, sorted(took for _, took in answers))

    def check_answer(self, row, answer, statuses, text="", words=""):
        """An error with its text, or the one number that is right; never another number."""
        self.assertIn(answer.status, statuses, answer.text)
        self.assertNotIn("Retry-After", answer.headers)
        if answer.status == 200:
            self.assert_values(answer, row.value)
            return
        message = self.message_of(answer)
        front = f": {KINDS[row.backend]} sick: "
        if text:
            self.assertEqual("metric ml-inference/sick" + front + text, message)
        self.assertRegex(message, "^metric ml-inference/(sick|numbered)" + front)
        self.assertEqual(REASONS[answer.status], answer.json()["reason"])
        if words:
            self.assertRegex(message, words)
        self.assertNotRegex(message, PRIVATE)
        self.assertTrue(message.isprintable() and len(message.encode()) < 800, message)

    def check_the_others(self, weir):
        """Healthy backends of either transport, discovery and readiness know nothing of the sick one."""
        began = time.monotonic()
        self.assert_values(weir.metric("ml-inference", "well"), WELL_VALUE)
        self.assert_values(weir.metric("ml-inference", "well_http"), WELL_VALUE)
        discovery = weir.get(GROUP, {"X-Remote-User": HPA_USER})
        ready = weir.get("/readyz", cert=None)

        self.assertEqual((200, 200, "ok"), (discovery.status, ready.status, ready.text))
        names = sorted(one["name"] for one in discovery.json()["resources"])
        self.assertEqual(["externalmetrics", "kept", "numbered", "sick", "well", "well_http"], names)
        self.assertLess(time.monotonic() - began, FAST_SECONDS)

    def check_secrets(self, weir):
        """S27: neither the log at its most talkative nor what anybody may ask for holds a planted secret."""
        metrics = weir.get("/metrics", {"X-Remote-User": HPA_USER})
        self.assertEqual(200, metrics.status)
        for text in (weir.process.log.read_text(), metrics.text, weir.get("/readyz?verbose", cert=None).text,
                     weir.get(GROUP, {"X-Remote-User": HPA_USER}).text):
            self.assertNotRegex(text, SECRET)

    def check_footprint(self, row, before, weir):
        if row.is_flat:
            self.wait_for(lambda: before.is_flat(), 5)
        if row.growth_mib:
            self.assertLess(before.growth_mib(), row.growth_mib)
        if row.reserved_mib:
            self.assertLess(before.reserved_mib(), row.reserved_mib)

    def check_recovery(self, row, fault, weir):
        """Errors until the first number, which is the right one."""
        # An error is kept for a second; where every question has the same answer, a new one need not wait for that.
        numbers = itertools.count(1000) if fault.answers_any else itertools.repeat(None)
        began = time.monotonic()
        answer = self.ask(weir)
        if not row.at_once:
            answer = self.wait_for(lambda: (one := self.ask(weir, next(numbers))).status == 200 and one,
                                   max(10, row.recovery))
        took = time.monotonic() - began

        self.assert_values(answer, fault.healed)
        self.assertLess(took, row.recovery)

    def ask(self, weir, n=None):
        """The sick backend's answer to the question of `sick`, or to the one with the number `n`."""
        if n is None:
            return weir.metric("ml-inference", "sick")
        return weir.metric("ml-inference", "numbered", f"n={n}")

    def timed(self, weir, n=None):
        began = time.monotonic()
        answer = self.ask(weir, n)
        return answer, time.monotonic() - began

    def value_of(self, weir):
        answer = self.ask(weir)
        return answer.json()["items"][0]["value"] if answer.status == 200 else None


def _test_of(row):
    def test(self):
        self.check(row)
    test.__name__ = f"test_{row.name}"
    return test


for _row in ROWS:
    if hasattr(FaultTest, f"test_{_row.name}"):
        raise ValueError(f"two rows are named {_row.name}")
    setattr(FaultTest, f"test_{_row.name}", _test_of(_row))


if __name__ == "__main__":
    unittest.main()
