"""One queue is missing among nine that are not, for a minute's reads: what the log, the Status, explain and /metrics say."""
import re
import unittest

from support import RabbitMQ, ServerTest, Weir, config, metric_path, run_weir

QUEUES = [f"ml.{n}" for n in range(10)]
MISSING = QUEUES[6]
READS = 4  # a minute of an HPA


class MissingQueueTest(ServerTest):
    @classmethod
    def setUpClass(cls):
        folder = cls.new_folder()
        cls.broker = cls.start(RabbitMQ(folder / "rabbitmq"))
        for n, queue in enumerate(QUEUES):
            if queue != MISSING:
                cls.broker.filled(queue, n + 1)
        for name, text in (("username", cls.broker.user), ("password", cls.broker.password)):
            (folder / name).write_text(text)
        login = {name: {"file": str(folder / name)} for name in ("username", "password")}
        cls.weir = cls.start(Weir(folder / "weir", config(
            {"api": {"rabbitmq": {"url": cls.broker.management_url, **login}}},
            {"name": "queue_depth", "namespaces": ["shop"], "freshness": "1ms", "labels": {"queue": r"ml\.[0-9]+"},
             "rabbitmq": {"backend": "api", "queue": "$(queue)"}})))

    def lines(self, event):
        out = []
        for line in self.weir.process.log.read_text().splitlines():
            text = line.partition(" weir] ")[2]
            if text.startswith(event + " "):
                out.append(dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', text)))
        return out

    def test_each_place_names_the_queue_and_the_nine_others_are_numbers(self):
        for _ in range(READS):
            for n, queue in enumerate(QUEUES):
                answer = self.weir.metric("shop", "queue_depth", f"queue={queue}")
                if queue == MISSING:
                    self.assertEqual(404, answer.status, answer.text)
                else:
                    self.assert_values(answer, str(n + 1))
        message = self.wait_for(self.diagnosed, 15)

        # What `kubectl describe hpa` shows is this text after "unable to get external metric".
        self.assertTrue(message.startswith(
            f'metric shop/queue_depth: rabbitmq api: queue "{MISSING}" does not exist in vhost "/"'), message)
        [line] = self.wait_for(lambda: self.lines("metric_failing"))
        self.assertEqual(("shop", "queue_depth", f"queue={MISSING}", "api", "unknown_object"),
                         tuple(line[name] for name in ("namespace", "name", "labels", "backend", "code")))
        self.assertIn("does not exist in vhost", line["reason"])
        self.assertTrue(line["diagnosis"], line)
        self.assert_explained(message)
        self.assert_page()
        self.assert_recovery()

    def diagnosed(self):
        message = self.message_of(self.weir.metric("shop", "queue_depth", f"queue={MISSING}"))
        return message if "; diagnosis: " in message else None

    def assert_explained(self, message):
        run = run_weir("explain", "--config", self.weir.config_file, "shop/queue_depth", "-l", f"queue={MISSING}")

        self.assertEqual(3, run.returncode, run.stderr)
        self.assertIn(message.partition("; diagnosis: ")[0], run.stdout)
        path = metric_path("shop", "queue_depth", f"queue={MISSING}").replace("?", "/explain?")
        answer = self.weir.get(path, {"X-Remote-User": "alice"})
        self.assertEqual(200, answer.status, answer.text)
        self.assertEqual(message, answer.json()["result"]["error"]["message"])

    def assert_page(self):
        page = self.weir.get("/metrics", {"X-Remote-User": "prometheus"}).text
        values = re.findall(r'^weir_value\{label_queue="([^"]+)",metric="queue_depth",namespace="shop"\} (\d+)', page, re.M)
        self.assertEqual([(queue, str(n + 1)) for n, queue in enumerate(QUEUES) if queue != MISSING], sorted(values))
        self.assertEqual([f'weir_metric_failing{{backend="api",code="unknown_object",labels="queue={MISSING}",'
                          'metric="queue_depth",namespace="shop"} 1'],
                         re.findall(r"^weir_metric_failing\{.*$", page, re.M))
        [failed] = re.findall(r'^weir_queries_total\{.*outcome="unknown_object"\} (\d+)', page, re.M)
        self.assertGreaterEqual(int(failed), 1)  # the reads that came at once shared its error

    def assert_recovery(self):
        self.broker.declare(MISSING)
        self.wait_for(lambda: self.weir.metric("shop", "queue_depth", f"queue={MISSING}").status == 200, 15)

        self.assertNotIn("\nweir_metric_failing{", self.weir.get("/metrics", {"X-Remote-User": "prometheus"}).text)
        [line] = self.lines("metric_recovered")
        self.assertEqual(f"queue={MISSING}", line["labels"])
        self.assertEqual(1, len(self.lines("metric_failing")))


if __name__ == "__main__":
    unittest.main()
