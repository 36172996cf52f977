"""Backends behind a real forward proxy: what passes through it, and what it refuses."""
import json
import unittest

from support import (ForwardProxy, Prometheus, RabbitMQ, ScriptedServer, ServerTest, SocksProxy, TlsFront, Weir, config,
                     free_port, metric, prometheus_backend, run_weir, shared_certificates, vector)

TOKEN = "token-of-the-server"


class ForwardedTest(ServerTest):
    """What passes through the proxy, as its own log has it."""

    @classmethod
    def setUpClass(cls):
        folder = cls.folder_ = cls.new_folder()
        certificates = shared_certificates()
        ca = {"ca": str(certificates.crt("ca"))}
        (folder / "token").write_text(TOKEN)
        cls.plain = cls.start(Prometheus(folder / "plain"))
        cls.tls = cls.start(Prometheus(folder / "tls", tls=certificates))
        cls.rabbit = cls.start(RabbitMQ(folder / "rabbitmq"))
        for name in ("user", "password"):
            (folder / name).write_text(getattr(cls.rabbit, name))
        cls.scripted = cls.start(ScriptedServer(lambda turn: turn.answer(vector(7))))
        cls.proxy = cls.start(ForwardProxy(folder / "proxy"))
        cls.asking = cls.start(ForwardProxy(folder / "asking", login=("some", "body")))
        cls.strict = cls.start(ForwardProxy(folder / "strict", connect_ports=[1]))
        cls.socks = cls.start(SocksProxy(folder / "socks"))
        cls.front = cls.start(TlsFront(cls.proxy.port, (certificates.crt("serving"), certificates.key("serving"))))
        cls.gone = f"http://127.0.0.1:{free_port()}"
        login = {"username": {"file": str(folder / "user")}, "password": {"file": str(folder / "password")}}
        backends = {
            "plain": prometheus_backend(cls.plain.url, proxy=cls.proxy.url),
            "tls": prometheus_backend(cls.tls.url, proxy=cls.proxy.url, tls=ca),
            "scripted": prometheus_backend(cls.scripted.url, proxy=cls.proxy.url, token={"file": str(folder / "token")}),
            "named": prometheus_backend(cls.plain.url, proxy=cls.proxy.url.replace("127.0.0.1", "localhost")),
            "socks": prometheus_backend(cls.plain.url.replace("127.0.0.1", "localhost"), proxy=cls.socks.url),
            "socks_tls": prometheus_backend(cls.tls.url, proxy=cls.socks.url, tls=ca),
            "within_tls": prometheus_backend(cls.tls.url, proxy=cls.front.url, tls=ca),
            "within_other_tls": prometheus_backend(cls.plain.url, proxy=cls.front.url),
            "direct": prometheus_backend(cls.plain.url, proxy="none"),
            "asking": prometheus_backend(cls.plain.url, proxy=cls.asking.url),
            "asking_tls": prometheus_backend(cls.tls.url, proxy=cls.asking.url, tls=ca),
            "strict": prometheus_backend(cls.tls.url, proxy=cls.strict.url, tls=ca),
            "gone": prometheus_backend(cls.plain.url, proxy=cls.gone),
            "gone_tls": prometheus_backend(cls.tls.url, proxy=cls.gone, tls=ca),
            "unnamed": prometheus_backend(cls.plain.url, proxy="http://proxy.weir-test.invalid:3128"),
            "far_gone": prometheus_backend(f"https://127.0.0.1:{free_port()}", proxy=cls.proxy.url, tls=ca),
            "other_ca": prometheus_backend(cls.tls.url, proxy=cls.proxy.url, tls={"ca": str(certificates.crt("client-ca"))}),
            "broker": {"rabbitmq": {"url": cls.rabbit.management_url, "proxy": cls.proxy.url, **login}},
        }
        metrics = [metric(name, "vector(42)", backend=name, freshness="1ms", deadline="1s")
                   for name in backends if name != "broker"]
        metrics.append({"name": "depth", "namespaces": ["ml-inference"], "freshness": "1ms",
                        "rabbitmq": {"backend": "broker", "queue": "orders"}})
        cls.config = config(backends, *metrics)
        cls.weir = cls.start(Weir(folder / "weir", cls.config))

    def read(self, name):
        return self.weir.metric("ml-inference", name)

    def assert_error(self, name, code, text, kind="prometheus"):
        response = self.read(name)
        self.assert_status(response, code, {503: "ServiceUnavailable", 504: "Timeout"}[code],
                           f"metric ml-inference/{name}: {kind} {name}: {text}")

    def test_http_is_asked_with_the_whole_url(self):
        self.assert_values(self.read("plain"), "42")

        lines = [line for line in self.proxy.requests() if f":{self.plain.port}/" in line]
        self.assertTrue(lines and lines[0].startswith(f"GET {self.plain.url}/api/v1/query?query="), lines)

    def test_https_passes_through_a_tunnel_that_is_kept(self):
        before = self.connects()

        for _ in range(5):
            self.assert_values(self.read("tls"), "42")

        self.assertLessEqual(len(self.connects()) - len(before), 1)
        self.assertEqual({f"CONNECT 127.0.0.1:{self.tls.port} HTTP/1.1"}, set(self.connects()))

    def connects(self):
        return [line for line in self.proxy.requests() if line.startswith(f"CONNECT 127.0.0.1:{self.tls.port} ")]

    def test_the_name_of_a_proxy_is_looked_up(self):
        before = self.proxy.connections_made()

        self.assert_values(self.read("named"), "42")

        self.assertGreater(self.proxy.connections_made(), before)

    def test_a_socks_proxy_gets_the_name_of_the_server(self):
        for name in ("socks", "socks_tls"):
            with self.subTest(name):
                self.assert_values(self.read(name), "42")

        self.assertEqual({f"localhost:{self.plain.port}", f"127.0.0.1:{self.tls.port}"}, set(self.socks.servers()))

    def test_the_proxy_itself_may_be_within_tls(self):
        before = len(self.connects())

        for _ in range(3):
            self.assert_values(self.read("within_tls"), "42")

        # Nobody can see whether bytes wait in the outer of two layers of TLS: no connection is used twice.
        self.assertEqual(before + 3, len(self.connects()))
        # Only the roots of the system are known for it, because a backend over http has no tls block.
        self.assert_error("within_other_tls", 503, "the proxy: TLS failed: unable to get local issuer certificate")
        self.assert_values(self.read("within_tls"), "42")
        self.assert_values(self.read("plain"), "42")

    def test_the_management_api_is_asked_through_the_proxy(self):
        self.rabbit.declare("orders")

        self.assert_values(self.read("depth"), "0")

        self.assertTrue([line for line in self.proxy.requests() if f":{self.rabbit.management_port}/api/queues/" in line])

    def test_a_token_reaches_the_server(self):
        self.assert_values(self.read("scripted"), "7")

        self.assertEqual(f"Bearer {TOKEN}", self.scripted.requests[-1].headers["authorization"])

    def test_none_is_a_direct_connection(self):
        before = self.proxy.requests()

        self.assert_values(self.read("direct"), "42")

        self.assertEqual(before, self.proxy.requests())

    def test_a_proxy_that_asks_for_a_login_is_named_as_the_one_who_does(self):
        text = ("the proxy requires a login (HTTP 407); set HTTP_PROXY or HTTPS_PROXY to "
                "http://USER:PASSWORD@HOST:PORT")
        for name in ("asking", "asking_tls"):
            with self.subTest(name):
                self.assert_error(name, 503, text)

    def test_a_tunnel_that_the_proxy_refuses_or_cannot_make_is_not_the_servers_error(self):
        self.assert_error("strict", 503, "the proxy cannot connect to the server (HTTP 403)")
        self.assert_error("far_gone", 503, "the proxy cannot connect to the server (HTTP 500)")

    def test_a_proxy_that_is_not_there_is_named(self):
        for name in ("gone", "gone_tls"):
            with self.subTest(name):
                self.assert_error(name, 503, "the proxy: cannot connect (Connection refused)")
        message = self.message_of(self.read("unnamed"))
        self.assertIn("prometheus unnamed: the proxy: its host name does not resolve (", message)
        self.assertNotIn("weir-test", message)

    def test_the_certificate_is_that_of_the_server(self):
        self.assert_error("other_ca", 503, "TLS failed: unable to get local issuer certificate")

    def test_check_and_explain_say_which_proxy_is_used(self):
        file = self.weir.config_file

        checked = run_weir("check", file)
        explained = run_weir("explain", "--config", file, "ml-inference/tls")
        direct = run_weir("explain", "--config", file, "ml-inference/direct", "-o", "json")

        self.assertIn(f"note       backend tls: it uses the proxy {self.proxy.url} (proxy of the backend)\n", checked.stdout)
        self.assertNotIn("backend direct:", checked.stdout)
        self.assertIn(f"\nproxy        {self.proxy.url} (proxy of the backend)\n", explained.stdout)
        self.assertEqual("none (proxy: none of the backend)", json.loads(direct.stdout)["backend"]["proxy"])


