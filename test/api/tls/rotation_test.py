"""Changes while Weir runs: serving certificates, CA bundles, and the shutdown."""
import contextlib
import http.client
import shutil
import signal
import socket
import ssl
import threading
import unittest

from support import HPA_USER, ScriptedServer, ServerTest, Weir, config, make_certificates, metric, metric_path, vector


class RotationTest(ServerTest):
    """Each test has certificates of its own: it overwrites them."""

    def setUp(self):
        self.certificates = make_certificates(self.folder() / "certs")
        self.server = self.start_in_test(ScriptedServer(lambda turn: turn.answer(vector(7))))

    def weir(self, *flags):
        return self.start_in_test(Weir(self.folder() / "weir", config(self.server.url, metric("up", "vector(7)")),
                                       self.certificates, flags=flags))

    def serving_certificate(self, weir, name=None):
        """The certificate that Weir shows, as DER."""
        context = ssl.create_default_context(cafile=self.certificates.crt("ca"))
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with socket.create_connection(("127.0.0.1", weir.port), timeout=5) as bare:
            with context.wrap_socket(bare, server_hostname=name) as connection:
                return connection.getpeercert(binary_form=True)

    def der(self, name):
        return ssl.PEM_cert_to_DER_cert(self.certificates.crt(name).read_text())

    def replace(self, name, other, *, parts=("crt", "key")):
        for part in parts:
            shutil.copyfile(self.certificates.directory / f"{other}.{part}", self.certificates.directory / f"{name}.{part}")

    def test_a_new_serving_pair_is_used_for_new_connections_and_open_connections_continue(self):
        weir = self.weir()
        self.certificates.issue("next", "ca", "/CN=next", "serverAuth", "IP:127.0.0.1,DNS:localhost")
        before = self.serving_certificate(weir)
        with weir.persistent_reader() as read:
            self.assert_values(read("ml-inference", "up"), "7")

            self.replace("serving", "next")

            self.wait_for(lambda: self.serving_certificate(weir) == self.der("next"), 10)
            self.assertNotEqual(before, self.der("next"))
            self.assert_values(read("ml-inference", "up"), "7")

    def test_a_key_that_does_not_match_changes_nothing_until_it_does(self):
        weir = self.weir()
        self.certificates.issue("next", "ca", "/CN=next", "serverAuth", "IP:127.0.0.1")
        before = self.serving_certificate(weir)

        self.replace("serving", "next", parts=("crt",))
        self.wait_for(lambda: "serving_certificate_reload_failed" in (weir.directory / "weir.log").read_text(), 10)
        self.assertEqual(before, self.serving_certificate(weir))

        self.replace("serving", "next", parts=("key",))
        self.wait_for(lambda: self.serving_certificate(weir) == self.der("next"), 10)

    def test_a_new_client_ca_applies_to_open_connections(self):
        weir = self.weir()
        self.certificates.authority("other-ca")
        self.certificates.issue("stranger", "other-ca", "/CN=stranger/O=readers")

        with contextlib.closing(weir.connection("stranger")) as connection:
            self.assertEqual(401, self.status(connection))
            self.replace("client-ca", "other-ca", parts=("crt",))
            self.wait_for(lambda: self.status(connection) == 200, 10)

    def status(self, connection):
        connection.request("GET", metric_path("ml-inference", "up"))
        answer = connection.getresponse()
        answer.read()
        return answer.status

    def test_a_server_name_selects_its_pair_and_others_get_the_default(self):
        for name, names in (("named", "DNS:weir.other.svc"), ("wild", "DNS:*.wild.example")):
            self.certificates.issue(name, "ca", f"/CN={name}", "serverAuth", names)
        crt, key = self.certificates.crt, self.certificates.key
        weir = self.weir("--tls-sni-cert-key", f"{crt('named')},{key('named')}:weir.given.svc",
                         "--tls-sni-cert-key", f"{crt('wild')},{key('wild')}")

        self.assertEqual(self.der("named"), self.serving_certificate(weir, "weir.given.svc"))
        self.assertEqual(self.der("named"), self.serving_certificate(weir, "WEIR.given.svc"))
        self.assertEqual(self.der("wild"), self.serving_certificate(weir, "a.wild.example"))
        for name in ("weir.other.svc", "a.b.wild.example", "localhost", None):
            with self.subTest(name):
                self.assertEqual(self.der("serving"), self.serving_certificate(weir, name))

    def test_the_lowest_version_and_the_suites_are_those_of_the_flags(self):
        modern = self.weir("--tls-min-version", "VersionTLS13")
        weir = self.weir("--tls-cipher-suites", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384")

        with self.assertRaises(ssl.SSLError):
            self.cipher(modern, ssl.TLSVersion.TLSv1_2)
        self.assertEqual("ECDHE-ECDSA-AES256-GCM-SHA384", self.cipher(weir, ssl.TLSVersion.TLSv1_2))
        self.assertTrue(self.cipher(modern, ssl.TLSVersion.TLSv1_3))

    def cipher(self, weir, version):
        context = ssl.create_default_context(cafile=self.certificates.crt("ca"))
        context.minimum_version = context.maximum_version = version
        with socket.create_connection(("127.0.0.1", weir.port), timeout=5) as bare:
            with context.wrap_socket(bare, server_hostname="127.0.0.1") as connection:
                return connection.cipher()[0]


class EndTest(ServerTest):
    def setUp(self):
        self.server = self.start_in_test(ScriptedServer(lambda turn: turn.answer(vector(7))))

    def weir(self, *flags, **settings):
        return self.start_in_test(Weir(self.folder() / "weir", config(self.server.url, metric(
            "up", "vector(7)", freshness="1ms", **settings)), flags=flags))

    def test_after_SIGTERM_it_serves_during_the_delay_with_readyz_failing(self):
        weir = self.weir("--shutdown-delay-duration", "2s")

        weir.process.signal(signal.SIGTERM)
        self.wait_for(lambda: weir.get("/readyz", cert=None).status == 500, 1.5)

        self.assertEqual(200, weir.get("/livez", cert=None).status)
        self.assert_values(weir.metric("ml-inference", "up"), "7")
        self.assertEqual(0, weir.process.wait(10))

    def test_a_second_signal_ends_it_at_once(self):
        weir = self.weir("--shutdown-delay-duration", "60s")

        weir.process.signal(signal.SIGTERM)
        self.wait_for(lambda: weir.get("/readyz", cert=None).status == 500)
        weir.process.signal(signal.SIGTERM)

        self.assertEqual(0, weir.process.wait(5))

    def test_SIGTERM_under_load_loses_no_request(self):
        """A request that was sent whole is answered whole, or the connection was closed before it was sent."""
        weir = self.weir("--shutdown-delay-duration", "1s")
        errors, statuses = [], []

        def read_on():
            connection = weir.connection()
            while True:
                try:
                    connection.request("GET", metric_path("ml-inference", "up"), headers={"X-Remote-User": HPA_USER})
                    answer = connection.getresponse()
                    body = answer.read()
                except (OSError, http.client.HTTPException) as error:
                    errors.append(error)
                    return
                statuses.append(answer.status)
                if answer.status != 200 or not body:
                    errors.append(body)
                if answer.getheader("Connection") == "close":
                    return
        readers = [threading.Thread(target=read_on) for _ in range(8)]
        for reader in readers:
            reader.start()
        self.wait_for(lambda: len(statuses) > 500, 20)
        weir.process.signal(signal.SIGTERM)
        for reader in readers:
            reader.join(20)

        self.assertEqual(0, weir.process.wait(10))
        self.assertEqual([], errors)

    def test_over_the_limit_is_429_without_Retry_After_but_never_for_masters_and_health(self):
        release = threading.Event()
        self.addCleanup(release.set)
        server = self.start_in_test(ScriptedServer(lambda turn: (release.wait(10), turn.answer(vector(7)))))
        weir = self.start_in_test(Weir(self.folder() / "weir", config(server.url, metric("slow", "vector(7)", deadline="20s")),
                                       flags=("--max-requests-inflight", "1")))
        first = []
        reader = threading.Thread(target=lambda: first.append(weir.metric("ml-inference", "slow")))
        reader.start()
        server.wait_for_requests(1)

        self.assert_status(weir.get("/apis", {"X-Remote-User": "alice"}), 429, "TooManyRequests",
                           "Too many requests, please try again later.")
        master = weir.get("/apis", {"X-Remote-User": "system:kube-aggregator", "X-Remote-Group": "system:masters"})
        health = weir.get("/livez", cert=None)
        release.set()
        reader.join(10)

        self.assertEqual((200, 200, 200), (master.status, health.status, first[0].status))
        self.assertEqual(200, weir.get("/apis", {"X-Remote-User": "alice"}).status)


if __name__ == "__main__":
    unittest.main()
