"""One backend for many tenants: what a gateway gets for each namespace, and what it never gets."""
import json
import re
import time
import unittest
import urllib.parse
import urllib.request
from pathlib import Path

from support import Prometheus, ScriptedServer, Series, ServerTest, Weir, config, metric, prometheus_backend, run_weir, vector
from support.rotation import gauge
from support.weir import metric_path

ROOT = Path(__file__).resolve().parents[2]

TOKEN = "s3cret-token"
EXPLAIN_USER = {"X-Remote-User": "operator"}


def url_parameters(request):
    """Name and value of each parameter of the url but Weir's own."""
    pairs = urllib.parse.parse_qsl(urllib.parse.urlsplit(request.target).query, keep_blank_values=True)
    return [(name, value) for name, value in pairs if name not in ("query", "timeout", "state")]


def tenant_of(request):
    return request.headers.get("x-scope-orgid"), url_parameters(request)


class Gateway:
    """Serves tenants by header and parameter, as Mimir and the tenancy port of OpenShift do."""
    values = {"team-a": 1, "team-b": 2}

    def __call__(self, turn):
        header, parameters = tenant_of(turn.request)
        namespace = dict(parameters).get("namespace")
        if header != f"{namespace}|shared" or turn.request.headers.get("authorization") != f"Bearer {TOKEN}":
            turn.answer("another tenant", "403 Forbidden")
        elif namespace == "team-locked":
            turn.answer("tenant is locked", "401 Unauthorized")
        elif namespace == "team-empty":
            turn.answer(vector())
        elif namespace == "team-echo":
            turn.answer(json.dumps({"message": f"no {dict(parameters)} of {header}"}), "403 Forbidden")
        else:
            turn.answer(vector(self.values[namespace]))


class TenantsTest(ServerTest):
    @classmethod
    def setUpClass(cls):
        folder = cls.new_folder()
        cls.server = cls.start(ScriptedServer(Gateway()))
        (folder / "token").write_text(TOKEN)
        backend = prometheus_backend(cls.server.url, token={"file": str(folder / "token")},
                                     headers={"X-Scope-OrgID": "$(namespace)|shared"},
                                     parameters={"namespace": "$(namespace)", "dedup": "instance-4711"})
        everywhere = {"namespaces": ["*"], "freshness": "10m"}
        cls.weir = cls.start(Weir(folder / "weir", config(
            {"prom": backend},
            metric("own", "sum(jobs)", **everywhere),
            metric("recent", "sum(jobs)", kind={"parameters": {"lookback_delta": "1m"}}, **everywhere),
            metric("of_queue", "sum(jobs)", kind={"parameters": {"extra_label": ["queue=$(queue)", "n=$(namespace)"]}},
                   labels={"queue": ".+"}, **everywhere))))

    def setUp(self):
        self.before = len(self.server.requests)

    def requests(self):
        return self.server.requests[self.before:]

    def test_each_namespace_is_a_tenant_and_has_its_own_answer(self):
        for _ in range(2):  # the second time from the cache
            for namespace, value in (("team-a", "1"), ("team-b", "2")):
                with self.subTest(namespace):
                    self.assert_values(self.weir.metric(namespace, "own"), value)

        self.assertEqual([(f"{namespace}|shared", [("namespace", namespace), ("dedup", "instance-4711")])
                          for namespace in ("team-a", "team-b")], [tenant_of(request) for request in self.requests()])

    def test_parameters_of_a_metric_are_added_and_are_a_query_of_their_own(self):
        self.assert_values(self.weir.metric("team-a", "recent"), "1")
        self.weir.metric("team-a", "own")
        self.assert_values(self.weir.metric("team-a", "recent"), "1")

        added = [request for request in self.requests() if "lookback_delta" in request.target]
        self.assertEqual([[("namespace", "team-a"), ("dedup", "instance-4711"), ("lookback_delta", "1m")]],
                         [url_parameters(request) for request in added])

    def test_a_value_of_a_label_cannot_add_a_parameter(self):
        for queue in ("a", "b.c", "a-_.z"):
            with self.subTest(queue):
                self.assert_values(self.weir.metric("team-b", "of_queue", f"queue={queue}"), "2")

                self.assertEqual([("namespace", "team-b"), ("dedup", "instance-4711"), ("extra_label", f"queue={queue}"),
                                  ("extra_label", "n=team-b")], url_parameters(self.requests()[-1]))
        self.assertEqual(3, len(self.requests()))

    def test_a_namespace_that_cannot_exist_is_refused_before_the_backend(self):
        for namespace in ("Team-a", "team_a", "team-a|team-b", "team-a&namespace=team-b", "team-a\r\nX-A: b", "team-a.b",
                          "-team-a", "a" * 64, "te\u00e4m"):
            with self.subTest(namespace):
                answer = self.weir.metric(namespace, "own")
                explained = self.weir.get(metric_path(namespace, "own") + "/explain", EXPLAIN_USER)

                self.assertEqual((400, "BadRequest"), (answer.status, answer.json()["reason"]), answer.text)
                self.assertIn("this is not the name of a namespace (1 to 63 lower-case letters, digits and -)",
                              self.message_of(answer))
                self.assertEqual(400, explained.status, explained.text)
        self.assertEqual([], self.requests())

    def test_a_locked_tenant_does_not_lock_others_with_the_same_token(self):
        """A 401 is kept for 30 s, so that a wrong password does not lock an account."""
        locked = self.weir.metric("team-locked", "own")
        other = self.weir.metric("team-b", "recent")

        self.assert_status(locked, 503, "ServiceUnavailable", "metric team-locked/own: prometheus prom: the credentials are "
                           "refused (HTTP 401): tenant is locked")
        self.assert_values(other, "2")
        self.assertEqual(0, gauge(self.weir, "weir_backend_credentials_refused", backend="prom"))

    def test_a_diagnosis_asks_for_the_tenant_alone(self):
        answer = self.weir.get(metric_path("team-empty", "recent") + "/explain", EXPLAIN_USER)

        self.assertEqual(200, answer.status, answer.text)
        self.assertGreater(len(self.requests()), 1)
        for request in self.requests():
            self.assertEqual(("team-empty|shared", [("namespace", "team-empty"), ("dedup", "instance-4711"),
                                                    ("lookback_delta", "1m")]), tenant_of(request))

    def test_explain_shows_what_was_sent_and_the_status_repeats_none_of_it(self):
        explained = self.weir.get(metric_path("team-echo", "own") + "/explain", EXPLAIN_USER).json()
        status = self.weir.metric("team-echo", "own")

        self.assertEqual("sum(jobs); parameters: namespace=team-echo, dedup=instance-4711; "
                         "headers: X-Scope-OrgID: team-echo|shared", explained["queries"][0]["query"])
        self.assertNotIn(TOKEN, json.dumps(explained))
        self.assertEqual(503, status.status)
        self.assertIn("team-echo", self.message_of(status))
        for hidden in ("4711", "|shared", TOKEN):
            self.assertNotIn(hidden, self.message_of(status))
            self.assertNotIn(hidden, self.weir.process.log.read_text())


