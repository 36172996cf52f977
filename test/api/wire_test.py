"""Bytes that no HTTP library sends: a single response and a closed connection, no request from a body, and the process survives."""
import contextlib
import socket
import time
import unittest

from support import (GROUP, ScriptedServer, ServerTest, Weir, config, metric, metric_path, answer_to, raw_tls,
                     read_answers, read_to_end, vector)

PATH = metric_path("ns", "up")
FIRST = f"GET {PATH} HTTP/1.1\r\n"
USUAL = "Host: weir\r\nX-Remote-User: alice\r\n"
SMUGGLED = f"GET {GROUP}/namespaces/ns/smuggled HTTP/1.1\r\n{USUAL}\r\n"
CHUNK = f"{len(SMUGGLED):x}\r\n{SMUGGLED}\r\n0\r\n\r\n"

BODY = "a body is not accepted"
TRANSFER = "Transfer-Encoding is not accepted: no request here has a body"
FOLDED = "folded headers are not accepted"
HOST = "one Host header is needed"
LENGTH = "Content-Length is not one number"
MALFORMED = "the request head is malformed"
BARE = "lines end with CR LF"

# name, bytes, status, message
REFUSED = [
    ("a body by its length", FIRST + USUAL + f"Content-Length: {len(SMUGGLED)}\r\n\r\n" + SMUGGLED, 400, BODY),
    ("a body of one byte", FIRST + USUAL + "Content-Length: 1\r\n\r\nx", 400, BODY),
    ("chunked", FIRST + USUAL + "Transfer-Encoding: chunked\r\n\r\n" + CHUNK, 400, TRANSFER),
    ("length, then chunked", FIRST + USUAL + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNK, 400, None),
    ("chunked, then length", FIRST + USUAL + "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n" + CHUNK, 400, None),
    ("no length and chunked", FIRST + USUAL + "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNK, 400, None),
    ("twice chunked", FIRST + USUAL + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400, None),
    ("chunked, identity", FIRST + USUAL + "Transfer-Encoding: chunked, identity\r\n\r\n" + CHUNK, 400, TRANSFER),
    ("identity", FIRST + USUAL + "Transfer-Encoding: identity\r\n\r\n", 400, TRANSFER),
    ("unknown coding", FIRST + USUAL + "Transfer-Encoding: xchunked\r\n\r\n" + CHUNK, 400, TRANSFER),
    ("chunked in 1.0", FIRST.replace("1.1", "1.0") + USUAL + "Transfer-Encoding: chunked\r\n\r\n" + CHUNK, 400, TRANSFER),
    ("chunk extension of 1 MiB", FIRST + USUAL + "Transfer-Encoding: chunked\r\n\r\n1;" + "x" * (1 << 20), 400, TRANSFER),
    ("a trailer", FIRST + USUAL + "Transfer-Encoding: chunked\r\nTrailer: X-Remote-User\r\n\r\n0\r\nX-Remote-User: root\r\n"
     "\r\n", 400, None),
    ("a trailer of 64 KiB", FIRST + USUAL + "Transfer-Encoding: chunked\r\n\r\n0\r\nX: " + "y" * 65536 + "\r\n\r\n", 400,
     TRANSFER),
    ("a trailer announced alone", FIRST + USUAL + "Trailer: X-Remote-User\r\n\r\n", 400,
     "Trailer is not accepted: no request here has a body"),
    ("coding with a blank", FIRST + USUAL + "Transfer-Encoding : chunked\r\n\r\n" + CHUNK, 400, MALFORMED),
    ("two equal lengths", FIRST + USUAL + "Content-Length: 0\r\nContent-Length: 0\r\n\r\n", 400, None),
    ("two lengths", FIRST + USUAL + "Content-Length: 0\r\nContent-Length: 4\r\n\r\nabcd", 400, None),
    ("a list of lengths", FIRST + USUAL + "Content-Length: 4,4\r\n\r\nabcd", 400, LENGTH),
    ("a signed length", FIRST + USUAL + "Content-Length: +4\r\n\r\nabcd", 400, None),
    ("a negative length", FIRST + USUAL + "Content-Length: -1\r\n\r\n", 400, None),
    ("a hexadecimal length", FIRST + USUAL + "Content-Length: 0x4\r\n\r\nabcd", 400, None),
    ("a huge length", FIRST + USUAL + "Content-Length: 99999999999999999999\r\n\r\n", 400, None),
    ("an empty length", FIRST + USUAL + "Content-Length:\r\n\r\n", 400, None),
    ("folded by a blank", FIRST + USUAL + "X-A: b\r\n X-Remote-User: root\r\n\r\n", 400, FOLDED),
    ("folded by a tab", FIRST + USUAL + "X-A: b\r\n\tX-Remote-User: root\r\n\r\n", 400, FOLDED),
    ("folded in front", FIRST + " X-Remote-User: root\r\n" + USUAL + "\r\n", 400, FOLDED),
    ("bare line feeds", (FIRST + USUAL).replace("\r", "") + "\n", 400, BARE),
    ("one bare line feed", FIRST + "X-A: b\nX-Remote-User: root\r\n" + USUAL + "\r\n", 400, MALFORMED),
    ("one bare return", FIRST + "X-A: b\rX-Remote-User: root\r\n" + USUAL + "\r\n", 400, MALFORMED),
    ("NUL in a value", FIRST + "X-A: b\0c\r\n" + USUAL + "\r\n", 400, MALFORMED),
    ("NUL in a name", FIRST + "X-\0A: b\r\n" + USUAL + "\r\n", 400, MALFORMED),
    ("a blank in a name", FIRST + "X A: b\r\n" + USUAL + "\r\n", 400, MALFORMED),
    ("no colon", FIRST + "nonsense\r\n" + USUAL + "\r\n", 400, MALFORMED),
    ("no name", FIRST + ": b\r\n" + USUAL + "\r\n", 400, MALFORMED),
    ("no host", FIRST + "X-Remote-User: alice\r\n\r\n", 400, HOST),
    ("two hosts", FIRST + USUAL + "Host: other\r\n\r\n", 400, HOST),
    ("upgrade to h2c", FIRST + USUAL + "Upgrade: h2c\r\nConnection: Upgrade\r\n\r\n", 400, "Upgrade is not accepted"),
    ("expect", FIRST + USUAL + "Expect: 100-continue\r\n\r\n", 400, "Expect is not accepted"),
    ("an absolute target", FIRST.replace(" /", " https://weir/") + USUAL + "\r\n", 400,
     "the request target is not a path and a query, percent-encoded"),
    ("an authority", "CONNECT weir:443 HTTP/1.1\r\n" + USUAL + "\r\n", 400, "the request target is not a path and a query, percent-encoded"),
    ("an asterisk", "OPTIONS * HTTP/1.1\r\n" + USUAL + "\r\n", 400, "the request target is not a path and a query, percent-encoded"),
    ("no target", "GET HTTP/1.1\r\n" + USUAL + "\r\n", 400, MALFORMED),
    ("two blanks", FIRST.replace("GET ", "GET  ") + USUAL + "\r\n", 400, MALFORMED),
    ("no version", f"GET {PATH}\r\n" + USUAL + "\r\n", 400, MALFORMED),
    ("version 2.0", FIRST.replace("1.1", "2.0") + USUAL + "\r\n", 400, MALFORMED),
    ("version 0.9", FIRST.replace("1.1", "0.9") + USUAL + "\r\n", 400, MALFORMED),
    ("HTTP/2 by knowledge", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, MALFORMED),
    ("another protocol", "\x16\x03\x01\r\n\r\n", 400, MALFORMED),
    ("only line ends", "\r\n\r\n\r\n", 400, MALFORMED),
    ("a target over 8 KiB", FIRST.replace(" HTTP", "?" + "x" * 8192 + " HTTP") + USUAL + "\r\n", 414,
     "the request line is over 8 KiB"),
    ("257 headers", FIRST + USUAL + "".join(f"X-{n}: y\r\n" for n in range(255)) + "\r\n", 431, "more than 256 headers"),
    ("10,000 headers", FIRST + USUAL + "a:b\r\n" * 10_000 + "\r\n", 431, "more than 256 headers"),
    ("a head of 64 KiB", FIRST + USUAL + "X-A: " + "y" * 65536 + "\r\n\r\n", 431, "the request head is over 64 KiB"),
    ("a head without end", FIRST + "X-A: " + "y" * 200_000, 431, "the request head is over 64 KiB"),
]


class WireTest(ServerTest):
    @classmethod
    def setUpClass(cls):
        folder = cls.new_folder()
        cls.backend = cls.start(ScriptedServer(lambda turn: turn.answer(vector(42))))
        cls.weir = cls.start(Weir(folder / "weir", config(cls.backend.url, metric("up", "up", namespaces=["ns"]),
                                                          metric("smuggled", "smuggled", namespaces=["ns"]))))

    def whole(self, data):
        return answer_to(self.weir, data.encode("latin-1"))

    def test_a_head_that_two_parsers_may_read_differently_is_rejected_once_and_closed(self):
        for name, data, status, text in REFUSED:
            with self.subTest(name):
                answer = self.whole(data)

                self.assertEqual(1, answer.count(b"HTTP/1.1 "), answer[:500])
                self.assertTrue(answer.startswith(f"HTTP/1.1 {status} ".encode()), answer[:200])
                self.assertIn(b"\r\nConnection: close\r\n", answer)
                if text is not None:
                    self.assertIn(f'"message":"{text}"'.encode(), answer)
        self.assertNotIn("smuggled", [request.query for request in self.backend.requests])
        self.assert_values(self.weir.metric("ns", "up"), "42")

    def test_a_body_of_a_method_with_a_body_is_not_read_and_ends_the_connection(self):
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            with self.subTest(method):
                answer = self.whole(FIRST.replace("GET", method) + USUAL + f"Content-Length: {len(SMUGGLED)}\r\n\r\n"
                                    + SMUGGLED)

                self.assertEqual((1, True), (answer.count(b"HTTP/1.1 "), answer.startswith(b"HTTP/1.1 405 ")))
        self.assertNotIn("smuggled", [request.query for request in self.backend.requests])

    def test_a_request_just_below_the_limits_is_accepted(self):
        line = 8192 - len(FIRST) + 2 - len("?")
        head = 65536 - len(FIRST + USUAL + "X-A: \r\n\r\n") - 1
        table = [
            ("a line of 8 KiB", FIRST.replace(" HTTP", "?" + "x" * line + " HTTP") + USUAL + "\r\n"),
            ("256 headers", FIRST + USUAL + "".join(f"X-{n}: y\r\n" for n in range(254)) + "\r\n"),
            ("a head of almost 64 KiB", FIRST + USUAL + "X-A: " + "y" * head + "\r\n\r\n"),
            ("a length of zero", FIRST + USUAL + "Content-Length: 0\r\n\r\n"),
            ("HTTP/1.0 without a host", FIRST.replace("1.1", "1.0") + "X-Remote-User: alice\r\n\r\n"),
        ]
        for name, data in table:
            with self.subTest(name), raw_tls(self.weir) as connection:
                connection.sendall(data.encode())
                self.assertEqual(200, read_answers(connection, 1)[0][0])

    def test_one_byte_over_a_limit_is_rejected(self):
        line = 8192 - len(FIRST) + 2 - len("?") + 1

        answer = self.whole(FIRST.replace(" HTTP", "?" + "x" * line + " HTTP") + USUAL + "\r\n")

        self.assertTrue(answer.startswith(b"HTTP/1.1 414 "), answer[:100])

    def test_pipelined_requests_are_answered_in_order(self):
        paths = [PATH, "/livez", GROUP + "/nope", PATH]
        with raw_tls(self.weir) as connection:
            connection.sendall("".join(f"GET {path} HTTP/1.1\r\n{USUAL}\r\n" for path in paths).encode())

            answers = read_answers(connection, 4)

        self.assertEqual([200, 200, 404, 200], [status for status, _ in answers])
        self.assertEqual(b"ok", answers[1][1])

    def test_a_rejected_request_after_a_valid_request_ends_the_connection(self):
        answer = self.whole(FIRST + USUAL + "\r\n" + FIRST + USUAL + "Transfer-Encoding: chunked\r\n\r\n" + CHUNK)

        self.assertEqual([b"200", b"400"], [part[:3] for part in answer.split(b"HTTP/1.1 ")[1:]])

    def test_a_request_may_come_one_byte_at_a_time(self):
        with raw_tls(self.weir) as connection:
            for byte in FIRST + USUAL + "\r\n":
                connection.sendall(byte.encode())

            self.assertEqual(200, read_answers(connection, 1)[0][0])

    def test_connection_close_and_http_1_0_close(self):
        for name, data in (("close", FIRST + USUAL + "Connection: close\r\n\r\n"),
                           ("1.0", FIRST.replace("1.1", "1.0") + USUAL + "\r\n")):
            with self.subTest(name):
                answer = self.whole(data)

                self.assertTrue(answer.startswith(b"HTTP/1.1 200 OK\r\n"), answer[:100])
                self.assertIn(b"\r\nConnection: close\r\n", answer)

    def test_a_slow_head_is_closed_after_five_seconds(self):
        with raw_tls(self.weir) as connection:
            start_time = time.monotonic()
            connection.sendall((FIRST + "X-Slow: ").encode())

            answer = read_to_end(connection)
            took = time.monotonic() - start_time

        self.assertEqual(b"", answer)
        self.assertTrue(4.5 <= took <= 6.5, took)

    def test_garbage_instead_of_a_handshake_is_closed(self):
        table = [("HTTP without TLS", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"), ("zeros", b"\0" * 4096),
                 ("a huge record", b"\x16\x03\x01\xff\xff" + b"x" * 70000), ("nothing", b""), ("ones", b"\xff" * 64),
                 ("half a hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")]
        for name, data in table:
            with self.subTest(name), socket.create_connection(("127.0.0.1", self.weir.port), timeout=10) as bare:
                with contextlib.suppress(OSError):  # Weir may be faster
                    bare.sendall(data)
                    bare.shutdown(socket.SHUT_WR)
                self.assertNotIn(b"HTTP/1.1 200", read_to_end(bare))
        self.assertEqual(200, self.weir.get("/livez", cert=None).status)

    def test_200_connections_at_once_are_served(self):
        connections = [self.weir.connection(seconds=20) for _ in range(200)]
        for connection in connections:
            self.addCleanup(connection.close)
            connection.connect()

        for connection in connections:
            connection.request("GET", PATH, headers={"X-Remote-User": "alice"})

        self.assertEqual({200}, {connection.getresponse().status for connection in connections})

    def test_a_thousand_requests_on_one_connection(self):
        with raw_tls(self.weir) as connection:
            connection.sendall((FIRST + USUAL + "\r\n").encode() * 1000)

            self.assertEqual([200] * 1000, [status for status, _ in read_answers(connection, 1000)])


if __name__ == "__main__":
    unittest.main()