class DyingTest(ServerTest):
    """A proxy that dies under kept connections, and comes back."""

    def test_reads_fail_meanwhile_and_then_have_values_again(self):
        folder = self.folder()
        certificates = shared_certificates()
        plain = self.start_in_test(Prometheus(folder / "plain"))
        tls = self.start_in_test(Prometheus(folder / "tls", tls=certificates))
        proxy = self.start_in_test(ForwardProxy(folder / "proxy"))
        backends = {"plain": prometheus_backend(plain.url, proxy=proxy.url),
                    "tls": prometheus_backend(tls.url, proxy=proxy.url, tls={"ca": str(certificates.crt("ca"))})}
        metrics = [metric(name, "vector(42)", backend=name, freshness="1ms") for name in backends]
        weir = self.start_in_test(Weir(folder / "weir", config(backends, *metrics)))

        def read_all():
            return [weir.metric("ml-inference", name) for name in backends]

        for answer in read_all():
            self.assert_values(answer, "42")
        proxy.stop()
        for answer in read_all():
            self.assertEqual(503, answer.status, answer.text)
            self.assertIn("the proxy: cannot connect (Connection refused)", self.message_of(answer))
        proxy.start()
        self.wait_for(lambda: all(answer.status == 200 for answer in read_all()), 10)
        for answer in read_all():
            self.assert_values(answer, "42")


if __name__ == "__main__":
    unittest.main()
