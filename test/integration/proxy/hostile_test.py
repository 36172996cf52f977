"""Proxies that hang, lie, and close the connection."""
import unittest

from support import ScriptedServer, ServerTest, Weir, config, metric, prometheus_backend, shared_certificates


def read_head(connection):
    data = b""
    while b"\r\n\r\n" not in data and (chunk := connection.recv(4096)):
        data += chunk
    return data


def replies(text):
    """A proxy that responds so to every request, and closes the connection."""
    def raw(connection):
        if read_head(connection):
            connection.sendall(text.encode())
    return raw


def hang(connection):
    while connection.recv(4096):
        pass


class HostileProxyTest(ServerTest):
    """What no proxy should do. Each is played to a tunnel and to a plain request."""

    @classmethod
    def setUpClass(cls):
        folder = cls.new_folder()
        ca = {"ca": str(shared_certificates().crt("ca"))}
        cls.scripts = {
            "hanging": hang,
            "closing": read_head,
            "garbled": replies("SSH-2.0-OpenSSH_9.2\r\n"),
            "endless": replies("HTTP/1.1 200 OK\r\n" + "X: " + "a" * 4096 + "\r\n" * 1 + ("Y: " + "b" * 4000 + "\r\n") * 200),
            "silent": lambda connection: read_head(connection) and connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n") or hang(connection),
            "moved": replies("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"),
            "interim": replies("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + "HTTP/1.1 200 OK\r\n\r\n"),
            "talkative": replies("HTTP/1.1 200 OK\r\n\r\n" + "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"),
        }
        cls.proxies = {name: cls.start(ScriptedServer(raw=script)) for name, script in cls.scripts.items()}
        backends = {}
        for name, proxy in cls.proxies.items():
            backends[name] = prometheus_backend("https://server.weir-test.invalid", proxy=proxy.url, tls=ca)
            backends[name + "_plain"] = prometheus_backend("http://server.weir-test.invalid", proxy=proxy.url)
        metrics = [metric(name, "vector(42)", backend=name, freshness="1ms", deadline="700ms") for name in backends]
        cls.weir = cls.start(Weir(folder / "weir", config(backends, *metrics)))

    def message(self, name):
        response = self.weir.metric("ml-inference", name)
        message = self.message_of(response)
        self.assertIn(response.status, (503, 504), message)
        front = f"metric ml-inference/{name}: prometheus {name}: "
        self.assertTrue(message.startswith(front), message)
        self.assertNotRegex(message, r"weir-test|127\.0\.0\.1|\b\d{4,5}\b")
        return message[len(front):]

    def test_tunnels(self):
        rows = {
            "hanging": "no response within 700 ms (the proxy did not connect to the server in time); raise deadline, at most 30s, or query for less",
            "closing": "the proxy closed the connection, or its response is not HTTP",
            "garbled": "the proxy closed the connection, or its response is not HTTP",
            "endless": "the proxy closed the connection, or its response is not HTTP",
            "moved": "the proxy cannot connect to the server (HTTP 302)",
            "interim": "the proxy sent an interim response to CONNECT (HTTP 103), which Weir does not support; configure the proxy to send none",
        }
        for name, text in rows.items():
            with self.subTest(name):
                self.assertEqual(text, self.message(name))
        with self.subTest("silent"):
            self.assertRegex(self.message("silent"), "it did not finish the TLS handshake in time")
        with self.subTest("talkative"):
            self.assertRegex(self.message("talkative"), "^TLS failed: ")

    def test_plain_requests(self):
        # Nobody can tell whether the proxy or the server is silent.
        self.assertRegex(self.message("hanging_plain"), "^no response within 700 ms ")
        for name in ("closing_plain", "garbled_plain", "endless_plain", "silent_plain", "moved_plain", "interim_plain", "talkative_plain"):
            with self.subTest(name):
                self.message(name)


if __name__ == "__main__":
    unittest.main()
