"""Thousands of reads at once: of a single query, and of thousands of uncached queries."""
import collections
import resource
import selectors
import socket
import ssl
import threading
import time
import unittest

from support import (HPA_USER, ScriptedServer, ServerTest, Weir, config, is_sanitized, metric, metric_path, prometheus_backend,
                     vector)

# A fifth for a Weir with sanitizers and without optimization, which needs several times as long for each.
CONNECTIONS, IN_FLIGHT, WAITING = (200, 8, 40) if is_sanitized() else (1000, 8, 200)
OF_NAMESPACE = IN_FLIGHT - IN_FLIGHT // 4  # the rest is for other namespaces
LATENCY_SECONDS = 0.15  # of the backend
SECONDS = 60.0  # for a whole herd


class Backend:
    """Counts what is in flight, and for how long how much of its cap was used."""

    def __init__(self):
        self.released = threading.Event()
        self.lock = threading.Lock()
        self.in_flight = self.most = 0
        self.busy_seconds, self.changed_at, self.began_at = 0.0, 0.0, None

    def __call__(self, turn):
        self.count(+1)
        if turn.request.query == "one":
            self.released.wait(20)
        else:
            turn.pause(LATENCY_SECONDS)
        self.count(-1)
        turn.answer(vector(42))

    def count(self, step):
        with self.lock:
            now = time.monotonic()
            self.began_at = self.began_at or now
            self.busy_seconds += self.in_flight * (now - max(self.changed_at, self.began_at))
            self.changed_at = now
            self.in_flight += step
            self.most = max(self.most, self.in_flight)

    @property
    def share(self):
        """Of the places, while there was anything to do."""
        return self.busy_seconds / (OF_NAMESPACE * (self.changed_at - self.began_at))


class HerdTest(ServerTest):
    def setUp(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 4 * CONNECTIONS), hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        self.backend = Backend()
        self.addCleanup(self.backend.released.set)
        self.server = self.start_in_test(ScriptedServer(self.backend))
        prom = {**prometheus_backend(self.server.url), "maxInFlight": IN_FLIGHT, "maxWaiting": WAITING}
        self.weir = self.start_in_test(Weir(self.folder() / "weir", config(
            {"prom": prom}, metric("one", "one", freshness="1m", deadline="20s"),
            metric("many", 'x{n="$(n)"}', labels={"n": "[0-9]+"}, deadline="20s")),
            flags=("--max-requests-inflight", "0")))
        pair = self.weir.certificates
        context = ssl.create_default_context(cafile=pair.crt("ca"))
        context.load_cert_chain(pair.crt("front-proxy-client"), pair.key("front-proxy-client"))
        self.connections = [self.connection(context) for _ in range(CONNECTIONS)]

    def connection(self, context):
        bare = socket.create_connection(("127.0.0.1", self.weir.port), timeout=SECONDS)
        connection = context.wrap_socket(bare, server_hostname="127.0.0.1")
        self.addCleanup(connection.close)
        return connection

    def herd(self, paths, on_sent=lambda: None):
        """Sends the paths of each connection with one write: the statuses of each, and how long its first answer took."""
        send_times, received_bytes = {}, {connection: b"" for connection in self.connections}
        first = {}
        for connection, mine in zip(self.connections, paths):
            send_times[connection] = time.monotonic()
            connection.sendall("".join(f"GET {path} HTTP/1.1\r\nHost: weir\r\nX-Remote-User: {HPA_USER}\r\n\r\n"
                                       for path in mine).encode())
        on_sent()
        statuses, limit = {}, time.monotonic() + SECONDS
        with selectors.EpollSelector() as selector:
            for connection in self.connections:
                connection.setblocking(False)
                selector.register(connection, selectors.EVENT_READ)
            while len(statuses) < len(self.connections):
                self.assertLess(time.monotonic(), limit, f"{len(statuses)} connections are answered")
                for key, _ in selector.select(1):
                    self.receive(key.fileobj, received_bytes)
                    first.setdefault(key.fileobj, time.monotonic() - send_times[key.fileobj])
                    answers = self.whole(received_bytes[key.fileobj])
                    if len(answers) == len(paths[0]):
                        statuses[key.fileobj] = answers
                        selector.unregister(key.fileobj)
        self.assertNotIn(b"retry-after", b"".join(received_bytes.values()).lower())
        return [(statuses[connection], first[connection]) for connection in self.connections]

    def receive(self, connection, received_bytes):
        while True:
            try:
                data = connection.recv(65536)
            except ssl.SSLWantReadError:
                return
            self.assertTrue(data, "Weir ended a connection")
            received_bytes[connection] += data

    def whole(self, data):
        """The statuses of the answers that are there to their last byte."""
        out = []
        while True:
            head, blank, data = data.partition(b"\r\n\r\n")
            length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
            if not blank or len(data) < length:
                return out
            out.append(int(head[9:12]))
            data = data[length:]

    def test_F57_10000_reads_of_an_uncached_query_send_it_once(self):
        def release():
            self.server.wait_for_requests(1)
            self.backend.released.set()

        answers = self.herd([[metric_path("ml-inference", "one")] * 10] * CONNECTIONS, release)

        self.assertEqual(1, len(self.server.requests))
        self.assertEqual({200: 10 * CONNECTIONS}, collections.Counter(status for mine, _ in answers for status in mine))

    def test_F58_5000_uncached_queries_use_the_whole_share_of_a_namespace_and_the_rest_is_429_at_once(self):
        paths = [[metric_path("ml-inference", "many", f"n={5 * index + n}") for n in range(5)] for index in range(CONNECTIONS)]

        answers = self.herd(paths)

        statuses = collections.Counter(status for mine, _ in answers for status in mine)
        self.assertEqual({200, 429}, set(statuses))
        self.assertGreaterEqual(statuses[200], OF_NAMESPACE + WAITING)
        self.assertEqual(statuses[200], len(self.server.requests))
        self.assertEqual(OF_NAMESPACE, self.backend.most)
        # Without optimization and with sanitizers, Weir itself takes a part of the time between two queries.
        self.assertGreater(self.backend.share, 0.6 if is_sanitized() else 0.9)
        rejection_times = sorted(took for mine, took in answers if mine[0] == 429)
        self.assertGreater(len(rejection_times), CONNECTIONS // 4)
        self.assertLess(rejection_times[-1], 2, "a refusal waits for nothing")


if __name__ == "__main__":
    unittest.main()