class LongQueryTest(ServerTest):
    """A query that some servers and proxies refuse in a url."""

    def test_a_long_query_is_posted_to_a_real_prometheus(self):
        folder = self.folder()
        prometheus = self.start_in_test(Prometheus(folder / "prometheus"))
        text = config(prometheus.url, metric("long", " + ".join(["vector(1)"] * 300)))
        (folder / "weir.yaml").write_text(text)

        run = run_weir("get", "--config", folder / "weir.yaml", "ml-inference/long")

        self.assertEqual(0, run.returncode, run.stderr)
        self.assertIn("300", run.stdout)

    def test_the_length_of_the_url_decides_unless_the_method_is_set(self):
        server = self.start_in_test(ScriptedServer(lambda turn: turn.answer(vector(42))))
        lengths = {"short": 100, "long": 2000}
        backends = {"none": prometheus_backend(server.url, parameters={"dedup": True}),
                    "get": prometheus_backend(server.url, method="GET"), "post": prometheus_backend(server.url, method="POST")}
        metrics = [metric(f"{length}_{backend}", "x" * size, backend=backend)
                   for length, size in lengths.items() for backend in backends]
        weir = self.start_in_test(Weir(self.folder() / "weir", config(backends, *metrics)))
        for name, method in (("short_none", "GET"), ("long_none", "POST"), ("short_get", "GET"), ("long_get", "GET"),
                             ("short_post", "POST"), ("long_post", "POST")):
            with self.subTest(name):
                self.assert_values(weir.metric("ml-inference", name), "42")

                request = server.requests[-1]
                self.assertEqual((method, "x" * lengths[name.split("_")[0]]), (request.method, request.query))
                if name.endswith("none"):
                    self.assertEqual([("dedup", "true")], url_parameters(request))


class LookbackTest(ServerTest):
    """lookback_delta says how old a sample may be, in the place of five minutes for all."""

    def test_a_prometheus_that_knows_it_obeys_for_one_metric_and_an_older_one_ignores_it(self):
        folder = self.folder()
        prometheus = self.start_in_test(Prometheus(folder / "prometheus"))
        now = time.time()
        prometheus.remote_write([Series({"__name__": "jobs"}, [(now - 120, 4)]), Series({"__name__": "rare"}, [(now - 900, 5)])])
        weir = self.start_in_test(Weir(folder / "weir", config(
            prometheus.url, metric("usual", "jobs"), metric("recent", "jobs", kind={"parameters": {"lookback_delta": "1m"}}),
            metric("gone", "rare"), metric("hourly", "rare", kind={"parameters": {"lookback_delta": "1h"}}),
            metric("wrong", "jobs", kind={"parameters": {"lookback_delta": "soon"}}))))

        with urllib.request.urlopen(prometheus.url + "/api/v1/status/buildinfo", timeout=5) as reply:
            version = json.load(reply)["data"]["version"]
        answers = {name: weir.metric("ml-inference", name) for name in ("usual", "recent", "gone", "hourly", "wrong")}

        self.assert_values(answers["usual"], "4")
        self.assertIn("the query matches no series", self.message_of(answers["gone"]))
        if tuple(int(part) for part in re.findall(r"\d+", version)[:2]) < (2, 43):  # as the docs say
            self.assert_values(answers["recent"], "4")
            self.assert_values(answers["wrong"], "4")
            self.assertIn("the query matches no series", self.message_of(answers["hourly"]))
        else:
            self.assertIn("the query matches no series", self.message_of(answers["recent"]))
            self.assertEqual(400, answers["wrong"].status, answers["wrong"].text)
            self.assert_values(answers["hourly"], "5")


class RecipesTest(ServerTest):
    def test_each_recipe_of_the_docs_is_valid(self):
        blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "prometheus.md").read_text(), re.S)
        file = self.folder() / "weir.yaml"
        for block in blocks:
            with self.subTest(block.splitlines()[1].strip()):
                file.write_text(block)

                run = run_weir("check", "--no-credentials", file)

                self.assertEqual(0, run.returncode, run.stdout + run.stderr)
        self.assertEqual(4, len(blocks))


if __name__ == "__main__":
    unittest.main()
