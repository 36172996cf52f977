"""Conformance: the bytes of HTTP, and the headers of every response."""
import re
import time
import unittest

from support import answer_to, raw_tls, read_answers, read_to_end
from rig import GROUP, USER, ConformanceCase, M

UUID = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
FIRST = f"GET {M} HTTP/1.1\r\n"
USUAL = f"Host: weir\r\n{USER}: alice\r\n"
SMUGGLED = f"GET {GROUP}/namespaces/default/labelled HTTP/1.1\r\n{USUAL}\r\n"
CHUNKED = f"{len(SMUGGLED):x}\r\n{SMUGGLED}\r\n0\r\n\r\n"
HEAD_SECONDS, SILENCE_SECONDS = 5, 10  # for a head that has begun, and for a first one to begin; Go: 32
REFUSED = [
    ("length and chunked", FIRST + USUAL + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKED),
    ("chunked and length", FIRST + USUAL + "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n" + CHUNKED),
    ("a body", FIRST + USUAL + f"Content-Length: {len(SMUGGLED)}\r\n\r\n" + SMUGGLED),
    ("two lengths", FIRST + USUAL + "Content-Length: 0\r\nContent-Length: 5\r\n\r\nxxxxx"),
    ("a folded header", FIRST + USUAL + "X-A: b\r\n c\r\n\r\n"),
    ("no colon", FIRST + USUAL + "nonsense\r\n\r\n"),
    ("no version", f"GET {M}\r\n{USUAL}\r\n"),
    ("another protocol", "\x16\x03\x01\r\n\r\n"),
]


class WireTest(ConformanceCase):
    def test_112_a_head_of_1_MiB_is_431_and_a_silent_connection_is_closed(self):
        large = answer_to(self.weir, (FIRST + USUAL + "X-A: " + "y" * (1 << 20) + "\r\n\r\n").encode())
        with raw_tls(self.weir, seconds=20) as silent, raw_tls(self.weir, seconds=20) as slow:
            slow.sendall(FIRST.encode())
            start_time = time.monotonic()
            ends = [(read_to_end(connection), time.monotonic() - start_time) for connection in (slow, silent)]

        self.assertEqual((True, 1), (large.startswith(b"HTTP/1.1 431 "), large.count(b"HTTP/1.1 ")), large[:200])
        self.assertIn(b"\r\nConnection: close\r\n", large)
        for (answer, took), limit in zip(ends, (HEAD_SECONDS, SILENCE_SECONDS)):
            self.assertEqual(b"", answer)
            self.assertTrue(limit - 0.5 <= took <= limit + 1.5, took)

    def test_114_pipelined_requests_get_responses_in_order_and_a_malformed_request_one(self):
        paths = [M, "/livez", GROUP + "/nope", M]
        with raw_tls(self.weir) as connection:
            connection.sendall("".join(f"GET {path} HTTP/1.1\r\n{USUAL}\r\n" for path in paths).encode())
            answers = read_answers(connection, len(paths))
        self.assertEqual([200, 200, 404, 200], [status for status, _ in answers])

        for name, data in REFUSED:
            with self.subTest(name):
                answer = answer_to(self.weir, data.encode("latin-1"))

                self.assertEqual(1, answer.count(b"HTTP/1.1 "), answer[:500])
                self.assertTrue(answer.startswith(b"HTTP/1.1 400 "), answer[:200])
                self.assertIn(b"\r\nConnection: close\r\n", answer)
        self.assertNotIn("labelled", {spec.get("resourceAttributes", {}).get("resource")
                                      for spec in self.apiserver.access_reviews})

    def test_118_an_audit_id_is_echoed_or_generated(self):
        for path, cert in ((M, "front-proxy-client"), ("/nope", "front-proxy-client"), ("/readyz", None), (M, None)):
            with self.subTest(path, cert=cert):
                echo = self.get(path, {"Audit-ID": "abc-1"}, cert)
                audit_ids = [self.get(path, headers, cert).headers["Audit-Id"]
                             for headers in ({}, {}, {"Audit-ID": "x" * 65}, {"Audit-ID": "a b"})]

                self.assertEqual(["abc-1"], echo.headers.get_all("Audit-Id"))
                self.assertEqual(4, len(set(audit_ids)))
                self.assertEqual([True] * 4, [bool(UUID.fullmatch(audit_id)) for audit_id in audit_ids])


if __name__ == "__main__":
    unittest.main()
