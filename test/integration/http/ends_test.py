"""Where a response ends: at its length, at its last chunk, or with its connection; and how a cut one is told from a whole one."""
import unittest

from support import ScriptedServer, ServerTest, Weir, config, metric, prometheus_backend, shared_certificates, vector

BODY = vector(42).encode()
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
CUT = "the response may be incomplete: it has no Content-Length, and its connection ended without a close_notify of TLS"
INCOMPLETE = "the response is incomplete"


def send(turn, fields=b"", body=BODY, status=b"HTTP/1.1 200 OK"):
    turn.send(status + b"\r\n" + fields + b"\r\n" + body)


def cut_off(*parts, **named):
    """The end of TCP alone."""
    def play(turn):
        send(turn, *parts, **named)
        turn.close()
    return play


def said(*parts, **named):
    """The end of TLS, then that of TCP."""
    def play(turn):
        send(turn, *parts, **named)
        turn.end_tls()
        turn.close()
    return play


def reset(turn):
    send(turn)
    turn.reset()


def chunked(body):
    return b"Transfer-Encoding: chunked\r\n", b"%x\r\n%s\r\n" % (len(body), body)


class EndsTest(ServerTest):
    @classmethod
    def setUpClass(cls):
        folder = cls.new_folder()
        certificates = shared_certificates()
        pair = certificates.crt("serving"), certificates.key("serving")
        ca = {"ca": str(certificates.crt("ca"))}
        backends = {}
        for name, (script, text) in {**cls.tls_rows(), **cls.plain_rows()}.items():
            server = cls.start(ScriptedServer(script, tls=pair if name in cls.tls_rows() else None))
            backends[name] = prometheus_backend(server.url, **({"tls": ca} if name in cls.tls_rows() else {}))
        metrics = [metric(name, "vector(42)", backend=name, freshness="1ms") for name in backends]
        cls.weir = cls.start(Weir(folder / "weir", config(backends, *metrics)))

    @staticmethod
    def tls_rows():
        """By name: the script, and the error; None for the value 42."""
        fields, chunk = chunked(BODY)
        return {
            "tls_end": (said(), None),
            "tls_end_close": (said(b"Connection: close\r\n"), None),
            "tls_end_old": (said(status=b"HTTP/1.0 200 OK"), None),
            "tls_cut": (cut_off(), CUT),
            "tls_cut_close": (cut_off(b"Connection: close\r\n"), CUT),
            "tls_cut_old": (cut_off(status=b"HTTP/1.0 200 OK"), CUT),
            "tls_cut_early": (cut_off(body=BODY[:30]), CUT),
            "tls_cut_empty": (cut_off(body=b""), CUT),
            "tls_cut_refusal": (cut_off(status=b"HTTP/1.1 500 Oops"), "the server returned an error (HTTP 500)"),
            "tls_cut_interim": (cut_off(status=b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK"), CUT),
            "tls_cut_length": (cut_off(LENGTH), None),
            "tls_cut_less": (cut_off(LENGTH, BODY[:-1]), INCOMPLETE),
            "tls_end_less": (said(LENGTH, BODY[:-1]), INCOMPLETE),
            "tls_cut_chunk": (cut_off(fields, chunk), INCOMPLETE),
            "tls_cut_chunks": (cut_off(fields, chunk + b"0\r\n\r\n"), None),
            "tls_reset": (reset, "the connection was lost (Connection reset by peer)"),
        }

    @staticmethod
    def plain_rows():
        """Nobody can tell the end of TCP from a cut: RFC 9112, section 6.3, calls such a response complete."""
        return {
            "plain_end": (cut_off(), None),
            "plain_end_old": (cut_off(status=b"HTTP/1.0 200 OK"), None),
            "plain_end_less": (cut_off(LENGTH, BODY[:-1]), INCOMPLETE),
            "plain_end_chunk": (cut_off(*chunked(BODY)), INCOMPLETE),
            "plain_reset": (reset, "the connection was lost (Connection reset by peer)"),
        }

    def check_rows(self, rows):
        for name, (_, text) in rows.items():
            with self.subTest(name):
                answer = self.weir.metric("ml-inference", name)
                if text is None:
                    self.assert_values(answer, "42")
                else:
                    self.assert_status(answer, 503, "ServiceUnavailable", f"metric ml-inference/{name}: prometheus {name}: {text}")

    def test_over_tls(self):
        self.check_rows(self.tls_rows())

    def test_without_tls(self):
        self.check_rows(self.plain_rows())


if __name__ == "__main__":
    unittest.main()
