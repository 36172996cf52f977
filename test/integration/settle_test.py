"""A broker that has just restarted shows empty queues, and shrinks no fleet: `settle`, with a real Redis without a disk."""
import json
import time
import unittest

from support import Redis, ScriptedServer, ServerTest, Weir, config, metric, vector

SETTLE_SECONDS = 3


def depth(name, **settings):
    return {"name": name, "namespaces": ["ml-inference"], "freshness": "1ms", "redis": {"backend": "cache", "key": "jobs"},
            **settings}


class SettleTest(ServerTest):
    def setUp(self):
        self.redis = self.start_in_test(Redis(self.folder() / "redis"))
        self.redis.fill("RPUSH jobs 1 2 3 4 5")
        self.weir = self.start_in_test(Weir(self.folder() / "weir", json.dumps({
            "backends": {"cache": {"redis": {"url": self.redis.url}}},
            "metrics": [depth("hasty"), depth("calm", settle=f"{SETTLE_SECONDS}s"),
                        depth("bridged", settle=f"{SETTLE_SECONDS}s", fallback={"after": "1ms", "hold": "1m"})]})))

    def read(self, name):
        return self.weir.metric("ml-inference", name)

    def test_F29_a_restart_is_an_error_until_settle_has_passed_and_never_a_number(self):
        for name in ("hasty", "calm", "bridged"):
            self.assert_values(self.read(name), "5")
        self.redis.stop()
        self.wait_for(lambda: self.read("hasty").status == 503)
        self.redis.start()
        self.wait_for(lambda: self.read("hasty").status == 200)
        back = time.monotonic()

        self.assert_values(self.read("hasty"), "0")  # what an HPA would shrink by
        answers, bridged = [], []
        while not answers or (answers[-1].status != 200 and time.monotonic() < back + 10):
            bridged.append(self.read("bridged").json()["items"][0]["value"])
            answers.append(self.read("calm"))

        took = time.monotonic() - back
        self.assertGreater(took, SETTLE_SECONDS - 0.5)
        self.assertLess(took, SETTLE_SECONDS + 2)  # the last error is kept for 1.2 s
        self.assert_values(answers[-1], "0")
        self.assertEqual("5" * (len(bridged) - 1), "".join(bridged[:-1]))  # the last may be of the moment itself
        for answer in answers[:-1]:
            self.assertRegex(self.message_of(answer), r"^metric ml-inference/calm: redis cache: the backend recovered \S+ s ago; values are "
                             r"ignored for 3 s after recovery \(settle\) because queues may look empty after a restart$")

    def test_the_first_connection_needs_no_settling(self):
        self.assert_values(self.read("calm"), "5")


class ReloadTest(ServerTest):
    """Over HTTP, a new configuration keeps the state of a backend that was unreachable."""

    def setUp(self):
        self.backend = self.start_in_test(ScriptedServer(lambda turn: turn.answer(vector(0))))
        self.weir = self.start_in_test(Weir(self.folder() / "weir", self.config_of(["calm", "hasty"])))

    def config_of(self, names):
        settings = {"hasty": {}}
        return config(self.backend.url, *(metric(name, "up", freshness="1ms", **settings.get(name, {"settle": "1m"}))
                                          for name in names))

    def status(self, name):
        return self.weir.metric("ml-inference", name).status

    def reload(self, *names):
        self.weir.write_config(self.config_of(names))
        self.wait_for(lambda: self.status(names[-1]) != 404)

    def test_a_reload_ends_no_settling(self):
        self.assertEqual(200, self.status("calm"))
        self.backend.stop()
        self.wait_for(lambda: self.status("hasty") == 503)
        self.reload("calm", "hasty", "while-away")
        self.backend.start()
        self.wait_for(lambda: self.status("hasty") == 200)
        self.reload("calm", "hasty", "while-settling")

        for name in ("calm", "while-settling"):
            answer = self.weir.metric("ml-inference", name)
            self.assertEqual(503, answer.status)
            self.assertIn("(settle)", answer.text)


if __name__ == "__main__":
    unittest.main()
