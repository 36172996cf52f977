"""Connections without end: a cap that leaves descriptors for the backends, and a reserve for when there is none."""
import contextlib
import os
import resource
import socket
import threading
import unittest

from support import (ScriptedServer, ServerTest, Weir, config, metric, metric_path, raw_tls, read_answers, read_to_end,
                     vector)

REQUEST = f"GET {metric_path('ml-inference', 'up')} HTTP/1.1\r\nHost: weir\r\nX-Remote-User: alice\r\n\r\n".encode()
HELD = REQUEST.replace(b"/up ", b"/held ")
LIMIT = 160


@contextlib.contextmanager
def soft_limit(count):
    """What is started inside may have `count` descriptors."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (count, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


class DescriptorsTest(ServerTest):
    def setUp(self):
        self.released = threading.Event()
        self.addCleanup(self.released.set)
        self.backend = self.start_in_test(ScriptedServer(self.play))
        text = config(self.backend.url, metric("up", "up", freshness="1ms"),
                      metric("held", "held", freshness="1ms", deadline="30s"))
        with soft_limit(LIMIT):
            self.weir = self.start_in_test(Weir(self.folder() / "weir", text))
        self.stack = self.enterContext(contextlib.ExitStack())

    def play(self, turn):
        if turn.request.query == "held":
            self.released.wait(30)
        turn.answer(vector(42))

    def connect(self):
        return self.stack.enter_context(raw_tls(self.weir))

    def read(self, connection):
        connection.sendall(REQUEST)
        return read_answers(connection, 1)[0][0]

    def is_turned_away(self):
        """Accepted and closed at once, without a byte; a TLS server that waits for a hello would be silent."""
        with socket.create_connection(("127.0.0.1", self.weir.port), timeout=5) as bare:
            return read_to_end(bare) == b""

    def open_files(self):
        return len(os.listdir(f"/proc/{self.weir.process.pid}/fd"))

    def lines(self, event):
        return self.weir.process.log.read_text().count(f"weir] {event}")

    def limit(self, count):
        hard = resource.prlimit(self.weir.process.pid, resource.RLIMIT_NOFILE)[1]
        resource.prlimit(self.weir.process.pid, resource.RLIMIT_NOFILE, (count, hard))

    def full_house(self):
        """As many connections as Weir takes, each with a read under way until `released`."""
        self.wait_for(lambda: self.open_files() < LIMIT / 2)  # the sessions of the start have ended
        connections = []
        for _ in range(LIMIT // 2):
            connections.append(self.connect())
            connections[-1].sendall(HELD)
        return connections

    def test_connections_use_half_of_the_descriptors_and_backends_the_rest(self):
        connections = self.full_house()

        self.assertEqual([True] * 20, [self.is_turned_away() for _ in range(20)])
        self.released.set()
        self.assertEqual({200}, {read_answers(connection, 1)[0][0] for connection in connections})
        self.assertLess(self.open_files(), LIMIT - 10)
        self.assertEqual((1, 0), (self.lines("connections_full"), self.lines("connections_available")))

        connections[0].close()
        self.assertEqual(200, self.read(self.wait_for(self.connected)))

    def test_the_longest_idle_connection_is_closed_for_a_new_connection(self):
        connections = self.full_house()
        self.released.set()
        for connection in connections:
            self.assertEqual(200, read_answers(connection, 1)[0][0])
        self.assertEqual({200}, {self.read(connection) for connection in connections})

        self.assertEqual(200, self.wait_for(self.probed).status)
        self.assertEqual(b"", read_to_end(connections[0]))
        self.assertEqual({200}, {self.read(connection) for connection in connections[1:]})

    def probed(self):
        with contextlib.suppress(OSError):
            return self.weir.get("/readyz", cert=None)

    def connected(self):
        """A connection; None when it was turned away."""
        with contextlib.suppress(ConnectionError):
            return self.connect()

    def test_without_a_descriptor_new_connections_are_closed_at_once_and_open_ones_served(self):
        connection = self.connect()
        self.assertEqual(200, self.read(connection))
        self.wait_for(lambda: self.files_are_dense())
        self.limit(self.open_files())

        self.assertEqual([True] * 50, [self.is_turned_away() for _ in range(50)])
        self.assertEqual(200, self.read(connection))
        self.assertEqual((1, 0), (self.lines("descriptors_exhausted"), self.lines("descriptors_free")))

        self.limit(LIMIT)
        self.assertEqual(200, self.read(self.connect()))
        self.assertEqual((1, 1), (self.lines("descriptors_exhausted"), self.lines("descriptors_free")))
        self.assertEqual(200, self.weir.get("/readyz", cert=None).status)

    def files_are_dense(self):
        """Whether a limit of as many as are open leaves no free one below."""
        numbers = sorted(int(name) for name in os.listdir(f"/proc/{self.weir.process.pid}/fd"))
        return numbers == list(range(len(numbers)))


if __name__ == "__main__":
    unittest.main()
