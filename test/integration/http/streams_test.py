"""Streams of HTTP/2 that a server cuts, refuses, or ends too early, and what follows on their connections."""
import concurrent.futures
import itertools
import socket
import unittest

from support import ForwardProxy, ServerTest, TlsFront, Weir, config, metric, prometheus_backend, shared_certificates, vector
from support.http2 import (CANCEL, DATA, END_HEADERS, END_STREAM, HEADERS, NO_ERROR, REFUSED_STREAM, STATUS_200,
                           ScriptedHttp2Server, content_length)

BODY = vector(42).encode()
LOST = "the connection was lost (HTTP/2 stream error)"
NO_JSON = "the response is not JSON, or is truncated"
INCOMPLETE = "the response is incomplete"


def begin(server, stream, body=BODY[:-1], length=None):
    """A response that does not end."""
    server.send(HEADERS, END_HEADERS, stream, STATUS_200 + (content_length(length) if length is not None else b""))
    server.send(DATA, 0, stream, body)


def and_reset(code, **parts):
    def play(server, stream):
        begin(server, stream, **parts)
        server.reset(stream, code)
    return play


def and_end(**parts):
    def play(server, stream):
        begin(server, stream, **parts)
        server.send(DATA, END_STREAM, stream)
    return play


def and_close(is_said, **parts):
    def play(server, stream):
        begin(server, stream, **parts)
        if is_said:
            server.connection.unwrap()
        else:
            # What still comes is read, because a close with unread bytes would be a reset.
            server.connection.shutdown(socket.SHUT_WR)
            while server.connection.recv(65536):
                pass
        server.connection.close()
    return play


def and_go_away(server, stream):
    begin(server, stream)
    server.go_away(0)
    server.reset(stream, NO_ERROR)


class CutStreamsTest(ServerTest):
    ROWS = {
        "reset": (and_reset(CANCEL), LOST),
        "reset_whole": (and_reset(CANCEL, body=BODY), LOST),
        # libcurl 7.88 takes it for the end: what is missing shows in the body.
        "no_error": (and_reset(NO_ERROR), NO_JSON),
        "no_error_empty": (and_reset(NO_ERROR, body=b""), NO_JSON),
        "no_error_less": (and_reset(NO_ERROR, length=len(BODY)), INCOMPLETE),
        "no_error_length": (and_reset(NO_ERROR, body=b"", length=len(BODY)), INCOMPLETE),
        "end_less": (and_end(length=len(BODY)), LOST),
        "end_more": (and_end(body=BODY, length=len(BODY) - 1), LOST),
        "end_early": (and_end(), NO_JSON),
        "close": (and_close(False), INCOMPLETE),
        "close_whole": (and_close(False, body=BODY), INCOMPLETE),
        "close_said": (and_close(True), INCOMPLETE),
        "close_said_whole": (and_close(True, body=BODY), INCOMPLETE),
        "close_less": (and_close(False, length=len(BODY)), INCOMPLETE),
        "go_away": (and_go_away, LOST),
    }

    @classmethod
    def setUpClass(cls):
        folder = cls.new_folder()
        certificates = shared_certificates()
        pair = certificates.crt("serving"), certificates.key("serving")
        servers = {name: cls.start(ScriptedHttp2Server(script, tls=pair)) for name, (script, _) in cls.ROWS.items()}
        backends = {name: prometheus_backend(server.url, tls={"ca": str(certificates.crt("ca"))}, http2=True)
                    for name, server in servers.items()}
        cls.weir = cls.start(Weir(folder / "weir", config(
            backends, *(metric(name, "vector(42)", backend=name, freshness="1ms") for name in backends))))

    def test_a_cut_response_is_never_a_value(self):
        for name, (_, text) in self.ROWS.items():
            with self.subTest(name):
                self.assert_status(self.weir.metric("ml-inference", name), 503, "ServiceUnavailable",
                                   f"metric ml-inference/{name}: prometheus {name}: {text}")

    def test_all_streams_of_a_connection_that_is_cut(self):
        """Some of the queries are sent again, on a connection that ends likewise."""
        begun = []

        def play(server, stream):
            begun.append(stream)
            begin(server, stream, body=BODY)
            if len(begun) >= 4:
                server.connection.close()
        pair = [shared_certificates().crt("serving"), shared_certificates().key("serving")]
        server = self.start_in_test(ScriptedHttp2Server(play, tls=pair))
        backend = prometheus_backend(server.url, tls={"ca": str(shared_certificates().crt("ca"))}, http2=True)
        weir = self.start_in_test(Weir(self.folder() / "weir", config(
            {"prom": backend}, *(metric(f"m{i}", f"vector({i})", freshness="1ms", deadline="2s") for i in range(4)))))

        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda i: weir.metric("ml-inference", f"m{i}"), range(4)))

        self.assertEqual({503}, {answer.status for answer in answers}, [answer.text for answer in answers])


