"""Numbers from a real RabbitMQ: over AMQP and from the management API, with the text of each error."""
import json
import tempfile
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from support import RabbitMQ, ServerTest, Weir

ODD_NAMES = ["two words", "a/b", "50%", "100%25", "очередь é", 'quo"te\\', "star.*+(x)", "back\\Eslash",
             "?q=1&r#s"]
LENGTHS = {"orders": 3, "idle": 0, "ml.embed": 2, "mlxembed": 9, "jobs.a": 5, "jobs.b": 6, "prefix.jobs.a": 100, "Orders": 100,
           **{name: n + 1 for n, name in enumerate(ODD_NAMES)}}
NONE_MATCHES = 'no queue matches "{}" in vhost "/"'
REFUSED_API = 'the credentials are refused, or the user has no access to vhost "/" (HTTP 401)'

# name, the metric's rabbitmq block, the quantity
VALUES = [
    ("ready_over_amqp", {"queue": "orders"}, "3"),
    ("empty_over_amqp", {"queue": "idle"}, "0"),
    ("the_urls_vhost", {"queue": "orders", "backend": "team"}, "4"),
    ("the_metrics_vhost", {"queue": "orders", "vhost": "team/a"}, "4"),
    ("total", {"queue": "orders", "backend": "api"}, "3"),
    ("ready", {"queue": "orders", "backend": "api", "count": "ready"}, "3"),
    ("unacknowledged", {"queue": "orders", "backend": "api", "count": "unacknowledged"}, "0"),
    ("empty", {"queue": "idle", "backend": "api"}, "0"),
    ("a_dot_is_a_dot", {"queue": "ml.embed", "backend": "api"}, "2"),
    ("the_api_urls_vhost", {"queue": "orders", "backend": "team_api"}, "4"),
    ("the_metrics_vhost_of_the_api", {"queue": "orders", "backend": "api", "vhost": "team/a"}, "4"),
    ("sum", {"queueRegex": r"jobs\..*", "backend": "api"}, "11"),
    ("a_real_average", {"queueRegex": r"jobs\..*", "backend": "api", "aggregate": "avg"}, "5500m"),
    ("max", {"queueRegex": r"jobs\..*", "backend": "api", "aggregate": "max"}, "6"),
    ("ready_of_several", {"queueRegex": r"jobs\..*", "backend": "api", "count": "ready"}, "11"),
    ("upper_case_is_another_name", {"queueRegex": "ord.*", "backend": "api"}, "3"),
    ("a_missing_queue_that_counts_as_none_over_amqp", {"queue": "no such", "missing": 0}, "0"),
    ("a_queue_that_is_there_is_not_missing", {"queue": "orders", "missing": 0}, "3"),
    ("a_missing_queue_that_counts_as_a_number", {"queue": "no such", "backend": "api", "missing": 2.5}, "2500m"),
    ("no_match_that_counts_as_none", {"queueRegex": "jobs", "backend": "api", "missing": 0}, "0"),
    ("alternatives_as_a_whole", {"queueRegex": "jobs.a|orders", "backend": "api"}, "8"),
]

