"""One queue is missing among nine that are not, for a minute's reads: what the log, the Status, explain and /metrics say."""
import re
import unittest

from support import RabbitMQ, ServerTest, Weir, config, metric_path, run_weir

QUEUES = [f"ml.{n}" for n in range(10)]
MISSING = QUEUES[6]
GONE = "ml.mail"  # never there
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
        cls.login = {name: {"file": str(folder / name)} for name in ("username", "password")}
        cls.weir = cls.start(Weir(folder / "weir", config(
            {"api": {"rabbitmq": {"url": cls.broker.management_url, **cls.login}}},
            {"name": "queue_depth", "namespaces": ["shop"], "freshness": "1ms", "labels": {"queue": r"ml\.[0-9]+"},
             "rabbitmq": {"backend": "api", "queue": "$(queue)"}})))

    def test_check_live_says_that_a_number_is_of_a_queue_that_does_not_exist(self):
        folder = self.folder()
        file = folder / "weir.yaml"
        backends = {name: {"rabbitmq": {"url": url, **self.login}}
                    for name, url in (("api", self.broker.management_url), ("amqp", self.broker.url))}
        queues = {"there": {"queue": QUEUES[0]}, "gone": {"queue": GONE, "missing": 0}}
        blocks = {f"{backend}_{name}": {"backend": backend, **queue} for backend in backends for name, queue in queues.items()}
        blocks["none"] = {"backend": "api", "queueRegex": r"nl\..*", "missing": 0}
        file.write_text(config(backends, *({"name": name, "namespaces": ["shop"], "rabbitmq": block}
                                           for name, block in blocks.items())))

        # The management API lists a queue a moment after its declaration.
        run = self.wait_for(lambda: (run := run_weir("check", file, "--live")).returncode == 0 and run, 15)

        address = {name: backend["rabbitmq"]["url"].partition("//")[2] for name, backend in backends.items()}
        missing = f'queue "{GONE}" does not exist in vhost "/"'
        others = '; the user sees N queues in vhost "/"'
        self.assertEqual(["ok         shop/api_there = 1",
                          f'warning    shop/api_gone = 0, but {missing}{others} (api is {address["api"]})',
                          "ok         shop/amqp_there = 1",
                          f'warning    shop/amqp_gone = 0, but {missing} (amqp is {address["amqp"]})',
                          f'warning    shop/none = 0, but no queue matches "nl\\..*" in vhost "/"{others} (api is {address["api"]})'],
                         re.sub(r"sees \d+ queues", "sees N queues", run.stdout).splitlines()[1:])

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
