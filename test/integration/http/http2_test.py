"""HTTP/2 of a Prometheus: shared connections, silent servers, and servers of which only some speak it."""
import concurrent.futures
import contextlib
import os
import select
import signal
import socket
import ssl
import threading
import unittest

from support import Prometheus, ServerTest, Weir, config, metric, prometheus_backend, shared_certificates, vector
from support.http2 import Http2Server
from support.rotation import gauge


class Http2Test(ServerTest):
    @classmethod
    def setUpClass(cls):
        folder = cls.new_folder()
        certificates = shared_certificates()
        cls.prometheus = cls.start(Prometheus(folder / "prometheus", tls=certificates))
        tls = {"ca": str(certificates.crt("ca"))}
        backends = {"prom": prometheus_backend(cls.prometheus.url, tls=tls, http2=True),
                    "plain": prometheus_backend(cls.prometheus.url, tls=tls)}
        metrics = [metric(f"{prefix}{i}", f"vector({i})", backend=backend, freshness="1ms", deadline="1s")
                   for prefix, backend in (("m", "prom"), ("p", "plain")) for i in range(8)]
        cls.weir = cls.start(Weir(folder / "weir", config(backends, *metrics)))

    def count(self, name, **labels):
        return gauge(self.weir, name, backend="prom", **labels) or 0

    def read_all(self):
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            return list(pool.map(lambda i: self.weir.metric("ml-inference", f"m{i}"), range(8)))

    def test_queries_at_once_share_a_connection(self):
        self.wait_for(lambda: {answer.status for answer in self.read_all()} == {200})
        opened = self.count("weir_connections_opened_total")
        for _ in range(5):
            for i, answer in enumerate(self.read_all()):
                self.assert_values(answer, str(i))

        self.assertEqual(opened, self.count("weir_connections_opened_total"))

    def test_backends_of_one_server_with_and_without_it_keep_their_own_connections(self):
        for i in range(8):
            for prefix in ("p", "m", "m", "p"):
                self.assert_values(self.weir.metric("ml-inference", f"{prefix}{i}"), str(i))

    def test_a_silent_server_is_an_error_and_its_connection_is_closed(self):
        self.wait_for(lambda: {answer.status for answer in self.read_all()} == {200})
        late = self.count("weir_connections_closed_total", reason="timed_out")
        os.killpg(self.prometheus.process.pid, signal.SIGSTOP)
        try:
            answers = self.read_all()
        finally:
            os.killpg(self.prometheus.process.pid, signal.SIGCONT)

        self.assertEqual({504}, {answer.status for answer in answers}, [answer.text for answer in answers])
        self.wait_for(lambda: self.count("weir_connections_closed_total", reason="timed_out") == late + 1)
        self.wait_for(lambda: {answer.status for answer in self.read_all()} == {200})


class MixedServers:
    """One address of two servers, as during a rollout: the first connection gets one of HTTP/1.1, all others one of HTTP/2.

    The first one holds its responses while `may_answer` is not set, and notes a request that comes before the last one has its
    response. It responds with the number of the query, the others with 100.
    """

    def __init__(self, certificates):
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.has_request = threading.Event()
        self.overlaps = 0
        self._contexts = [self._context(certificates, protocol) for protocol in ("http/1.1", "h2")]
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._connections = []
        self._threads = [threading.Thread(target=self._accept)]
        self.url = f"https://127.0.0.1:{self._listener.getsockname()[1]}"

    @staticmethod
    def _context(certificates, protocol):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates.crt("serving"), certificates.key("serving"))
        context.set_alpn_protocols([protocol])
        return context

    def __enter__(self):
        self._threads[0].start()
        return self

    def __exit__(self, *_):
        self.may_answer.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
        self._listener.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                bare, _ = self._listener.accept()
                self._connections.append(bare)
                serve = self._serve_http2 if len(self._connections) > 1 else self._serve_http1
                thread = threading.Thread(target=self._serve, args=(bare, serve))
                self._threads.append(thread)
                thread.start()

    def _serve(self, bare, serve):
        with contextlib.suppress(OSError), bare:
            with self._contexts[serve == self._serve_http2].wrap_socket(bare, server_side=True) as connection:
                self._connections.append(connection)
                serve(connection)

    @staticmethod
    def _serve_http2(connection):
        Http2Server(connection, lambda server, stream: server.answer(stream, vector(100).encode())).run()

    def _serve_http1(self, connection):
        received = b""
        while True:
            while b"\r\n\r\n" not in received:
                data = connection.recv(65536)
                if not data:
                    return
                received += data
            request, received = received.split(b"\r\n\r\n", 1)
            self.has_request.set()
            self.may_answer.wait(10)
            is_more = received or connection.pending() or select.select([connection], [], [], 0)[0]
            self.overlaps += bool(is_more)
            number = request.split(b"vector%28")[1].split(b"%29")[0].decode()
            body = vector(int(number)).encode()
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


class MixedTest(ServerTest):
    def test_a_connection_of_http1_in_use_gets_no_second_request(self):
        certificates = shared_certificates()
        servers = self.start_in_test(MixedServers(certificates))
        backend = prometheus_backend(servers.url, tls={"ca": str(certificates.crt("ca"))}, http2=True)
        metrics = [metric(f"m{i}", f"vector({i})", freshness="1ms") for i in range(4)]
        weir = self.start_in_test(Weir(self.folder() / "weir", config({"prom": backend}, *metrics)))
        self.assert_values(weir.metric("ml-inference", "m0"), "0")

        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            for _ in range(5):
                servers.has_request.clear()
                servers.may_answer.clear()
                held = pool.submit(weir.metric, "ml-inference", "m1")
                # The newest connection may be that of HTTP/2, which has no hold.
                self.wait_for(lambda: servers.has_request.is_set() or held.done())
                for name in ("m2", "m3"):
                    self.assert_values(weir.metric("ml-inference", name), "100")
                servers.may_answer.set()
                self.assert_values(held.result(10), "1" if servers.has_request.is_set() else "100")

        self.assertEqual(0, servers.overlaps)


if __name__ == "__main__":
    unittest.main()