# name, the metric's rabbitmq block, status, reason, text after "metric ml-inference/NAME: rabbitmq BACKEND: "
ERRORS = [
    ("missing_over_amqp", {"queue": "no such"}, 404, "NotFound", 'queue "no such" does not exist in vhost "/"'),
    ("missing_in_a_vhost", {"queue": "idle", "backend": "team"}, 404, "NotFound",
     'queue "idle" does not exist in vhost "team/a"'),
    ("no_vhost_over_amqp", {"queue": "orders", "backend": "nowhere"}, 404, "NotFound",
     'vhost "nowhere" does not exist'),
    ("wrong_password_over_amqp", {"queue": "orders", "backend": "wrong"}, 503, "ServiceUnavailable",
     "the credentials are refused"),
    ("nobody_listens", {"queue": "orders", "backend": "nobody"}, 503, "ServiceUnavailable", None),
    ("no_access_over_amqp", {"queue": "orders", "backend": "stranger"}, 503, "ServiceUnavailable", None),
    ("missing", {"queue": "no such", "backend": "api"}, 404, "NotFound", 'queue "no such" does not exist in vhost "/"'),
    ("a_name_is_no_prefix", {"queue": "order", "backend": "api"}, 404, "NotFound",
     'queue "order" does not exist in vhost "/"'),
    ("nothing_matches", {"queueRegex": "jobs", "backend": "api"}, 404, "NotFound", NONE_MATCHES.format("jobs")),
    ("no_vhost", {"queue": "orders", "backend": "api", "vhost": "nowhere"}, 404, "NotFound",
     'vhost "nowhere" does not exist, or the url is not the url of the management API'),
    ("no_vhost_is_no_missing_queue", {"queue": "orders", "backend": "api", "vhost": "nowhere", "missing": 0}, 404,
     "NotFound", 'vhost "nowhere" does not exist, or the url is not the url of the management API'),
    ("no_vhost_over_amqp_is_no_missing_queue", {"queue": "orders", "backend": "nowhere", "missing": 0}, 404, "NotFound",
     'vhost "nowhere" does not exist'),
    ("wrong_password", {"queue": "orders", "backend": "wrong_api"}, 503, "ServiceUnavailable", None),
    ("no_management_tag", {"queue": "orders", "backend": "stranger_api"}, 503, "ServiceUnavailable", None),
    ("no_publish_rate", {"queue": "idle", "backend": "api", "mode": "MessageRate"}, 503, "ServiceUnavailable",
     "the broker reports no publish rate for a queue (statistics may be disabled, or the queue may be too new)"),
    ("no_delivery_rate", {"queue": "idle", "backend": "api", "mode": "DeliverGetRate"}, 503, "ServiceUnavailable",
     "the broker reports no delivery rate for a queue (statistics may be disabled, or the queue may be too new)"),
]


def rabbitmq_metric(name, block, **settings):
    return {"name": name, "namespaces": ["ml-inference"], "freshness": "1ms", **settings,
            "rabbitmq": {"backend": "amqp", **block}}


def metrics():
    out = [rabbitmq_metric(name, block) for name, block, *_ in VALUES + ERRORS]
    for n, name in enumerate(ODD_NAMES):
        out += [rabbitmq_metric(f"odd_{n}", {"queue": name}),
                rabbitmq_metric(f"odd_{n}_api", {"queue": name, "backend": "api"})]
    label = {"queue": r"[a-z0-9._-]+"}
    out += [rabbitmq_metric("by_label", {"queue": "$(queue)"}, labels=label),
            rabbitmq_metric("by_label_api", {"queue": "$(queue)", "backend": "api"}, labels=label),
            rabbitmq_metric("rate", {"queue": "busy", "backend": "api", "mode": "MessageRate"})]
    for name, backend in (("by_vhost", "amqp"), ("by_vhost_api", "limited_api")):
        out.append(rabbitmq_metric(name, {"queue": "orders", "backend": backend, "vhost": "$(vhost)"},
                                   labels={"vhost": ".*"}))
    for name, block in (("quorum", {"queue": "quorum"}), ("quorum_and_classic", {"queueRegex": "quorum|orders"})):
        out.append(rabbitmq_metric(name, {"backend": "api", **block}))
    for count in ("total", "ready", "unacknowledged"):
        out.append(rabbitmq_metric(f"held_{count}", {"queue": "held", "backend": "api", "count": count}))
    return out + [rabbitmq_metric("held_amqp", {"queue": "held"})]


def backends(broker, folder):
    def login(user, password):
        out = {}
        for key, text in (("username", user), ("password", password)):
            file = folder / f"{key}-{password}"
            file.write_text(text)
            out[key] = {"file": str(file)}
        return out

    right, wrong = login(broker.user, broker.password), login(broker.user, "not-the-pass")
    stranger, limited = login("stranger", "stranger-pass"), login("limited", "limited-pass")
    amqp, api = broker.url, broker.management_url
    blocks = {"amqp": {"url": amqp, **right}, "team": {"url": amqp + "/team%2Fa", **right},
              "nowhere": {"url": amqp + "/nowhere", **right}, "wrong": {"url": amqp, **wrong},
              "stranger": {"url": amqp, **stranger}, "nobody": {"url": "amqp://127.0.0.1:1", **right},
              "api": {"url": api, **right}, "team_api": {"url": api + "/team%2Fa", **right},
              "wrong_api": {"url": api, **wrong}, "stranger_api": {"url": api, **stranger},
              "limited_api": {"url": api, **limited}}
    return {name: {"rabbitmq": block} for name, block in blocks.items()}


def config_of(folder):
    return json.dumps({"backends": backends(broker, folder), "metrics": metrics()})


