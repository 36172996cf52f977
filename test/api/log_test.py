"""What the log says of failing metrics, of backends, of handshakes, of requests and of the end: changes, once each."""
import json
import re
import signal
import socket
import ssl
import unittest

from support import ScriptedServer, ServerTest, Weir, config, metric, metric_path, vector

NO_SERIES = vector()


def lines_of(weir, event):
    """The fields of each line of `event`, in their order."""
    out = []
    for line in weir.process.log.read_text().splitlines():
        text = line.partition(" weir] ")[2]
        if text.startswith(event + " "):
            out.append(dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', text)))
    return out


class LogTest(ServerTest):
    def setUp(self):
        self.missing = {"of_b"}
        self.server = self.start_in_test(ScriptedServer(self.answer))
        self.weir = self.start_in_test(Weir(self.folder() / "weir", self.config()))

    def answer(self, turn):
        is_missing = any(name in (turn.request.query or "") for name in self.missing)
        turn.answer(NO_SERIES if is_missing else vector(7))

    def config(self, url=None):
        labels = {"queue": "[a-z0-9_]+"}
        return config(url or self.server.url,
                      metric("depth", 'x{queue="$(queue)"}', labels=labels, namespaces=["*"], freshness="1ms"),
                      metric("held", "of_a", namespaces=["*"], freshness="1ms", fallback={"after": "1ms", "value": 5}))

    def read(self, queue, namespace="ml", **more):
        return self.weir.metric(namespace, "depth", f"queue={queue}", **more)

    def held_value(self):
        answer = self.weir.metric("ml", "held")
        return answer if answer.status == 200 else None

    def failing(self):
        return lines_of(self.weir, "metric_failing")

    def test_a_failing_metric_has_one_line_and_its_recovery_another(self):
        for _ in range(3):
            self.assertEqual(200, self.read("of_a").status)
            self.assertEqual(503, self.read("of_b").status)
        [line] = self.wait_for(self.failing)
        self.missing.clear()
        self.wait_for(lambda: self.read("of_b").status == 200)
        self.read("of_b")

        self.assertEqual(("ml", "depth", "queue=of_b", "prom", "no_value"),
                         tuple(line[name] for name in ("namespace", "name", "labels", "backend", "code")))
        self.assertIn("no series", line["reason"])
        [recovery] = lines_of(self.weir, "metric_recovered")
        self.assertEqual(("ml", "depth", "queue=of_b"), tuple(recovery[name] for name in ("namespace", "name", "labels")))
        self.assertRegex(recovery["after"], r"^\d+\.\ds$")
        self.assertEqual(1, len(self.failing()))

    def test_a_reload_repeats_no_line_and_the_corrected_metric_recovers(self):
        self.assertEqual(503, self.read("of_b").status)
        self.wait_for(self.failing)
        other = self.start_in_test(ScriptedServer(lambda turn: turn.answer(vector(7))))

        self.weir.write_config(self.config(other.url))
        self.wait_for(lambda: self.read("of_b").status == 200, 15)

        self.assertEqual((1, 1), (len(self.failing()), len(lines_of(self.weir, "metric_recovered"))))

    def test_a_fallback_does_not_hide_a_failure(self):
        self.missing.add("of_a")

        self.assert_values(self.wait_for(self.held_value), "5")

        [line] = self.wait_for(self.failing)
        self.assertEqual(("held", "no_value"), (line["name"], line["code"]))

    def test_only_reads_of_who_may_read_make_lines(self):
        answers = [self.weir.get(metric_path("ml", "depth", "queue=of_b"), cert=None),
                   self.weir.get(metric_path("ml", "depth", "quue=of_b"), {"X-Remote-User": "alice"}),
                   self.weir.get(metric_path("ml", "deph"), {"X-Remote-User": "alice"})]

        self.assertEqual([403, 400, 404], [answer.status for answer in answers])
        self.assertEqual([], self.failing())

    def test_a_namespace_with_many_failing_label_values_neither_fills_the_log_nor_silences_others(self):
        self.missing.add("loud")
        with self.weir.persistent_reader() as read:
            for n in range(200):
                self.assertEqual(503, read("loud", "depth", f"queue=loud{n}").status)
            self.assertEqual(503, read("quiet", "depth", "queue=of_b").status)

        [quiet] = self.wait_for(lambda: [line for line in self.failing() if line["namespace"] == "quiet"])
        self.assertEqual("queue=of_b", quiet["labels"])
        # 20 at once and one each 3 s, which the reads may take.
        self.assertLess(len(self.failing()), 60)

    def test_a_backend_that_is_down_is_named_with_its_address_and_its_return_with_the_time(self):
        port = self.server.port
        self.server.stop()
        self.wait_for(lambda: self.read("of_a").status == 503 and lines_of(self.weir, "backend_down"))
        self.server = self.start_in_test(ScriptedServer(self.answer, port=port))
        self.wait_for(lambda: self.read("of_a").status == 200)

        [down], [up] = lines_of(self.weir, "backend_down"), lines_of(self.weir, "backend_up")
        self.assertEqual(("prom", f"127.0.0.1:{port}", "unreachable"), (down["backend"], down["address"], down["code"]))
        self.assertRegex(up["after"], r"^\d+\.\ds$")

    def test_a_control_byte_of_a_caller_cannot_begin_a_line(self):
        self.weir.get(metric_path("ml", "depth", "queue=of_b\nmetric_failing"), {"X-Remote-User": "alice"})

        self.assertEqual([], self.failing())


class RequestLineTest(ServerTest):
    def test_from_v_3_a_failed_request_has_its_reason_in_every_form(self):
        server = self.start_in_test(ScriptedServer(lambda turn: turn.answer(NO_SERIES)))
        weir = self.start_in_test(Weir(self.folder() / "weir", config(
            server.url, metric("depth", "x"), metric("fine", "y", kind={"aggregate": "sum"}, empty=3)), flags=("-v", "3")))
        for form in ("application/json", "application/yaml", "application/vnd.kubernetes.protobuf"):
            weir.get(metric_path("ml-inference", "depth"), {"X-Remote-User": "alice", "Accept": form})
        weir.get("/nope", {"X-Remote-User": "alice"})
        weir.get(metric_path("ml-inference", "depth"), cert=None)
        self.assertEqual(200, weir.get(metric_path("ml-inference", "fine"), {"X-Remote-User": "alice"}).status)

        lines = [line for line in lines_of(weir, "request") if line["path"] not in ("/readyz", "/livez")]

        self.assertEqual(["503", "503", "503", "404", "403", "200"], [line["code"] for line in lines])
        for line in lines[:3]:
            self.assertTrue(line["reason"].startswith("metric ml-inference/depth: prometheus prom: "), line)
        self.assertEqual("404 page not found", lines[3]["reason"].replace("\\x0a", ""))
        self.assertIn("forbidden", lines[4]["reason"])
        self.assertNotIn("reason", lines[5])

    def test_in_json_too(self):
        weir = self.start_in_test(Weir(self.folder() / "weir", "metrics: []\n",
                                       flags=("-v", "3", "--logging-format", "json")))
        weir.get(metric_path("ml", "depth"), {"X-Remote-User": "alice"})

        lines = [json.loads(line) for line in weir.process.log.read_text().splitlines()]

        [line] = [line for line in lines if line["msg"] == "request" and line["code"] == 404]
        self.assertEqual("metric ml/depth is not configured; no metric is configured for this namespace", line["reason"])


class HandshakeTest(ServerTest):
    def setUp(self):
        self.weir = self.start_in_test(Weir(self.folder() / "weir", "metrics: []\n"))

    def failed(self):
        return lines_of(self.weir, "handshake_failed")

    def test_F65_a_failing_peer_has_one_line_a_minute_with_the_reason(self):
        distrusting = ssl.create_default_context()
        for _ in range(20):
            with self.assertRaises(ssl.SSLError), socket.create_connection(("127.0.0.1", self.weir.port), 10) as bare:
                distrusting.wrap_socket(bare, server_hostname="127.0.0.1")

        [line] = self.wait_for(self.failed)
        self.assertEqual("127.0.0.1", line["peer"])
        self.assertIn("the peer does not accept the serving certificate", line["reason"])

    def test_F65_each_peer_has_its_own_line(self):
        for peer in ("127.0.0.2", "127.0.0.3", "127.0.0.2"):
            with socket.create_connection(("127.0.0.1", self.weir.port), 10, source_address=(peer, 0)) as bare:
                bare.sendall(b"GET / HTTP/1.1\r\n\r\n")
                while bare.recv(4096):
                    pass

        self.wait_for(lambda: len(self.failed()) == 2)
        self.assertEqual({"127.0.0.2", "127.0.0.3"}, {line["peer"] for line in self.failed()})
        self.assertIn("the peer speaks HTTP without TLS", self.failed()[0]["reason"])


class EndTest(ServerTest):
    def test_the_line_of_the_drain_names_the_signal(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            weir = self.start_in_test(Weir(self.folder() / "weir", "metrics: []\n"))
            weir.process.signal(number)

            [line] = self.wait_for(lambda: lines_of(weir, "draining"))

            self.assertEqual(number.name, line["signal"])


if __name__ == "__main__":
    unittest.main()
