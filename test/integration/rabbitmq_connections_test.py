"""Weir's connections to a real RabbitMQ: TLS, client certificates, and their number."""
import json
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from support import Http2Front, RabbitMQ, ServerTest, Weir, shared_certificates

READY = 3
PAGED = 501  # queues: one more than a page of the management API holds
METRICS = 600
READS = 20_000
READERS = 8


def setUpModule():
    global broker, certificates
    folder = Path(unittest.enterModuleContext(tempfile.TemporaryDirectory(prefix="weir-test-")))
    certificates = shared_certificates()
    broker = unittest.enterModuleContext(RabbitMQ(folder / "rabbitmq", tls=certificates))
    broker.filled("orders", READY)


def secret(folder, name, text):
    (folder / name).write_text(text)
    return {"file": str(folder / name)}


def login(folder):
    return {"username": secret(folder, "username", broker.user), "password": secret(folder, "password", broker.password)}


def metric(name, block, **settings):
    return {"name": name, "namespaces": ["ml-inference"], "freshness": "1ms", **settings,
            "rabbitmq": {"backend": "broker", **block}}


def config_of(backends, metrics):
    return json.dumps({"backends": {name: {"rabbitmq": block} for name, block in backends.items()}, "metrics": metrics})


class RabbitMqTlsTest(ServerTest):
    @classmethod
    def setUpClass(cls):
        folder = cls.new_folder()
        broker.add_user("demo-admin", "never-shown", vhost="/")
        stranger, stranger_key = certificates.issue("unknown-to-rabbitmq", "client-ca", "/CN=unknown-to-rabbitmq")
        ca = str(certificates.crt("ca"))
        client = {"ca": ca, "certificate": str(certificates.crt("client")), "key": str(certificates.key("client"))}
        unknown = {"ca": ca, "certificate": str(stranger), "key": str(stranger_key)}
        wrong_ca = {"ca": str(certificates.crt("client-ca"))}
        by_name = broker.tls_url.replace("127.0.0.1", "localhost")
        backends = {"amqps": {"url": broker.tls_url, "tls": {"ca": ca}, **login(folder)},
                    "by_name": {"url": by_name, "tls": {"ca": ca}, **login(folder)},
                    "external": {"url": broker.tls_url, "tls": client},
                    "unknown": {"url": broker.tls_url, "tls": unknown},
                    "wrong_ca": {"url": broker.tls_url, "tls": wrong_ca, **login(folder)},
                    "plain_port": {"url": broker.url.replace("amqp:", "amqps:"), "tls": {"ca": ca}, **login(folder)},
                    "https": {"url": broker.tls_management_url, "tls": {"ca": ca}, **login(folder)},
                    "https_http2": {"url": broker.tls_management_url, "tls": {"ca": ca}, "http2": True, **login(folder)},
                    "https_wrong_ca": {"url": broker.tls_management_url, "tls": wrong_ca, **login(folder)}}
        metrics = [metric(name, {"backend": name, "queue": "orders"}) for name in backends]
        cls.weir = cls.start(Weir(folder / "weir", config_of(backends, metrics)))

    def read(self, name):
        return self.weir.metric("ml-inference", name)

    def test_amqps_verifies_the_broker_by_address_and_by_name(self):
        self.assert_values(self.read("amqps"), str(READY))
        self.assert_values(self.read("by_name"), str(READY))

    def test_without_a_password_the_client_certificate_is_the_login(self):
        self.assert_values(self.read("external"), str(READY))
        self.wait_for(lambda: "demo-admin" in {connection.get("user") for connection in broker.connections()}, 10)

    def test_a_certificate_without_a_user_at_the_broker_is_rejected(self):
        self.assert_status(self.read("unknown"), 503, "ServiceUnavailable",
                           "metric ml-inference/unknown: rabbitmq unknown: the credentials are refused")

    def test_a_broker_that_the_ca_did_not_sign_is_an_error(self):
        for name in ("wrong_ca", "https_wrong_ca"):
            with self.subTest(name):
                answer = self.read(name)

                self.assertEqual((503, "ServiceUnavailable"), (answer.status, answer.json()["reason"]))
                self.assertIn("TLS failed", self.message_of(answer))

    def test_tls_to_a_plain_port_is_an_error(self):
        answer = self.read("plain_port")

        self.assertEqual(503, answer.status)
        self.assertIn("TLS failed", self.message_of(answer))

    def test_https_queries_the_management_api(self):
        self.assert_values(self.read("https"), str(READY))

    def test_with_http2_a_broker_that_does_not_offer_it_is_read_over_http1(self):
        self.assert_values(self.read("https_http2"), str(READY))