def setUpModule():
    global broker
    folder = Path(unittest.enterModuleContext(tempfile.TemporaryDirectory(prefix="weir-test-")))
    broker = unittest.enterModuleContext(RabbitMQ(folder / "rabbitmq"))
    broker.add_vhost("team/a")
    broker.add_user("stranger", "stranger-pass")
    for name, length in LENGTHS.items():
        broker.filled(name, length)
    broker.filled("orders", 4, vhost="team/a")
    broker.add_vhost("open")
    broker.filled("orders", 2, vhost="open")
    broker.add_user("limited", "limited-pass", vhost="open", tags="management")
    broker.add_vhost("closed")
    broker.call("DELETE", f"/api/permissions/closed/{broker.user}")
    broker.declare("quorum", arguments={"x-queue-type": "quorum"})
    broker.publish("quorum", 42)


class RabbitMqTest(ServerTest):
    @classmethod
    def setUpClass(cls):
        folder = cls.new_folder()
        cls.weir = cls.start(Weir(folder / "weir", config_of(folder)))

    def read(self, name, selector=None):
        return self.weir.metric("ml-inference", name, selector)

    def wait_for_value(self, name, value):
        """The broker's own statistics follow within its interval of half a second."""
        self.wait_for(lambda: (response := self.read(name)).status == 200 and response.json()["items"][0]["value"] == value)

    def test_a_queue_has_its_number(self):
        for name, _, expected in VALUES:
            with self.subTest(name):
                self.assert_values(self.read(name), expected)

    def test_a_result_without_a_number_is_an_error_with_its_text(self):
        for name, block, status, reason, text in ERRORS:
            with self.subTest(name):
                start = f"metric ml-inference/{name}: rabbitmq {block.get('backend', 'amqp')}: "

                answer = self.read(name)

                if text is None:
                    self.assertEqual((status, reason), (answer.status, answer.json()["reason"]))
                    self.assertTrue(self.message_of(answer).startswith(start), answer.text)
                else:
                    self.assert_status(answer, status, reason, start + text)

    def test_rejected_credentials_are_an_error_without_a_secret(self):
        table = [("no_access_over_amqp", 'rabbitmq stranger: no access to vhost "/"'),
                 ("wrong_password", "rabbitmq wrong_api: " + REFUSED_API),
                 ("no_management_tag", "rabbitmq stranger_api: " + REFUSED_API)]
        for name, text in table:
            with self.subTest(name):
                message = self.message_of(self.read(name))

                self.assertIn(text, message)
                self.assertNotRegex(message, "not-the-pass|stranger-pass|" + broker.user)

    def test_a_queues_name_is_literal_whatever_it_contains(self):
        for n, name in enumerate(ODD_NAMES):
            with self.subTest(name):
                self.assert_values(self.read(f"odd_{n}"), str(n + 1))
                self.assert_values(self.read(f"odd_{n}_api"), str(n + 1))

    def test_a_label_selects_the_queue(self):
        for name in ("by_label", "by_label_api"):
            with self.subTest(name):
                self.assert_values(self.read(name, "queue=orders"), "3")
                self.assert_values(self.read(name, "queue in (jobs.a,jobs.b)"), "5", "6")
                self.assertEqual(404, self.read(name, "queue=missing").status)

    def test_a_label_selects_a_single_vhost(self):
        for name, backend in (("by_vhost", "amqp"), ("by_vhost_api", "limited_api")):
            with self.subTest(name):
                self.assert_values(self.read(name, "vhost=open"), "2")
                self.assert_status(self.read(name, "vhost="), 400, "BadRequest", f"metric ml-inference/{name}: rabbitmq "
                                   f"{backend}: queue and vhost names must not be empty")

    def test_a_closed_vhost_does_not_close_the_connections_of_others(self):
        for name in ("by_vhost", "by_vhost_api"):
            with self.subTest(name):
                self.assertEqual(503, self.read(name, "vhost=closed").status)

                self.assert_values(self.read(name, "vhost=open"), "2")

    def test_a_label_that_does_not_match_its_pattern_sends_no_query(self):
        answer = self.read("by_label", "queue=Orders")

        self.assert_status(answer, 400, "BadRequest", 'metric ml-inference/by_label: value "Orders" of label queue '
                           r'does not match the pattern [a-z0-9._-]+')

    def test_a_delivered_message_counts_as_unacknowledged_until_it_is_requeued(self):
        broker.filled("held", 3)
        self.addCleanup(broker.delete, "held")
        self.wait_for_value("held_total", "3")

        with broker.holding("held"):
            self.wait_for_value("held_unacknowledged", "1")
            self.wait_for_value("held_ready", "2")
            self.wait_for_value("held_total", "3")
            self.wait_for_value("held_amqp", "2")

        self.wait_for_value("held_unacknowledged", "0")
        self.wait_for_value("held_amqp", "3")

    def test_a_new_queue_is_read_and_a_deleted_queue_is_an_error(self):
        for name in ("by_label", "by_label_api"):
            with self.subTest(name):
                self.assertEqual(404, self.read(name, "queue=visitor").status)
                broker.filled("visitor", 2)

                # A failure is kept for a second, lest a misspelt metric asks with every read.
                self.wait_for(lambda: self.read(name, "queue=visitor").status == 200, 3)
                self.assert_values(self.read(name, "queue=visitor"), "2")

                broker.delete("visitor")
                self.wait_for(lambda: self.read(name, "queue=visitor").status == 404, 3)

    def test_a_rate_is_that_of_the_brokers_statistics(self):
        broker.declare("busy")
        self.addCleanup(broker.delete, "busy")

        def has_rate():
            broker.publish("busy")
            answer = self.read("rate")
            return answer.status == 200 and answer.json()["items"][0]["value"] not in ("0", "")

        self.wait_for(has_rate, 15)

    def test_hundreds_of_reads_of_present_and_missing_queues_share_one_connection(self):
        self.assert_values(self.read("ready_over_amqp"), "3")
        self.wait_for(lambda: broker.connections_accepted() > 0)
        before = broker.connections_accepted()
        questions = ["orders", "missing", "jobs.a", "absent", "jobs.b", "gone"] * 60

        with ThreadPoolExecutor(8) as pool:
            statuses = list(pool.map(lambda queue: self.read("by_label", f"queue={queue}").status, questions))

        self.assertEqual([200, 404] * 180, statuses)
        self.assertEqual(0, broker.connections_accepted() - before)
        ours = [connection for connection in broker.connections() if connection.get("vhost") == "/"]
        self.assertEqual(1, len(ours), ours)

    def test_a_rejected_login_is_not_repeated_with_every_read(self):
        before = broker.connections_accepted()
        weir = self.start_in_test(Weir(self.folder(), config_of(self.folder())))
        self.assertEqual(503, weir.metric("ml-inference", "wrong_password_over_amqp").status)
        self.wait_for(lambda: broker.connections_accepted() == before + 1)

        statuses = [weir.metric("ml-inference", "wrong_password_over_amqp").status for _ in range(20)]

        self.assertEqual([503] * 20, statuses)
        self.assertEqual(before + 1, broker.connections_accepted())


