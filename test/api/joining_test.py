"""Many HPAs with the same query: reads in flight are joined, and fresh values are cached. The backend counts the queries."""
import threading
import time
import unittest

from support import (HPA_USER, ScriptedServer, ServerTest, Weir, config, metric, metric_path, read_answers, vector)

READERS = 200
HOLD_SECONDS = 8  # how long the backend waits for the test's word


class JoiningTest(ServerTest):
    def setUp(self):
        self.answer = vector(42)
        self.released = threading.Event()
        self.server = self.start_in_test(ScriptedServer(self.hold))
        self.weir = self.start_in_test(Weir(self.folder() / "weir", config(
            self.server.url,
            metric("joined", "joined", deadline="10s", freshness="1ms"),
            metric("joined_too", "joined", deadline="10s", freshness="1ms"),
            metric("impatient", "joined", deadline="400ms", freshness="1ms"),
            metric("kept", "kept", deadline="10s", freshness="1m"),
            metric("by_label", 'x{queue="$(queue)"}', labels={"queue": "[a-z0-9]+"}, deadline="10s",
                   freshness="1ms"))))

    def hold(self, turn):
        self.released.wait(HOLD_SECONDS)
        turn.answer(self.answer)

    def connections(self, count):
        """TLS connections from one thread, handshakes done: what comes after them is one write each."""
        connections = []
        for _ in range(count):
            connection = self.weir.connection(seconds=20)
            self.addCleanup(connection.close)
            connection.connect()
            connections.append(connection.sock)
        return connections

    def send(self, connections, paths):
        for connection, path in zip(connections, paths):
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: weir\r\nX-Remote-User: {HPA_USER}\r\n\r\n".encode())

    def settle(self):
        """Weir has one loop: when it has answered these two, it has read all that was sent before them."""
        for _ in range(2):
            self.assertEqual(200, self.weir.get("/livez", cert=None).status)

    def answers(self, connections):
        return [read_answers(connection, 1)[0] for connection in connections]

    def test_200_simultaneous_reads_query_the_backend_once(self):
        """REQUIRED: promise 3 of the design."""
        connections = self.connections(READERS)

        self.send(connections, [metric_path("ml-inference", "joined")] * READERS)
        self.server.wait_for_requests(1)
        self.settle()
        self.released.set()
        answers = self.answers(connections)

        self.assertEqual(1, len(self.server.requests))
        self.assertEqual({200}, {status for status, _ in answers})
        self.assertEqual(1, len({body for _, body in answers}))
        self.assertIn(b'"value":"42"', answers[0][1])

    def test_200_simultaneous_reads_of_a_failing_backend_query_it_once_and_all_get_the_error(self):
        self.answer = '{"status":"error","errorType":"execution","error":"boom"}'
        connections = self.connections(READERS)

        self.send(connections, [metric_path("ml-inference", "joined")] * READERS)
        self.server.wait_for_requests(1)
        self.settle()
        self.released.set()
        answers = self.answers(connections)

        self.assertEqual(1, len(self.server.requests))
        self.assertEqual({503}, {status for status, _ in answers})

    def test_two_metrics_with_the_same_query_join(self):
        connections = self.connections(2)

        self.send(connections, [metric_path("ml-inference", name) for name in ("joined", "joined_too")])
        self.server.wait_for_requests(1)
        self.settle()
        self.released.set()
        answers = self.answers(connections)

        self.assertEqual(1, len(self.server.requests))
        self.assertEqual([200, 200], [status for status, _ in answers])

    def test_a_joined_read_has_its_own_deadline(self):
        connections = self.connections(2)
        self.send(connections[:1], [metric_path("ml-inference", "joined")])
        self.server.wait_for_requests(1)

        start_time = time.monotonic()
        self.send(connections[1:], [metric_path("ml-inference", "impatient")])
        impatient = self.answers(connections[1:])
        took = time.monotonic() - start_time
        self.released.set()
        patient = self.answers(connections[:1])

        self.assertEqual([504, 200], [impatient[0][0], patient[0][0]])
        self.assertIn(b"metric ml-inference/impatient: prometheus prom: no response within 400 ms", impatient[0][1])
        self.assertLess(took, 1.2)
        self.assertEqual(1, len(self.server.requests))

    def test_a_reader_that_disconnects_does_not_cancel_the_query_of_the_others(self):
        connections = self.connections(3)
        self.send(connections, [metric_path("ml-inference", "joined")] * 3)
        self.server.wait_for_requests(1)
        self.settle()

        connections[0].close()
        self.settle()
        self.released.set()
        answers = self.answers(connections[1:])

        self.assertEqual([200, 200], [status for status, _ in answers])
        self.assertEqual(1, len(self.server.requests))

    def test_different_queries_are_sent_separately_and_at_most_six_of_a_namespace_at_once(self):
        selectors = [f"queue=q{n}" for n in range(20)]
        connections = self.connections(len(selectors))

        self.send(connections, [metric_path("ml-inference", "by_label", selector) for selector in selectors])
        self.server.wait_for_requests(6)
        self.settle()
        first_requests = len(self.server.requests)
        self.released.set()
        answers = self.answers(connections)

        self.assertEqual((6, 20), (first_requests, len(self.server.requests)))
        self.assertEqual({200}, {status for status, _ in answers})
        self.assertEqual({f'x{{queue="q{n}"}}' for n in range(20)}, {request.query for request in self.server.requests})

    def test_a_fresh_value_is_not_queried_again(self):
        self.released.set()

        bodies = {self.weir.metric("ml-inference", "kept").text for _ in range(20)}

        self.assertEqual((1, 1), (len(bodies), len(self.server.requests)))

    def test_an_old_value_is_queried_again(self):
        self.released.set()

        for _ in range(5):
            self.assert_values(self.weir.metric("ml-inference", "joined"), "42")

        self.assertEqual(5, len(self.server.requests))

    def test_one_connection_to_the_backend_serves_many_queries(self):
        self.released.set()
        peers = set()
        self.server.script = lambda turn: (peers.add(turn.peer), turn.answer(self.answer))

        for _ in range(10):
            self.assert_values(self.weir.metric("ml-inference", "joined"), "42")

        self.assertEqual((10, 1), (len(self.server.requests), len(peers)))


if __name__ == "__main__":
    unittest.main()
