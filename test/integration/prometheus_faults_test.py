"""Prometheus gone, back, hanging, or talking nonsense: an error in time with its cause, and other backends unharmed."""
import json
import signal
import time
import unittest

from support import (Prometheus, ScriptedServer, ServerTest, Weir, config, free_port, metric, prometheus_backend, refusal,
                     vector)

FRONT = "metric ml-inference/{0}: prometheus {1}: "
REFUSED = "cannot connect (Connection refused)"
SLACK_SECONDS = 0.75  # of a machine that runs other tests beside this one


class UnreachableTest(ServerTest):
    def test_weir_serves_before_prometheus_is_up_and_reads_soon_after(self):
        port = free_port()
        folder = self.folder()
        weir = self.start_in_test(Weir(folder / "weir", config(f"http://127.0.0.1:{port}", metric("up", "vector(42)"))))

        error = weir.metric("ml-inference", "up")
        ready = weir.get("/readyz", cert=None)
        self.start_in_test(Prometheus(folder / "prometheus", port=port))
        start_time = time.monotonic()
        answer = self.wait_for(lambda: self.value_of(weir), 5)
        took = time.monotonic() - start_time

        self.assert_status(error, 503, "ServiceUnavailable", FRONT.format("up", "prom") + REFUSED)
        self.assertEqual((200, "ok"), (ready.status, ready.text))
        self.assert_values(answer, "42")
        self.assertLess(took, 2)

    def test_a_prometheus_killed_and_started_again_is_an_error_and_then_a_number(self):
        folder = self.folder()
        prometheus = self.start_in_test(Prometheus(folder / "prometheus"))
        weir = self.start_in_test(Weir(folder / "weir", config(prometheus.url, metric("up", "vector(42)", freshness="1ms"))))

        before = weir.metric("ml-inference", "up")
        prometheus.process.signal(signal.SIGKILL)
        prometheus.process.wait(5)
        answer = weir.metric("ml-inference", "up")
        prometheus.start()
        start_time = time.monotonic()
        after = self.wait_for(lambda: self.value_of(weir), 5)
        took = time.monotonic() - start_time

        self.assert_values(before, "42")
        self.assert_status(answer, 503, "ServiceUnavailable", FRONT.format("up", "prom") + REFUSED)
        self.assert_values(after, "42")
        self.assertLess(took, 2)
        log = (folder / "weir" / "weir.log").read_text()
        self.assertEqual((1, 1), (log.count(" backend_down "), log.count(" backend_up ")), log)

    def test_a_fresh_value_is_served_after_prometheus_has_ended(self):
        folder = self.folder()
        prometheus = self.start_in_test(Prometheus(folder / "prometheus"))
        weir = self.start_in_test(Weir(folder / "weir", config(prometheus.url, metric("up", "vector(42)", freshness="1m"))))
        first = weir.metric("ml-inference", "up")

        prometheus.stop()

        self.assertEqual(first.text, weir.metric("ml-inference", "up").text)

    def value_of(self, weir):
        answer = weir.metric("ml-inference", "up")
        return answer if answer.status == 200 else None


class HangTest(ServerTest):
    @classmethod
    def setUpClass(cls):
        folder = cls.new_folder()
        cls.stopped = cls.start(Prometheus(folder / "stopped"))
        cls.healthy = cls.start(Prometheus(folder / "healthy"))
        backends = {"faulty": prometheus_backend(cls.stopped.url), "healthy": prometheus_backend(cls.healthy.url)}
        cls.weir = cls.start(Weir(folder / "weir", config(
            backends,
            metric("slow", "vector(1)", backend="faulty", deadline="700ms", freshness="1ms"),
            metric("slower", "vector(2)", backend="faulty", deadline="1s", freshness="1ms"),
            metric("usual", "vector(3)", backend="faulty", freshness="1ms"),
            metric("quick", "vector(4)", backend="healthy", freshness="1ms"))))

    def setUp(self):
        self.stopped.process.suspend()
        self.addCleanup(self.stopped.process.signal, signal.SIGCONT)

    def test_a_hanging_backend_is_504_at_the_deadline_of_the_metric(self):
        for name, seconds in (("slow", 0.7), ("slower", 1.0), ("usual", 2.5)):
            with self.subTest(name):
                start_time = time.monotonic()
                answer = self.weir.metric("ml-inference", name)
                took = time.monotonic() - start_time

                self.assertEqual((504, "Timeout"), (answer.status, answer.json()["reason"]))
                self.assertTrue(answer.json()["message"].startswith(FRONT.format(name, "faulty") + "no response "),
                                answer.text)
                self.assertNotIn("Retry-After", answer.headers)
                self.assertTrue(seconds - 0.05 <= took <= seconds + SLACK_SECONDS, took)

    def test_another_backend_is_read_while_one_hangs(self):
        hanging = [self.weir.connection() for _ in range(20)]
        for connection in hanging:
            self.addCleanup(connection.close)
            connection.request("GET", "/apis/external.metrics.k8s.io/v1beta1/namespaces/ml-inference/slower",
                               headers={"X-Remote-User": "hpa"})
        start_time = time.monotonic()

        quick = [self.weir.metric("ml-inference", "quick") for _ in range(10)]
        discovery = self.weir.get("/apis/external.metrics.k8s.io/v1beta1", {"X-Remote-User": "hpa"})
        live = self.weir.get("/livez", cert=None)
        took = time.monotonic() - start_time

        for answer in quick:
            self.assert_values(answer, "4")
        self.assertEqual((200, 200), (discovery.status, live.status))
        self.assertLess(took, SLACK_SECONDS)
        self.assertEqual({504}, {connection.getresponse().status for connection in hanging})


