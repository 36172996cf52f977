"""Which connections the HTTP client keeps, shares and gives up: TLS files that rotate, bytes that nobody asked for."""
import concurrent.futures
import os
import threading
import unittest

from support import Prometheus, ScriptedServer, ServerTest, Weir, config, metric, prometheus_backend, shared_certificates, vector
from support.rotation import gauge

FRONT = "metric ml-inference/{0}: prometheus {0}: "


class TlsTest(ServerTest):
    def setUp(self):
        self.folder_ = self.folder()
        self.certificates = shared_certificates()
        self.peers = []

    def server(self, script=None):
        def play(turn):
            self.peers.append(turn.peer)
            (script or (lambda it: it.answer(vector(42))))(turn)
        pair = (self.certificates.crt("serving"), self.certificates.key("serving"))
        return self.start_in_test(ScriptedServer(play, tls=pair))

    def weir(self, backends, **options):
        metrics = [metric(name, "vector(42)", backend=name, freshness="1ms") for name in backends]
        return self.start_in_test(Weir(self.folder_ / "weir", config(backends, *metrics), **options))

    def replace_ca(self, name, extra=""):
        beside = self.folder_ / "ca.new"
        beside.write_text(self.certificates.crt(name).read_text() + extra)
        beside.replace(self.folder_ / "ca.crt")

    def test_a_rotated_ca_is_used_on_a_new_connection(self):
        server = self.server()
        self.replace_ca("ca")
        weir = self.weir({"prom": prometheus_backend(server.url, tls={"ca": str(self.folder_ / "ca.crt")})})
        self.assert_values(weir.metric("ml-inference", "prom"), "42")
        self.assert_values(weir.metric("ml-inference", "prom"), "42")
        self.assertEqual(1, len(set(self.peers)))

        self.replace_ca("ca", self.certificates.crt("client-ca").read_text())
        self.wait_for(lambda: weir.metric("ml-inference", "prom").status == 200 and len(set(self.peers)) == 2, 10)

        self.replace_ca("client-ca")

        def is_refused():
            answer = weir.metric("ml-inference", "prom")
            return answer if answer.status == 503 else None
        answer = self.wait_for(is_refused, 10)
        self.assert_status(answer, 503, "ServiceUnavailable",
                           FRONT.format("prom") + "TLS failed: unable to get local issuer certificate")

    def test_backends_with_other_certificates_do_not_share_a_connection(self):
        server = self.server()
        ca = str(self.certificates.crt("ca"))
        pairs = {name: {"certificate": str(self.certificates.crt(name)), "key": str(self.certificates.key(name))}
                 for name in ("client", "front-proxy-client")}
        weir = self.weir({"one": prometheus_backend(server.url, tls={"ca": ca, **pairs["client"]}),
                          "two": prometheus_backend(server.url, tls={"ca": ca, **pairs["front-proxy-client"]})})

        for name in ("one", "two") * 3:
            self.assert_values(weir.metric("ml-inference", name), "42")

        self.assertEqual(self.peers[:2] * 3, self.peers)
        self.assertEqual(2, len(set(self.peers)))

    def test_a_byte_on_an_idle_connection_is_never_a_response(self):
        said = threading.Event()

        def play(turn):
            if len(self.peers) > 1:
                turn.answer(vector(42))
                return
            turn.answer(vector(42))
            threading.Timer(0.1, lambda: (turn.answer(vector(666)), said.set())).start()
        server = self.server(play)
        weir = self.weir({"prom": prometheus_backend(server.url, tls={"ca": str(self.certificates.crt("ca"))})})

        self.assert_values(weir.metric("ml-inference", "prom"), "42")
        self.assertTrue(said.wait(5))
        self.assert_values(weir.metric("ml-inference", "prom"), "42")

        self.assertEqual(2, len(set(self.peers)))
        self.wait_for(lambda: gauge(weir, "weir_connections_closed_total", backend="prom", reason="idle") == 1)

    def test_the_keys_of_a_connection_are_not_written_to_a_file(self):
        server = self.server()
        keys = self.folder_ / "keys"
        weir = self.weir({"prom": prometheus_backend(server.url, tls={"ca": str(self.certificates.crt("ca"))})},
                         env={"SSLKEYLOGFILE": str(keys)})

        self.assert_values(weir.metric("ml-inference", "prom"), "42")

        self.assertFalse(keys.exists() and keys.read_text())


class KeptTest(ServerTest):
    CALLERS, READS = 16, 300

    def test_queries_at_once_keep_their_connections(self):
        """A response that is there at once leaves its connection to the next query, also to one that starts beside it."""
        prometheus = self.start_in_test(Prometheus(self.folder() / "prometheus"))
        weir = self.start_in_test(Weir(self.folder() / "weir", config(
            {"prom": prometheus_backend(prometheus.url)},
            *(metric(f"m{number}", f"vector({number})", freshness="1ms") for number in range(self.CALLERS)))))

        def read_all(number):
            with weir.persistent_reader() as read:
                for _ in range(self.READS):
                    self.assert_values(read("ml-inference", f"m{number}"), str(number))
        with concurrent.futures.ThreadPoolExecutor(self.CALLERS) as pool:
            list(pool.map(read_all, range(self.CALLERS)))

        self.assertLessEqual(gauge(weir, "weir_connections_opened_total", backend="prom"), self.CALLERS)


class FieldsTest(ServerTest):
    def test_a_header_of_blanks_is_sent_as_an_empty_one(self):
        """libcurl takes it for a header that must not be sent."""
        folder = self.folder()
        (folder / "blank").write_text(" \t")
        server = self.start_in_test(ScriptedServer(lambda turn: turn.answer(vector(42))))
        headers = {"X-Text": "  ", "X-File": {"file": str(folder / "blank")}, "X-Last": "value"}
        weir = self.start_in_test(Weir(folder / "weir", config(
            {"prom": prometheus_backend(server.url, headers=headers)}, metric("jobs", "vector(42)", freshness="1ms"))))

        self.assert_values(weir.metric("ml-inference", "jobs"), "42")

        sent = server.requests[0].headers
        self.assertEqual({"x-text": "", "x-file": "", "x-last": "value"},
                         {name: value for name, value in sent.items() if name.startswith("x-")})


class ThreadsTest(ServerTest):
    def test_a_query_by_name_starts_no_thread(self):
        """libcurl would resolve a name on a thread; it never sees one that it has to resolve."""
        threads = set()

        def play(turn):
            threads.update(os.listdir(f"/proc/{self.weir.process.pid}/task"))
            turn.answer(vector(42), Connection="close")
        server = self.start_in_test(ScriptedServer(play))
        url = server.url.replace("127.0.0.1", "localhost")
        self.weir = self.start_in_test(Weir(self.folder() / "weir", config(
            {"prom": prometheus_backend(url)}, metric("jobs", "vector(42)", freshness="1ms"))))
        before = set(os.listdir(f"/proc/{self.weir.process.pid}/task"))

        for _ in range(5):
            self.assert_values(self.weir.metric("ml-inference", "jobs"), "42")

        self.assertEqual(before, threads | before)


if __name__ == "__main__":
    unittest.main()
