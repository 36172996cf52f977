"""KEDA's own test cases for RabbitMQ, by what Weir answers: equal where KEDA is right, an error where it guesses.

A state that a test can bring about is that of a real broker; exact rates and broken replies are played by a script.
The cases that differ on purpose say so in their names; scalers/README.md says why.
"""
import json
import unittest

from support import RabbitMQ, ScriptedServer, ServerTest, Weir, run_weir

PUBLISHED, DELIVERED = "publish_details", "deliver_get_details"


def queue(name="q", messages=0, ready=None, publish=None, deliver=None):
    """A queue as the management API lists it; without rates it has no message_stats."""
    out = {"name": name, "messages": messages, "messages_ready": messages if ready is None else ready,
           "messages_unacknowledged": 0}
    rates = {key: {"rate": rate} for key, rate in ((PUBLISHED, publish), (DELIVERED, deliver)) if rate is not None}
    return {**out, "message_stats": rates} if rates else out


def page(*queues, page_count=1):
    return json.dumps({"items": list(queues), "page_count": page_count})


TWO = (queue("a", 10, 4, 2, 6), queue("b", 20, 8, 4, 2))
INFINITE = ("nothing is delivered from the queue, so the value would be infinite; set noConsumers to the number to "
            "report instead")
NO_RATE = "the broker reports no publish rate for a queue (statistics may be disabled, or the queue may be too new)"
EQCT, RATIO = "ExpectedQueueConsumptionTime", "PublishedToDeliveredRatio"

# name, what the API lists, the metric's settings, the quantity, or the error's text
SCRIPTED = [
    ("keda_03_no_messages_and_one_unacknowledged_is_0",
     [queue(messages=0)], {}, "0"),
    ("keda_04_message_rate_without_messages",
     [queue(messages=0, publish=1.4)], {"mode": "MessageRate"}, "1400m"),
    ("keda_06_deliver_get_rate",
     [queue(deliver=12.5)], {"mode": "DeliverGetRate"}, "12500m"),
    ("keda_07_a_deliver_get_rate_of_0",
     [queue(deliver=0)], {"mode": "DeliverGetRate"}, "0"),
    ("keda_09_consumption_time_without_messages_is_0",
     [queue(messages=0, publish=0, deliver=2)], {"mode": EQCT}, "0"),
    ("keda_10_consumption_time_without_deliveries_is_an_error",
     [queue(messages=10, publish=3, deliver=0)], {"mode": EQCT}, INFINITE),
    ("keda_10_consumption_time_without_deliveries_is_what_noConsumers_says",
     [queue(messages=10, publish=3, deliver=0)], {"mode": EQCT, "noConsumers": 1}, "1"),
    ("keda_12_consumption_time",
     [queue(messages=4, publish=0, deliver=2)], {"mode": EQCT}, "1"),
    ("keda_13_published_to_delivered",
     [queue(publish=4, deliver=2)], {"mode": RATIO}, "2"),
    ("keda_15_sum_of_messages", TWO, {"queueRegex": ".*", "aggregate": "sum"}, "30"),
    ("keda_15_sum_of_ready", TWO, {"queueRegex": ".*", "aggregate": "sum", "count": "ready"}, "12"),
    ("keda_15_sum_of_publish_rates", TWO, {"queueRegex": ".*", "aggregate": "sum", "mode": "MessageRate"}, "6"),
    ("keda_15_sum_of_delivery_rates", TWO, {"queueRegex": ".*", "aggregate": "sum", "mode": "DeliverGetRate"}, "8"),
    ("keda_16_average_of_messages", TWO, {"queueRegex": ".*", "aggregate": "avg"}, "15"),
    ("keda_16_average_of_ready", TWO, {"queueRegex": ".*", "aggregate": "avg", "count": "ready"}, "6"),
    ("keda_16_average_of_publish_rates", TWO, {"queueRegex": ".*", "aggregate": "avg", "mode": "MessageRate"}, "3"),
    ("keda_16_average_of_delivery_rates", TWO, {"queueRegex": ".*", "aggregate": "avg", "mode": "DeliverGetRate"}, "4"),
    ("keda_25_a_rate_without_statistics_is_an_error", [queue(messages=3)], {"mode": "MessageRate"}, NO_RATE),
]

