"""F58 and F11: more queries than a backend can answer, from one namespace or two, and a response that is far too large."""
import selectors
import threading
import time
import unittest
from dataclasses import dataclass, field

from footprint import Footprint
from servers.http import endless_body
from support import (HPA_USER, ScriptedServer, ServerTest, Weir, config, frugal_environment, is_sanitized, metric,
                     metric_path, read_answers, vector)

IN_FLIGHT, WAITING = 8, 314
OF_NAMESPACE = IN_FLIGHT - IN_FLIGHT // 4  # the rest is for other namespaces
PER_READ = 16  # the most values that one selector may bind
READS = 313  # of 16 values each: 5,008 questions
SERVED = (OF_NAMESPACE + WAITING) // PER_READ
SERVICE_SECONDS = 0.2


@dataclass
class Counter:
    """A script that takes SERVICE_SECONDS for each query, and measures how busy it was."""
    spans: list = field(default_factory=list)  # (begin, end) of each, in the order of their ends
    arrivals: list = field(default_factory=list)  # the queries, in the order of their arrival
    under_way: int = 0
    most: int = 0

    def __post_init__(self):
        self._lock = threading.Lock()

    def __call__(self, turn):
        began = time.monotonic()
        with self._lock:
            self.arrivals.append(turn.request.query)
            self.under_way += 1
            self.most = max(self.most, self.under_way)
        turn.pause(SERVICE_SECONDS)
        with self._lock:
            self.under_way -= 1
            self.spans.append((began, time.monotonic()))
        turn.answer(vector(1))

    def utilisation(self):
        """The share of the namespace's places that were taken, from the first query to the last response."""
        whole = max(end for _, end in self.spans) - min(began for began, _ in self.spans)
        return sum(end - began for began, end in self.spans) / (OF_NAMESPACE * whole)


class BulkheadTest(ServerTest):
    def weir_of(self, server, *metrics, env=None):
        backend = {"prometheus": {"url": server.url}, "maxInFlight": IN_FLIGHT, "maxWaiting": WAITING}
        return self.start_in_test(Weir(self.folder() / "weir", config({"prom": backend}, *metrics), env=env))

    def connections(self, weir, count):
        """Each gets a response first: a connection without a request is closed after 10 s, and hundreds of handshakes take long."""
        connections = []
        for _ in range(count):
            connection = weir.connection(seconds=30)
            self.addCleanup(connection.close)
            connection.request("GET", "/livez")
            self.assertEqual(b"ok", connection.getresponse().read())
            connections.append(connection.sock)
        return connections

    def send(self, connection, namespace, values):
        path = metric_path(namespace, "depth", f"queue in ({','.join(values)})")
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: weir\r\nX-Remote-User: {HPA_USER}\r\n\r\n".encode())

    def answers_as_they_come(self, connections):
        """(connection, status) of each, in the order of their arrival."""
        waiting = selectors.DefaultSelector()
        self.addCleanup(waiting.close)
        for connection in connections:
            waiting.register(connection, selectors.EVENT_READ)
        while waiting.get_map():
            ready = waiting.select(30)
            self.assertTrue(ready, f"{len(waiting.get_map())} reads have no answer")
            for key, _ in ready:
                waiting.unregister(key.fileobj)
                yield key.fileobj, read_answers(key.fileobj, 1)[0][0]

    def flood(self, weir, reads, namespace="loud"):
        connections = self.connections(weir, reads)
        for n, connection in enumerate(connections):
            self.send(connection, namespace, [f"{namespace}{n}x{value}" for value in range(PER_READ)])
        return connections

    def by_queue(self):
        return metric("depth", 'x{queue="$(queue)"}', namespaces=["*"], labels={"queue": "[a-z0-9]+"}, deadline="25s")

    def test_F58_of_5000_uncached_queries_the_backend_serves_its_limit_and_the_rest_is_429_at_once(self):
        counter = Counter()
        weir = self.weir_of(self.start_in_test(ScriptedServer(counter)), self.by_queue())

        served_count, refused_count, done_at_last_refusal = 0, 0, 0
        for _, status in self.answers_as_they_come(self.flood(weir, READS)):
            self.assertIn(status, (200, 429))
            served_count += status == 200
            if status == 429:
                refused_count, done_at_last_refusal = refused_count + 1, len(counter.spans)

        self.assertEqual((SERVED, READS - SERVED), (served_count, refused_count))
        self.assertEqual(OF_NAMESPACE + WAITING, len(counter.spans))
        self.assertEqual(OF_NAMESPACE, counter.most)
        # Refusals do not wait for the backend, which has half of its work before it yet.
        self.assertLess(done_at_last_refusal, (IN_FLIGHT + WAITING) // 2)
        self.assertGreaterEqual(counter.utilisation(), 0.9)

    def test_S43_a_namespace_that_floods_the_queue_delays_only_itself(self):
        counter = Counter()
        weir = self.weir_of(self.start_in_test(ScriptedServer(counter)), self.by_queue())
        [quiet] = self.connections(weir, 1)
        loud = self.flood(weir, SERVED)
        self.wait_for(lambda: len(counter.arrivals) >= OF_NAMESPACE)

        self.send(quiet, "quiet", ["quiet"])
        status = read_answers(quiet, 1)[0][0]
        served_before = len(counter.spans)

        self.assertEqual(200, status)
        self.assertLessEqual(served_before, 2 * OF_NAMESPACE)  # of all that had come before it
        # A place was free for it, so the flood lost nothing.
        self.assertEqual([200] * SERVED, [status for _, status in self.answers_as_they_come(loud)])

    def test_S43_slow_queries_of_one_namespace_do_not_hold_the_backend(self):
        """Each takes until its deadline of 25 s, as a query that the backend cannot finish."""
        def answer(turn):
            if "loud" in turn.request.query:
                turn.pause(25)
            turn.answer(vector(1))
        server = self.start_in_test(ScriptedServer(answer))
        weir = self.weir_of(server, self.by_queue())
        quiet = self.connections(weir, 2)
        [loud] = self.connections(weir, 1)
        self.send(loud, "loud", [f"loud{n}" for n in range(2 * IN_FLIGHT)])
        server.wait_for_requests(OF_NAMESPACE)

        began = time.monotonic()
        statuses = []
        for n, connection in enumerate(quiet):
            self.send(connection, f"quiet{n}", [f"quiet{n}"])
            statuses.append(read_answers(connection, 1)[0][0])

        self.assertEqual([200, 200], statuses)
        self.assertLess(time.monotonic() - began, 10, "25 s where the slow queries hold every place")
        self.assertEqual(OF_NAMESPACE + 2, len(server.requests))

    def test_F11_a_response_of_102_MB_uses_at_most_2_MB(self):
        limit_mib = 12 if is_sanitized() else 2
        for is_length_said in (True, False):
            with self.subTest(is_length_said=is_length_said):
                large = endless_body(is_length_said)
                server = self.start_in_test(ScriptedServer(lambda turn: turn.answer(vector(1)) if turn.request.query == "small"
                                                           else large(turn)))
                weir = self.weir_of(server, metric("small", "small"), metric("large", "large"), env=frugal_environment())
                self.assert_values(weir.metric("ml-inference", "small"), "1")
                before = Footprint(weir.process.pid)

                answer = weir.metric("ml-inference", "large")

                self.assert_status(answer, 503, "ServiceUnavailable", "metric ml-inference/large: prometheus prom: the "
                                   "response is over 1024 KiB; query fewer series")
                self.assertLessEqual(before.growth_mib(), limit_mib)


if __name__ == "__main__":
    unittest.main()