class RetryTest(ServerTest):
    """A server may refuse a stream that it has not begun: the query is sent again, on a new connection."""

    def serve(self, script, pair=None):
        """`script(server, stream, number)`: the number of the request."""
        numbers = itertools.count(1)
        certificates = shared_certificates()
        pair = pair or (certificates.crt("serving"), certificates.key("serving"))
        return self.start_in_test(ScriptedHttp2Server(lambda server, stream: script(server, stream, next(numbers)), tls=pair))

    def weir(self, url, **backend):
        ca = {"ca": str(shared_certificates().crt("ca"))}
        return self.start_in_test(Weir(self.folder() / "weir", config(
            {"prom": prometheus_backend(url, tls=ca, http2=True, **backend)}, metric("jobs", "vector(42)", freshness="1ms"))))

    @staticmethod
    def refuse(refused):
        """Of all requests that with this number alone."""
        def play(server, stream, number):
            if number == refused:
                server.reset(stream, REFUSED_STREAM)
            else:
                server.answer(stream, BODY)
        return play

    @staticmethod
    def go_away_at_second(server, stream, number):
        if number == 2:
            server.go_away(stream - 2)
        else:
            server.answer(stream, BODY)

    def read(self, weir, times):
        for _ in range(times):
            self.assert_values(weir.metric("ml-inference", "jobs"), "42")

    def test_a_refused_stream_is_asked_again(self):
        for name, script in (("RST_STREAM", self.refuse(2)), ("GOAWAY", self.go_away_at_second)):
            with self.subTest(name):
                server = self.serve(script)

                self.read(self.weir(server.url), 4)

                self.assertEqual(2, server.connections)

    def test_a_first_stream_that_is_refused_is_asked_again(self):
        server = self.serve(self.refuse(1))

        self.read(self.weir(server.url), 3)

        self.assertEqual(2, server.connections)

    def test_an_idle_connection_that_goes_away_is_not_used_again(self):
        def play(server, stream, number):
            server.answer(stream, BODY)
            if number == 1:
                server.go_away(stream)
        server = self.serve(play)

        self.read(self.weir(server.url), 3)

        self.assertEqual(2, server.connections)

    def test_a_server_that_refuses_every_stream_is_an_error(self):
        server = self.serve(lambda server, stream, _: server.reset(stream, REFUSED_STREAM))
        weir = self.weir(server.url)

        answer = weir.metric("ml-inference", "jobs")

        self.assertEqual(503, answer.status, answer.text)
        self.assertLess(server.connections, 10)

    def test_through_a_tunnel(self):
        proxy = self.start_in_test(ForwardProxy(self.folder() / "proxy"))
        server = self.serve(self.refuse(1))

        self.read(self.weir(server.url, proxy=proxy.url), 4)

        self.assertEqual(2, server.connections)
        self.assertEqual([f"CONNECT 127.0.0.1:{server.port} HTTP/1.1"] * 2, proxy.requests())

    def test_through_a_tunnel_of_a_proxy_within_tls(self):
        """Each connection has two handshakes; the certificate of one is not valid for the other."""
        certificates = shared_certificates()
        proxy = self.start_in_test(ForwardProxy(self.folder() / "proxy"))
        front = self.start_in_test(TlsFront(proxy.port, certificates.issue(
            "proxy-alone", "ca", "/CN=proxy", "serverAuth", "DNS:localhost")))
        server = self.serve(self.refuse(1), certificates.issue(
            "server-alone", "ca", "/CN=server", "serverAuth", "IP:127.0.0.1"))

        self.read(self.weir(server.url, proxy=front.url.replace("127.0.0.1", "localhost")), 4)

        self.assertEqual(2, server.connections)


if __name__ == "__main__":
    unittest.main()