def body(text):
    return lambda turn: turn.answer(text)


def status(line, text="", **headers):
    return lambda turn: turn.answer(text, line, **headers)


def bytes_then_close(data):
    def play(turn):
        turn.send(data)
        turn.close()
    return play


def drip(turn):
    turn.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while turn.pause(0.05):
        turn.send(b" ")


def sample(value):
    return json.dumps({"status": "success", "data": {"resultType": "vector", "result": [
        {"metric": {}, "value": value}]}})


LARGE = vector(1, padding="x" * (1 << 20))
NOT_API = "the response has no result of the Prometheus query API"

# name, script, status, reason, text
NONSENSE = [
    ("over_1_MiB", body(LARGE), 503, "the response is over 1024 KiB; query fewer series"),
    ("over_1_MiB_without_length", bytes_then_close(b"HTTP/1.1 200 OK\r\n\r\n" + LARGE.encode()), 503,
     "the response is over 1024 KiB; query fewer series"),
    ("of_another_selection", body(vector(1, __name__="up")), 503,
     'the response has a series with __name__="up", and the query selects of_another_selection; does a proxy change the '
     'query, or answer from its cache?'),
    ("drips", drip, 504, None),
    ("no_answer_after_connect", lambda turn: turn.hang(), 504, None),
    ("not_json", body("hello"), 503, "the response is not JSON, or is truncated"),
    ("half_json", body(vector(1)[:40]), 503, "the response is not JSON, or is truncated"),
    ("empty_body", body(""), 503, "the response is not JSON, or is truncated"),
    ("empty_object", body("{}"), 503, NOT_API),
    ("a_list", body("[]"), 503, NOT_API),
    ("a_number", body("42"), 503, NOT_API),
    ("no_data", body('{"status":"success"}'), 503, NOT_API),
    ("null_data", body('{"status":"success","data":null}'), 503, NOT_API),
    ("null_result", body('{"status":"success","data":{"resultType":"vector","result":null}}'), 503,
     "the result is null"),
    ("null_value", body(sample(None)), 503, "the value is null"),
    ("null_in_value", body(sample([1, None])), 503, "the value is null"),
    ("bare_number", body(sample([1, 42])), 503, "the value is not a JSON string"),
    ("words", body(sample([1, "many"])), 503, "the value is not a number"),
    ("trailing_bytes", body(sample([1, "42x"])), 503, "the value is not a number"),
    ("beyond_double", body(sample([1, "1e999"])), 503, "the value is outside the range of a 64-bit float"),
    ("hex", body(sample([1, "0x10"])), 503, "the value is not a number"),
    ("blank", body(sample([1, " 42"])), 503, "the value is not a number"),
    ("three_in_a_pair", body(sample([1, "42", 3])), 503, "the sample is not a pair of time and value"),
    ("no_time", body(sample([None, "42"])), 503, "the sample is not a pair of time and value"),
    ("wild_time", body(sample([1e300, "42"])), 503, "the sample's time is out of range"),
    ("deep_json", body("[" * 100_000), 503, "the response is not JSON, or is truncated"),
    ("invalid_utf8", body(b'{"status":"success","data":"\xff\xfe"}'), 503,
     "the response is not JSON, or is truncated"),
    ("warning", body(json.dumps({**json.loads(vector(1)), "warnings": ["a store is down"]})), 503,
     "the response has a warning and may be incomplete; set warnings: allow to accept such responses: "
     "a store is down"),
    ("timeout_there", status("503 Service Unavailable", refusal("timeout", "query timed out in query execution")), 504,
     "no response within 700 ms (the query timed out on the server); raise deadline, at most 30s, or query for less: "
     "query timed out in query execution"),
    ("execution_error", status("422 Unprocessable Entity", refusal("execution", "out of memory")), 503,
     "the query failed (execution): out of memory"),
    ("metricsql_error", status("422 Unprocessable Entity", refusal("422", "error when parsing query")), 400,
     "the query is not valid: error when parsing query"),
    ("google_refusal", status("403 Forbidden", json.dumps({"error": {"code": 403, "message": "Permission denied.",
                                                                       "status": "PERMISSION_DENIED"}})), 503,
     "the credentials are refused (HTTP 403): PERMISSION_DENIED: Permission denied."),
    ("page_of_nginx", status("502 Bad Gateway", "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body></body></html>"),
     503, "the server returned an error (HTTP 502): 502 Bad Gateway"),
    ("page_for_a_login", body("<!doctype html><html><head><title>Sign in</title></head></html>"), 503,
     "the response is a page for browsers; is there a login page or another server at this url?: Sign in"),
    ("method_refused", status("405 Method Not Allowed", ""), 503,
     "HTTP 405: the server refuses the HTTP method; set method: GET or method: POST on the backend"),
    ("error_with_200", body(refusal("internal", "boom")), 503, "the query failed (internal): boom"),
    ("unauthorized", status("401 Unauthorized", refusal("unauthorized", "who are you")), 503,
     "the credentials are refused (HTTP 401): who are you"),
    ("unauthorized_plain", status("401 Unauthorized", "who are you"), 503, "the credentials are refused (HTTP 401): who are you"),
    ("forbidden", status("403 Forbidden", refusal("forbidden", "not you")), 503,
     "the credentials are refused (HTTP 403): not you"),
    ("not_found", status("404 Not Found", "404 page not found"), 503,
     "HTTP 404: no query API at this url; is the path right?: 404 page not found"),
    ("too_many_requests", status("429 Too Many Requests", refusal("limit", "later"), Retry_After="1"), 429,
     "the server is rate limiting queries (HTTP 429): later"),
    ("server_error", status("500 Internal Server Error", "oops\nsecond line"), 503,
     "the server returned an error (HTTP 500): oops second line"),
    ("redirect", status("302 Found", "", Location="http://127.0.0.1:1/"), 503,
     "HTTP 302: redirects are not followed; write the final url"),
    ("not_http", bytes_then_close(b"SSH-2.0-OpenSSH_9.2\r\n"), 503, None),
    ("closes_at_once", lambda turn: turn.close(), 503, None),
    ("resets", lambda turn: turn.reset(), 503, None),
    ("breaks_off", bytes_then_close(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"), 503,
     "the response is incomplete"),
    ("wrong_encoding", status("200 OK", "not gzip", Content_Encoding="gzip"), 503, None),
]
REASONS = {400: "BadRequest", 503: "ServiceUnavailable", 504: "Timeout", 429: "TooManyRequests"}


class InvalidResponseTest(ServerTest):
    """A scripted server says, by the metric's query, what no healthy Prometheus says."""

    @classmethod
    def setUpClass(cls):
        folder = cls.new_folder()
        scripts = {name: script for name, script, *_ in NONSENSE}
        unknown = status("404 Not Found", "404 page not found")  # what else a look for a cause asks
        cls.server = cls.start(ScriptedServer(lambda turn: scripts.get(turn.request.query, unknown)(turn)))
        metrics = [metric(name, name, deadline="700ms") for name in scripts]
        cls.weir = cls.start(Weir(folder / "weir", config(cls.server.url, *metrics)))

    def test_an_invalid_response_is_an_error_and_never_a_number(self):
        for name, _, code, text in NONSENSE:
            with self.subTest(name):
                answer = self.weir.metric("ml-inference", name)

                if text is None:
                    self.assertEqual((code, REASONS[code]), (answer.status, answer.json()["reason"]), answer.text)
                    self.assertTrue(answer.json()["message"].startswith(FRONT.format(name, "prom")), answer.text)
                else:
                    self.assert_status(answer, code, REASONS[code], FRONT.format(name, "prom") + text)

    def test_an_error_text_is_one_bounded_printable_line(self):
        server = self.start_in_test(ScriptedServer(body(refusal("internal", "\x1b[31mred\r\nnext\x00" + "ä" * 100_000))))
        weir = self.start_in_test(Weir(self.folder() / "weir", config(server.url, metric("loud", "x"))))

        message = weir.metric("ml-inference", "loud").json()["message"]

        self.assertTrue(message.isprintable(), message[:200])
        self.assertLess(len(message.encode()), 500)
        self.assertTrue(message.endswith("..."), message[-10:])


if __name__ == "__main__":
    unittest.main()
