"""Weir's telemetry: /metrics with access control, and the log."""
import json
import re
import socket
import textwrap
import threading
import time
import unittest
from pathlib import Path

from support import (ROOT, Redis, ScriptedServer, ServerTest, Weir, config, frugal_environment, metric, metric_path,
                     prometheus_backend, vector)
from support.identities import OAuth2Server

USER = {"X-Remote-User": "prometheus"}


def series(page, name, **labels):
    """The value of the one series of that name with these labels among its own; None when there is none."""
    lines = [line for line in page.splitlines()
             if re.match(re.escape(name) + "[{ ]", line) and all(f'{key}="{value}"' in line for key, value in labels.items())]
    if len(lines) > 1:
        raise AssertionError(f"{len(lines)} series: {lines}")
    return float(lines[0].rsplit(" ", 1)[1]) if lines else None


def anonymous_kib(weir):
    text = Path(f"/proc/{weir.process.pid}/status").read_text()
    return int(re.search(r"^RssAnon:\s*(\d+)", text, re.M)[1])


class TelemetryTest(ServerTest):
    def setUp(self):
        self.server = self.start_in_test(ScriptedServer(lambda turn: turn.answer(vector(42))))

    def weir_with(self, *metrics, flags=()):
        text = config(self.server.url, *(metrics or (metric("depth", "depth", freshness="1m"),)))
        return self.start_in_test(Weir(self.folder() / "weir", text, flags=flags))

    def page(self, weir):
        answer = weir.get("/metrics", USER)
        self.assertEqual((200, "text/plain; version=0.0.4; charset=utf-8"),
                         (answer.status, answer.headers["Content-Type"]), answer.text)
        return answer.text

    def log_of(self, weir):
        return (weir.directory / "weir.log").read_text()

    def test_only_a_caller_with_permission_reads_metrics(self):
        weir = self.weir_with()

        anonymous_response, allowed_response = weir.get("/metrics", cert=None), weir.get("/metrics", USER)

        self.assert_status(anonymous_response, 403, "Forbidden", 'forbidden: User "system:anonymous" cannot get path "/metrics": '
                           "--standalone serves only callers with a client certificate or behind the front proxy")
        self.assertEqual(200, allowed_response.status)
        self.assertIn('"/metrics"', weir.get("/", USER).text)
        self.assertEqual(404, weir.get("/metrics/x", USER).status)

    def test_requests_and_reads_are_counted(self):
        weir = self.weir_with()

        for _ in range(3):
            self.assert_values(weir.metric("ml-inference", "depth"), "42")
        weir.get(metric_path("ml-inference", "depth"), cert=None)
        weir.get(metric_path("other", "depth"), USER)
        page = self.page(weir)

        labels = {"verb": "LIST", "resource": "depth", "group": "external.metrics.k8s.io", "version": "v1beta1",
                  "scope": "namespace"}
        codes = {code: series(page, "apiserver_request_total", code=code, **labels) for code in (200, 403, 404, 500)}
        self.assertEqual({200: 3, 403: 1, 404: 1, 500: None}, codes)
        self.assertEqual(5, series(page, "apiserver_request_duration_seconds_count", **{**labels, "resource": "*"}))
        read = {"backend": "prom", "metric": "depth"}
        self.assertEqual((1, 2), tuple(series(page, "weir_queries_total", outcome=outcome, **read) for outcome in ("ok", "cached")))
        self.assertEqual(1, series(page, "weir_query_duration_seconds_count", backend="prom"))
        value = {"namespace": "ml-inference", "metric": "depth"}
        self.assertEqual((42, 1), (series(page, "weir_value", **value), series(page, "weir_metric_active", **value)))
        self.assertEqual(1, series(page, "apiserver_current_inflight_requests", request_kind="readOnly"))
        self.assertEqual(1, series(page, "weir_config_last_reload_successful"))
        self.assertGreater(series(page, "weir_certificate_expiry_timestamp_seconds", which="serving"), 1.7e9)
        self.assertGreater(series(page, "process_resident_memory_bytes"), 1e6)

    def test_joined_reads_are_counted_as_shared(self):
        released = threading.Event()
        self.addCleanup(released.set)

        def hold(turn):
            released.wait(15)
            turn.answer(vector(42))
        self.server = self.start_in_test(ScriptedServer(hold))
        weir = self.weir_with(metric("depth", "depth", deadline="20s"))
        threads = [threading.Thread(target=weir.metric, args=("ml-inference", "depth")) for _ in range(3)]
        for thread in threads:
            thread.start()
        self.wait_for(lambda: series(self.page(weir), "weir_queries_total", outcome="shared") == 2)
        released.set()
        for thread in threads:
            thread.join()

        self.assertEqual(1, series(self.page(weir), "weir_queries_total", outcome="ok"))

    def redis_and_weir(self):
        redis = self.start_in_test(Redis(self.folder() / "redis"))
        text = textwrap.dedent(f"""
            backends:
              cache: {{redis: {{url: "{redis.url}"}}}}
            metrics:
              - {{name: depth, namespaces: [ml-inference], freshness: 1ms, redis: {{backend: cache, key: jobs}}}}
              - name: bridged
                namespaces: [ml-inference]
                freshness: 1ms
                fallback: {{after: 1ms, value: 5}}
                redis: {{backend: cache, key: jobs}}
              - name: bounded
                namespaces: [ml-inference]
                clamp: {{min: 2, max: 10}}
                redis: {{backend: cache, key: jobs}}
            """)
        return redis, self.start_in_test(Weir(self.folder() / "weir", text))

    def test_connections_are_counted_by_how_they_end(self):
        redis, weir = self.redis_and_weir()
        counts = {"backend": "cache"}
        self.assert_values(weir.metric("ml-inference", "depth"), "0")
        page = self.page(weir)
        self.assertEqual((1, 1, 0), tuple(series(page, name, **counts) for name in
                                          ("weir_connections_opened_total", "weir_backend_up", "weir_breaker_open")))

        redis.stop()
        self.wait_for(lambda: weir.metric("ml-inference", "depth").status == 503)
        self.wait_for(lambda: series(self.page(weir), "weir_backend_up", **counts) == 0)
        page = self.page(weir)
        self.assertEqual(1, series(page, "weir_connections_closed_total", reason="unreachable", **counts))
        self.assertLessEqual(1, series(page, "weir_connections_failed_total", reason="unreachable", **counts))
        self.assertEqual(1, series(page, "weir_breaker_open", **counts))

        redis.start()
        self.wait_for(lambda: weir.metric("ml-inference", "depth").status == 200)
        page = self.page(weir)
        self.assertEqual((2, 1, 0), tuple(series(page, name, **counts) for name in
                                          ("weir_connections_opened_total", "weir_backend_up", "weir_breaker_open")))

    def test_http_connections_are_counted_too(self):
        weir = self.weir_with(metric("depth", "depth", freshness="1ms"))
        for _ in range(3):
            self.assert_values(weir.metric("ml-inference", "depth"), "42")
        self.assertEqual(1, series(self.page(weir), "weir_connections_opened_total", backend="prom"))

        self.server.stop()
        self.wait_for(lambda: weir.metric("ml-inference", "depth").status == 503 and
                      series(self.page(weir), "weir_connections_failed_total", backend="prom", reason="unreachable"))

        self.assertEqual(0, series(self.page(weir), "weir_backend_up", backend="prom"))

    def test_the_telemetry_page_of_docs_names_every_series(self):
        redis, weir = self.redis_and_weir()
        self.assert_values(weir.metric("ml-inference", "depth"), "0")
        self.assert_values(weir.metric("ml-inference", "bounded"), "2")
        redis.stop()
        self.wait_for(lambda: weir.metric("ml-inference", "bridged").status == 200 and
                      series(self.page(weir), "weir_connections_failed_total"))
        page_of_docs = (ROOT / "docs" / "telemetry.md").read_text().partition("\n## Log\n")[0]
        documented = set(re.findall(r"^\| `(\w+)` \|", page_of_docs, re.M))

        names = set(re.findall(r"^# TYPE (\w+)", self.page(weir) + self.page_with_a_token(), re.M))

        self.assertEqual(documented, {name for name in names if not name.startswith("process_")})

    def page_with_a_token(self):
        provider = self.start_in_test(OAuth2Server())
        secret = self.folder() / "secret"
        secret.write_text(provider.secret)
        auth = {"oauth2": {"tokenUrl": provider.url + "/token", "clientId": provider.client, "scope": provider.scope,
                           "clientSecret": {"file": str(secret)}}}
        backend = prometheus_backend(self.server.url, auth=auth)
        weir = self.start_in_test(Weir(self.folder() / "weir", config({"prom": backend}, metric("depth", "depth", backend="prom"))))
        self.assert_values(weir.metric("ml-inference", "depth"), "42")
        page = self.page(weir)
        self.assertLess(time.time(), series(page, "weir_backend_token_expiry_timestamp_seconds", backend="prom"))
        return page

    def test_a_number_that_a_policy_changed_is_counted_with_each_read(self):
        redis, weir = self.redis_and_weir()
        self.assertIsNone(series(self.page(weir), "weir_policy_changes_total"))

        for _ in range(3):
            self.assert_values(weir.metric("ml-inference", "bounded"), "2")
        self.assert_values(weir.metric("ml-inference", "depth"), "0")

        page = self.page(weir)
        self.assertEqual(3, series(page, "weir_policy_changes_total", backend="cache", metric="bounded", policy="clamp"))
        self.assertIsNone(series(page, "weir_policy_changes_total", metric="depth"))

    def test_a_read_served_by_its_fallback_is_counted_and_so_is_the_failure(self):
        redis, weir = self.redis_and_weir()
        self.assert_values(weir.metric("ml-inference", "bridged"), "0")
        self.assertIsNone(series(self.page(weir), "weir_fallback_total"))
        redis.stop()
        self.wait_for(lambda: series(self.page(weir), "weir_backend_up", backend="cache") == 0 or
                      not weir.metric("ml-inference", "bridged"))

        before = series(self.page(weir), "weir_fallback_total", backend="cache", metric="bridged") or 0
        self.assert_values(weir.metric("ml-inference", "bridged"), "5")
        page = self.page(weir)

        self.assertEqual(before + 1, series(page, "weir_fallback_total", backend="cache", metric="bridged"))
        self.assertIsNone(series(page, "weir_fallback_total", metric="depth"))
        self.assertEqual(5, series(page, "weir_value", metric="bridged"))
        self.assertLessEqual(1, series(page, "weir_queries_total", metric="bridged", outcome="unreachable"))

    def test_the_memory_of_a_large_page_is_released(self):
        names = [f"{number}-{'x' * 3000}" for number in range(250)]
        redis = self.start_in_test(Redis(self.folder() / "redis"))
        weir = self.start_in_test(Weir(self.folder() / "weir", json.dumps({
            "backends": {"cache": {"redis": {"url": redis.url}}},
            "metrics": [{"name": name, "namespaces": ["ml-inference"], "redis": {"backend": "cache", "key": "jobs"}}
                        for name in names]}), env=frugal_environment()))
        with weir.persistent_reader() as read:
            for name in names:
                self.assert_values(read("ml-inference", name), "0")
        before = anonymous_kib(weir)

        sizes = [len(self.page(weir)) for _ in range(3)]

        self.assertLess(3 << 20, min(sizes))
        self.wait_for(lambda: anonymous_kib(weir) - before < 2048)

    def test_the_event_loop_reports_its_lag(self):
        weir = self.weir_with()

        self.wait_for(lambda: series(self.page(weir), "weir_event_loop_lag_seconds_count") >= 1)

        self.assertLess(series(self.page(weir), "weir_event_loop_lag_seconds_sum"), 10)

    def test_unknown_names_make_no_series(self):
        weir = self.weir_with()

        def read_unknown(names):
            with weir.persistent_reader() as read:
                for name in names:
                    self.assertEqual(404, read(name, name).status)
            return {line.rsplit(" ", 1)[0] for line in self.page(weir).splitlines()}
        self.page(weir)
        before = read_unknown(["x"])

        after = read_unknown([f"name-{number}" for number in range(100)])

        self.assertEqual(before, after)
        self.assertEqual(101, series(self.page(weir), "apiserver_request_total", code=404, resource=""))

    def test_an_invalid_configuration_sets_its_gauge_to_0(self):
        weir = self.weir_with()
        self.assertEqual(1, series(self.page(weir), "weir_config_last_reload_successful"))

        weir.write_config("metrics: {}\n")
        self.wait_for(lambda: series(self.page(weir), "weir_config_last_reload_successful") == 0)

        weir.write_config(config(self.server.url, metric("fresh", "depth")))
        self.wait_for(lambda: series(self.page(weir), "weir_config_last_reload_successful") == 1)

    def test_a_handshake_that_fails_is_counted(self):
        weir = self.weir_with()
        before = series(self.page(weir), "apiserver_tls_handshake_errors_total")
        with socket.create_connection(("127.0.0.1", weir.port)) as plain:
            plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
            plain.recv(100)

        self.wait_for(lambda: series(self.page(weir), "apiserver_tls_handshake_errors_total") == before + 1)

    def test_a_request_has_a_line_from_3_on(self):
        for flags, line_count in (((), 0), (("-v", "2"), 0), (("-v=3",), 1), (("--v=10",), 1)):
            with self.subTest(flags=flags):
                weir = self.weir_with(flags=flags)

                weir.get(metric_path("ml-inference", "depth", "a=secret"), {**USER, "Audit-ID": "mine"})

                lines = [line for line in self.log_of(weir).splitlines() if " request " in line and "depth" in line]
                self.assertEqual(line_count, len(lines))
                for line in lines:
                    self.assertRegex(line, r'^I\d{4} .* weir\] request verb="GET" path="/apis/.*/depth" code="400" '
                                     r'latency_ms="[\d.e-]+" user="prometheus" audit_id="mine" '
                                     r'reason="metric ml-inference/depth: label \\"a\\" is not declared.*"$')
                self.assertNotIn("secret", self.log_of(weir))

    def test_s57_no_caller_forges_a_line(self):
        for log_format in ("text", "json"):
            with self.subTest(log_format):
                weir = self.weir_with(flags=("-v=3", "--logging-format", log_format))
                before = self.log_of(weir).count("\n")

                weir.get('/%0aI0101%20weir]%20forged%1b[2J%22%5c', {"X-Remote-User": 'a" x="b\\\xe9'})

                log = self.log_of(weir)
                self.assertEqual(before + 1, log.count("\n"), log)
                self.assertNotIn("\x1b", log)
                self.assertNotRegex(log, "(?m)^I0101")
                if log_format == "json":
                    line = [json.loads(text) for text in log.splitlines()][-1]
                    self.assertEqual(
                        ("request", 3, "GET", '/\nI0101 weir] forged\x1b[2J"\\', 404, 'a" x="b\\\ufffd'),
                        tuple(line[key] for key in ("msg", "v", "verb", "path", "code", "user")))
                    self.assertEqual("info", line["level"])
                    self.assertGreater(line["ts"], 1.7e9)


if __name__ == "__main__":
    unittest.main()