# name, the url's path and the backend's vhost, the path that is asked
VHOSTS = [
    ("keda_81_the_urls_path_is_the_vhost", "/myVhost", None, "/api/queues/myVhost"),
    ("keda_82_what_is_in_front_of_it_is_a_prefix", "/sub1/myVhost", None, "/sub1/api/queues/myVhost"),
    ("keda_84_an_encoded_slash_belongs_to_the_vhost", "/%2FmyVhost", None, "/api/queues/%2FmyVhost"),
    ("keda_85_the_vhost_setting_wins", "/myVhost", "other", "/api/queues/other"),
]

USER = {"username": {"file": "USER"}, "password": {"file": "PASSWORD"}}
AMQP = {"url": "amqp://broker:5672", **USER}

# name, the backend, the metric, words of the problem
REFUSED = [
    ("keda_73_queueLength_with_value", AMQP, {"queue": "q", "queueLength": 5, "value": 5}, 'unknown key "queueLength"'),
    ("keda_76_message_rate_over_amqp", AMQP, {"queue": "q", "mode": "MessageRate"},
     "the rate modes need a backend with an http:// or https:// url"),
    ("keda_76_consumption_time_over_amqp", AMQP, {"queue": "q", "mode": EQCT},
     "the rate modes need a backend with an http:// or https:// url"),
    ("keda_76_a_regex_over_amqp", AMQP, {"queueRegex": "q.*"},
     "queueRegex needs a backend with an http:// or https:// url"),
    ("keda_76_a_timeout_over_amqp", AMQP, {"queue": "q", "timeout": "3s"}, 'unknown key "timeout"'),
    ("keda_78_a_certificate_without_its_key",
     {"url": "amqps://broker", **USER, "tls": {"certificate": "USER"}}, {"queue": "q"},
     "certificate and key go together; write both or neither"),
    ("keda_78_a_username_without_a_password", {"url": AMQP["url"], "username": USER["username"]}, {"queue": "q"},
     "username and password go together; write both or neither"),
    ("keda_79_no_host", USER, {"queue": "q"}, "a rabbitmq backend needs url"),
    ("keda_79_a_host_without_a_scheme", {"url": "rabbitmq.ml-inference", **USER}, {"queue": "q"},
     "the url needs the scheme amqp, amqps, http or https; write amqp://HOST:PORT"),
]


def config_of(backends, metrics):
    return json.dumps({"backends": {name: {"rabbitmq": block} for name, block in backends.items()},
                       "metrics": [{"name": name, "namespaces": ["ml"], "freshness": "1ms",
                                    "rabbitmq": {**({} if "queueRegex" in block else {"queue": "q"}), **block}}
                                   for name, block in metrics.items()]})


def login(folder, user="weir", password="planted-pass"):
    (folder / "user").write_text(user)
    (folder / "password").write_text(password)
    return {"username": {"file": str(folder / "user")}, "password": {"file": str(folder / "password")}}


class KedaScriptedTest(ServerTest):
    """Each backend is a path prefix of one scripted management API."""

    @classmethod
    def setUpClass(cls):
        folder = cls.new_folder()
        replies = {name: page(*queues) for name, queues, *_ in SCRIPTED}

        def play(turn):
            path = turn.request.target.split("?")[0]
            name = path.split("/")[1]
            if name == "refused":
                turn.answer("not authorised with planted-pass", "401 Unauthorized")
            elif name == "paged":
                number = int(turn.request.form["page"])
                turn.answer(page(queue(f"q{number}", messages=number * 10), page_count=3))
            else:
                turn.answer(replies.get(name, page(queue(messages=7))))
        cls.server = cls.start(ScriptedServer(play))
        url = cls.server.url
        backends = {name: {"url": f"{url}/{name}/", **login(folder)} for name, *_ in SCRIPTED}
        metrics = {name: {"backend": name, **settings} for name, _, settings, _ in SCRIPTED}
        for name, path, vhost, _ in VHOSTS:
            backends[name] = {"url": url + path, **({"vhost": vhost} if vhost else {}), **login(folder)}
            metrics[name] = {"backend": name}
        for name in ("refused", "paged"):
            backends[name] = {"url": f"{url}/{name}/", **login(folder)}
        metrics["refused"] = {"backend": "refused"}
        metrics["paged"] = {"backend": "paged", "queueRegex": ".*"}
        cls.weir = cls.start(Weir(folder / "weir", config_of(backends, metrics)))

    def test_22_all_pages_are_read_and_summed(self):
        self.assert_values(self.weir.metric("ml", "paged"), "60")

    def test_24_a_401_is_an_error_with_the_brokers_text_and_without_the_password(self):
        answer = self.weir.metric("ml", "refused")

        self.assertEqual(503, answer.status)
        self.assertIn('metric ml/refused: rabbitmq refused: the credentials are refused, or the user has no access to '
                      'vhost "/" '
                      "(HTTP 401): not authorised with ", self.message_of(answer))
        self.assertNotIn("planted-pass", answer.text)


