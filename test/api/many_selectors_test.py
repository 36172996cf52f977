"""A user sends a flood of new selectors: Weir's cache is bounded, and values of others stay cached."""
import json
import re
import unittest
from pathlib import Path

from support import Redis, ServerTest, Weir, frugal_environment, metric_path, raw_tls, read_answers

SHARE = 10_000  # answers that are kept for one namespace
VALUES = 16  # of one selector
BATCH = 8


class ManySelectorsTest(ServerTest):
    @classmethod
    def setUpClass(cls):
        folder = cls.new_folder()
        cls.redis = cls.start(Redis(folder / "redis"))
        entry = {"name": "depth", "freshness": "10m", "labels": {"n": "[0-9]+"},
                 "redis": {"backend": "cache", "key": "depth-$(n)", "missing": 0}}
        text = json.dumps({"backends": {"cache": {"redis": {"url": cls.redis.url}}}, "metrics": [
            {**entry, "namespaces": ["greedy", "calm"]}]})
        cls.weir = cls.start(Weir(folder / "weir", text, env=frugal_environment()))

    def resident(self):
        text = Path(f"/proc/{self.weir.process.pid}/status").read_text()
        return int(re.search(r"^VmRSS:\s*(\d+)", text, re.MULTILINE)[1])

    def read_new_selectors(self, first, count):
        """`count` questions of the namespace greedy that nobody asked before, from the number `first` on."""
        requests = []
        for at in range(first, first + count, VALUES):
            numbers = ",".join(str(n) for n in range(at, at + VALUES))
            path = metric_path("greedy", "depth", f"n in ({numbers})")
            requests.append(f"GET {path} HTTP/1.1\r\nHost: weir\r\nX-Remote-User: greedy\r\n\r\n".encode())
        with raw_tls(self.weir) as connection:
            for at in range(0, len(requests), BATCH):
                batch = requests[at:at + BATCH]
                connection.sendall(b"".join(batch))
                self.assertEqual([200] * len(batch), [status for status, _ in read_answers(connection, len(batch))])

    def test_S41_a_flood_of_selectors_grows_no_memory_and_evicts_no_value_of_others(self):
        self.redis.fill("RPUSH depth-1 a b c")
        self.assert_values(self.weir.metric("calm", "depth", "n=1"), "3")
        self.redis.fill("RPUSH depth-1 d")
        self.read_new_selectors(1_000_000, SHARE + 2_000)
        resident = self.resident()

        self.read_new_selectors(2_000_000, 4 * SHARE)

        self.assertLess(self.resident() - resident, 4 * 1024)  # KiB: 100 bytes an answer would be seen
        self.assert_values(self.weir.metric("calm", "depth", "n=1"), "3")  # kept: Redis holds four

    def test_S41_a_read_sends_16_queries_at_most(self):
        numbers = ",".join(str(n) for n in range(VALUES + 1))

        answer = self.weir.metric("greedy", "depth", f"n in ({numbers})")

        self.assertEqual((400, "BadRequest"), (answer.status, answer.json()["reason"]))


if __name__ == "__main__":
    unittest.main()
