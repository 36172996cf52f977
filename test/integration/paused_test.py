"""A process that was stopped, like one in a frozen machine: no read ends with an answer from before, whatever the transport."""
import json
import os
import signal
import tempfile
import threading
import time
import unittest
from pathlib import Path

from support import Prometheus, RabbitMQ, Redis, ServerTest, Weir, is_sanitized

DEADLINE_SECONDS = 2
LATE_SECONDS = 0.2 if not is_sanitized() else 1.0


def setUpModule():
    global broker
    folder = Path(unittest.enterModuleContext(tempfile.TemporaryDirectory(prefix="weir-test-")))
    broker = unittest.enterModuleContext(RabbitMQ(folder / "rabbitmq"))
    broker.filled("jobs", 3)


class PausedTest(ServerTest):
    @classmethod
    def setUpClass(cls):
        folder = cls.new_folder()
        cls.redis = cls.start(Redis(folder / "redis"))
        cls.redis.fill("RPUSH jobs 1 2 3")
        cls.prometheus = cls.start(Prometheus(folder / "prometheus"))
        login = {}
        for key, text in (("username", broker.user), ("password", broker.password)):
            (folder / key).write_text(text)
            login[key] = {"file": str(folder / key)}
        common = {"namespaces": ["ml-inference"], "freshness": "1ms", "deadline": f"{DEADLINE_SECONDS}s"}
        cls.weir = cls.start(Weir(folder / "weir", json.dumps({
            "backends": {"cache": {"redis": {"url": cls.redis.url}}, "prom": {"prometheus": {"url": cls.prometheus.url}},
                         "amqp": {"rabbitmq": {"url": broker.url, **login}},
                         "api": {"rabbitmq": {"url": broker.management_url, **login}}},
            "metrics": [{"name": "cache", "redis": {"backend": "cache", "key": "jobs"}, **common},
                        {"name": "prom", "prometheus": {"backend": "prom", "query": "vector(3)"}, **common},
                        {"name": "amqp", "rabbitmq": {"backend": "amqp", "queue": "jobs"}, **common},
                        {"name": "api", "rabbitmq": {"backend": "api", "queue": "jobs"}, **common}]})))

    def in_flight(self, backend):
        page = self.weir.get("/metrics", {"X-Remote-User": "a", "X-Remote-Group": "system:masters"}).text
        return f'weir_backend_in_flight{{backend="{backend}"}} 1' in page

    def late_connections_closed(self, backend):
        page = self.weir.get("/metrics", {"X-Remote-User": "a", "X-Remote-Group": "system:masters"}).text
        return f'weir_connections_closed_total{{backend="{backend}",reason="timed_out"}} 1' in page

    def check(self, name, process):
        """The backend responds while Weir is stopped; Weir goes on when the deadline of the read has passed."""
        self.wait_for(lambda: self.weir.metric("ml-inference", name).status == 200)
        self.assert_values(self.weir.metric("ml-inference", name), "3")
        answers = []
        os.killpg(process.pid, signal.SIGSTOP)
        try:
            begun = time.monotonic()
            reader = threading.Thread(target=lambda: answers.append((self.weir.metric("ml-inference", name), time.monotonic())))
            reader.start()
            self.wait_for(lambda: self.in_flight(name))
            os.kill(self.weir.process.pid, signal.SIGSTOP)
        finally:
            os.killpg(process.pid, signal.SIGCONT)
        try:
            self.wait_for(lambda: time.monotonic() > begun + DEADLINE_SECONDS + 1)
        finally:
            resumed = time.monotonic()
            os.kill(self.weir.process.pid, signal.SIGCONT)
        reader.join(10)

        (answer, ended), = answers
        self.assertEqual((504, "Timeout"), (answer.status, answer.json().get("reason")), answer.text)
        self.assertLess(ended - resumed, LATE_SECONDS)
        self.wait_for(lambda: self.weir.metric("ml-inference", name).status == 200)
        self.assert_values(self.weir.metric("ml-inference", name), "3")

    def test_prometheus(self):
        self.check("prom", self.prometheus.process)
        self.assertTrue(self.late_connections_closed("prom"))

    def test_redis(self):
        self.check("cache", self.redis.process)

    def test_rabbitmq_over_amqp(self):
        self.check("amqp", broker.process)

    def test_rabbitmqs_management_api(self):
        self.check("api", broker.process)
        self.assertTrue(self.late_connections_closed("api"))


if __name__ == "__main__":
    unittest.main()