class Http2Test(ServerTest):
    def test_queries_through_an_ingress_share_a_connection(self):
        folder = self.folder()
        pair = certificates.crt("serving"), certificates.key("serving")
        front = self.start_in_test(Http2Front(folder / "nginx", broker.management_port, pair))
        block = {"url": front.url, "tls": {"ca": str(certificates.crt("ca"))}, "http2": True, **login(folder)}
        weir = self.start_in_test(Weir(folder / "weir", config_of(
            {"broker": block}, [metric(f"m{i}", {"queue": "orders"}) for i in range(READERS)])))

        with ThreadPoolExecutor(READERS) as pool:
            for _ in range(5):
                for answer in pool.map(lambda i: weir.metric("ml-inference", f"m{i}"), range(READERS)):
                    self.assert_values(answer, str(READY))

        self.assertEqual({"HTTP/2.0"}, {protocol for _, protocol, _ in front.requests()})
        self.assertEqual(1, len({connection for connection, _, _ in front.requests()}))
        self.assertIn("/api/queues/%2F", front.requests()[0][2])


class PagesTest(ServerTest):
    def test_every_page_of_the_management_api_is_read(self):
        folder = self.folder()
        broker.add_vhost("pages")
        for n in range(PAGED):
            broker.declare(f"page.{n}", vhost="pages")
        broker.publish("page.0", 2, vhost="pages")
        broker.publish(f"page.{PAGED - 1}", 3, vhost="pages")
        block = {"queueRegex": r"page\.\d+"}
        weir = self.start_in_test(Weir(folder / "weir", config_of(
            {"broker": {"url": broker.management_url + "/pages", **login(folder)}},
            [metric("sum", block), metric("avg", {**block, "aggregate": "avg"}), metric("max", {**block, "aggregate": "max"})])))

        def value(name):
            answer = weir.metric("ml-inference", name)
            return answer.json()["items"][0]["value"] if answer.status == 200 else answer.text

        self.wait_for(lambda: value("sum") == "5", 10)  # the totals follow within a tenth of a second
        self.assertEqual("3", value("max"))
        self.assertEqual("9990u", value("avg"))  # 5 / 501, rounded up to three digits


class ManyMetricsTest(ServerTest):
    def test_hundreds_of_metrics_and_thousands_of_missing_queues_share_one_connection(self):
        folder = self.folder()
        for n in range(METRICS // 2):
            broker.declare(f"queue-{n}")
        metrics = [metric(f"present-{n}", {"queue": f"queue-{n}"}) for n in range(METRICS // 2)]
        metrics += [metric(f"missing-{n}", {"queue": "no-$(name)"}, labels={"name": "[0-9]+"})
                    for n in range(METRICS // 2)]
        before = broker.connections_accepted()
        weir = self.start_in_test(Weir(folder / "weir", config_of(
            {"broker": {"url": broker.url, **login(folder)}}, metrics)))

        def read_share(reader):
            """The statuses of every READERS-th read: one of a queue that is there, one of a queue that is not."""
            statuses = []
            with weir.persistent_reader() as read:
                for n in range(reader, READS // 2, READERS):
                    which = n % (METRICS // 2)
                    statuses.append(read("ml-inference", f"present-{which}").status)
                    statuses.append(read("ml-inference", f"missing-{which}", f"name={n}").status)
            return statuses

        with ThreadPoolExecutor(READERS) as pool:
            statuses = [status for share in pool.map(read_share, range(READERS)) for status in share]

        self.assertEqual((READS // 2, READS // 2), (statuses.count(200), statuses.count(404)))
        self.assertLessEqual(broker.connections_accepted() - before, 2)
        self.assertGreaterEqual(broker.connections_accepted() - before, 1)


if __name__ == "__main__":
    unittest.main()