def scripted_case(name, expected):
    def test(self):
        answer = self.weir.metric("ml", name)

        if expected[0].isdigit():
            self.assert_values(answer, expected)
        else:
            self.assert_status(answer, 503, "ServiceUnavailable", f"metric ml/{name}: rabbitmq {name}: {expected}")
    return test


def vhost_case(name, path):
    def test(self):
        self.server.requests.clear()

        self.assert_values(self.weir.metric("ml", name), "7")

        self.assertEqual([path], [request.target.split("?")[0] for request in self.server.requests])
    return test


def error_case(backend, metric, words):
    def test(self):
        folder = self.folder()
        login(folder)
        text = config_of({"broker": backend}, {"m": {"backend": "broker", **metric}})
        for name in ("user", "password"):
            text = text.replace(f'"{name.upper()}"', json.dumps(str(folder / name)))
        (folder / "weir.yaml").write_text(text)

        run = run_weir("check", folder / "weir.yaml")

        self.assertEqual(1, run.returncode, run.stdout + run.stderr)
        self.assertIn(words, run.stdout + run.stderr)
    return test


class KedaConfigurationTest(ServerTest):
    def test_75_the_default_mode_is_the_queues_length(self):
        folder = self.folder()
        (folder / "weir.yaml").write_text(config_of({"broker": {"url": AMQP["url"], **login(folder)}},
                                                    {"m": {"backend": "broker"}}))

        run = run_weir("check", folder / "weir.yaml")

        self.assertEqual(0, run.returncode, run.stdout + run.stderr)


for _name, _, _, _expected in SCRIPTED:
    setattr(KedaScriptedTest, f"test_{_name[5:]}", scripted_case(_name, _expected))
for _name, _, _, _path in VHOSTS:
    setattr(KedaScriptedTest, f"test_{_name[5:]}", vhost_case(_name, _path))
for _name, _backend, _metric, _words in REFUSED:
    setattr(KedaConfigurationTest, f"test_{_name[5:]}", error_case(_backend, _metric, _words))


class KedaRealBrokerTest(ServerTest):
    @classmethod
    def setUpClass(cls):
        folder = cls.new_folder()
        cls.broker = cls.start(RabbitMQ(folder / "rabbitmq"))
        for name, count in {"held": 4, "jobs.1": 5, "jobs.2": 6, "few.1": 3, "few.2": 4, "even.1": 3, "even.2": 3,
                            "hello": 100, "hello-1": 100, "hello-hello": 100}.items():
            cls.broker.filled(name, count)
        backend = {"url": cls.broker.management_url, **login(folder, cls.broker.user, cls.broker.password)}
        metrics = {"held": {"queue": "held"},
                   "jobs": {"queueRegex": r"jobs\..*", "aggregate": "avg"},
                   "few": {"queueRegex": r"few\..*", "aggregate": "avg", "count": "ready"},
                   "even": {"queueRegex": r"even\..*", "aggregate": "sum", "count": "ready"},
                   "hello": {"queueRegex": "^hell.{1}$"}}
        cls.weir = cls.start(Weir(folder / "weir", config_of(
            {"broker": backend}, {name: {"backend": "broker", **block} for name, block in metrics.items()})))

    def assert_becomes(self, name, value):
        """The broker's totals follow within a tenth of a second."""
        self.wait_for(lambda: (response := self.weir.metric("ml", name)).status == 200
                      and response.json()["items"][0]["value"] == value, 10)

    def test_01_the_count_includes_an_unacknowledged_message(self):
        with self.broker.holding("held"):
            self.assert_becomes("held", "4")

    def test_18_an_average_is_real(self):
        self.assert_becomes("jobs", "5500m")

    def test_19_an_average_of_ready_messages_is_real(self):
        self.assert_becomes("few", "3500m")

    def test_21_a_sum_of_ready_messages(self):
        self.assert_becomes("even", "6")

    def test_94_a_regex_matches_the_whole_name(self):
        self.assert_becomes("hello", "100")


if __name__ == "__main__":
    unittest.main()