class RabbitMqRestartTest(ServerTest):
    def test_a_restarted_broker_is_read_again_within_two_seconds_of_its_return(self):
        folder = self.folder()
        weir = self.start_in_test(Weir(folder / "weir", config_of(folder)))
        for name in ("ready_over_amqp", "total"):
            self.assert_values(weir.metric("ml-inference", name), "3")

        broker.stop()
        answers = [weir.metric("ml-inference", name) for name in ("ready_over_amqp", "total")]
        broker.start()
        back = time.monotonic()
        for name in ("ready_over_amqp", "total"):
            self.wait_for(lambda: weir.metric("ml-inference", name).status == 200)

        self.assertLess(time.monotonic() - back, 2)
        self.assertEqual([(503, "ServiceUnavailable")] * 2, [(response.status, response.json()["reason"]) for response in answers])
        for name in ("ready_over_amqp", "total"):
            self.assert_values(weir.metric("ml-inference", name), "3")

    def test_a_quorum_queue_is_never_empty_before_it_is_counted(self):
        folder = self.folder()
        weir = self.start_in_test(Weir(folder / "weir", config_of(folder)))
        values_by_metric = {"quorum": set(), "quorum_and_classic": set()}

        def all_counted():
            for name, values in values_by_metric.items():
                answer = weir.metric("ml-inference", name)
                values.add(answer.json()["items"][0]["value"] if answer.status == 200 else answer.status)
            return {"42"} <= values_by_metric["quorum"] and {"45"} <= values_by_metric["quorum_and_classic"]

        broker.restart()
        self.wait_for(all_counted, 30)

        self.assertLessEqual(values_by_metric["quorum"], {"42", 503, 404})
        self.assertLessEqual(values_by_metric["quorum_and_classic"], {"45", 503, 404})


if __name__ == "__main__":
    unittest.main()
