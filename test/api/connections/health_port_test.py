"""--healthz-port: the health checks alone, over HTTP, with connections of its own."""
import http.client
import signal
import socket
import unittest

from support import ServerTest, Weir, free_port, metric_path, read_to_end, run_weir

MOST = 64  # connections of the health port


class HealthPortTest(ServerTest):
    def setUp(self):
        self.port = free_port()
        self.weir = self.start_in_test(Weir(self.folder() / "weir", "metrics: []\n", flags=("--healthz-port", self.port)))

    def get(self, path, method="GET", address="127.0.0.1"):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10, source_address=(address, 0))
        self.addCleanup(connection.close)
        connection.request(method, path)
        response = connection.getresponse()
        return response.status, response.read().decode()

    def idle(self, address):
        connection = socket.create_connection(("127.0.0.1", self.port), 10, (address, 0))
        self.addCleanup(connection.close)
        return connection

    def test_the_three_paths_are_served_and_nothing_else(self):
        for path in ("/healthz", "/livez", "/readyz"):
            self.assertEqual((200, "ok"), self.get(path))
        self.assertEqual((200, ""), self.get("/readyz", method="HEAD"))
        self.assertIn("[+]ping ok", self.get("/readyz?verbose")[1])
        for path in ("/", "/metrics", "/readyz/ping", "/apis", metric_path("ml-inference", "up")):
            self.assertEqual(404, self.get(path)[0], path)

    def test_a_response_closes_the_connection_and_what_is_not_http_is_refused(self):
        for request, status in ((b"GET /livez HTTP/1.1\r\nHost: weir\r\n\r\n" * 2, b"HTTP/1.1 200 "),
                                (b"GET /livez HTTP/1.1\r\n\r\n", b"HTTP/1.1 400 "),
                                (b"GET /livez HTTP/1.1\r\nHost: weir\r\nX: " + b"x" * 9000, b"HTTP/1.1 431 ")):
            connection = self.idle("127.0.0.1")
            connection.sendall(request)
            data = read_to_end(connection)
            self.assertTrue(data.startswith(status), data)
            self.assertEqual(1, data.count(b"HTTP/1.1 "))
            self.assertIn(b"\r\nConnection: close\r\n", data)

    def test_S40_an_address_that_takes_all_connections_loses_its_own(self):
        probe = self.idle("127.0.0.3")
        for _ in range(3 * MOST):
            self.idle("127.0.0.4")

        self.assertEqual([(200, "ok")] * 20, [self.get("/livez", address="127.0.0.3") for _ in range(20)])
        probe.sendall(b"GET /livez HTTP/1.1\r\nHost: weir\r\n\r\n")
        self.assertTrue(read_to_end(probe).startswith(b"HTTP/1.1 200 "))

    def test_S40_connections_of_the_serving_port_are_counted_apart(self):
        for _ in range(300):
            connection = socket.create_connection(("127.0.0.1", self.weir.port), 10)
            self.addCleanup(connection.close)

        self.assertEqual([(200, "ok")] * 20, [self.get("/livez") for _ in range(20)])

    def test_readiness_is_that_of_the_serving_port(self):
        self.weir.stop()
        self.weir = self.start_in_test(Weir(self.folder() / "weir", "metrics: []\n", flags=(
            "--healthz-port", self.port, "--shutdown-delay-duration", "20s")))
        self.weir.process.signal(signal.SIGTERM)

        self.wait_for(lambda: self.get("/readyz")[0] == 500)
        self.assertEqual((200, "ok"), self.get("/livez"))

    def test_a_port_in_use_is_an_error_that_names_the_flag(self):
        pair = self.weir.certificates
        run = run_weir("serve", "--config", self.weir.config_file, "--standalone", "--client-ca-file", pair.crt("client-ca"),
                       "--tls-cert-file", pair.crt("serving"), "--tls-private-key-file", pair.key("serving"),
                       "--bind-address", "127.0.0.1", "--secure-port", free_port(), "--healthz-port", self.port)

        self.assertEqual(1, run.returncode)
        self.assertIn(f"cannot listen on 127.0.0.1 port {self.port}: Address already in use; choose another with "
                      "--bind-address and --healthz-port", run.stderr)


if __name__ == "__main__":
    unittest.main()
