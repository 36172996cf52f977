"""The output of kubectl and curl for a user with an own home folder."""
import json
import os
import re
import subprocess
import unittest

from support import GROUP, HPA_USER, Prometheus, ServerTest, Weir, config, metric, metric_path, require, wait_until

METRIC = metric_path("ml-inference", "p95_latency")
FAILING = ('metric ml-inference/idle: prometheus prom: the query matches no series; is the target scraped and are the label '
           'values right? set empty: 0 if no series means zero; diagnosis: no series "absent_series" exists, and Prometheus '
           "has no target to scrape")
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
IN_YAML = """apiVersion: v1
items:
- apiVersion: external.metrics.k8s.io/v1beta1
  kind: ExternalMetricValue
  metadata:
    namespace: bookmarkai
  metricLabels:
    queue: ml.embed
  metricName: queue_depth
  timestamp: "TIME"
  value: "8"
kind: List
metadata:
  resourceVersion: ""
"""


class KubectlTest(ServerTest):
    @classmethod
    def setUpClass(cls):
        cls.home = cls.new_folder()
        prometheus = cls.start(Prometheus(cls.home / "prometheus"))
        cls.weir = cls.start(Weir(cls.home / "weir", config(
            prometheus.url,
            metric("p95_latency", "vector(0.42)"),
            metric("queue_depth", 'label_replace(vector(7), "queue", "$(queue)", "", "")', labels={"queue": "[a-z]+"}),
            metric("queue_depth", 'label_replace(vector(8), "queue", "$(queue)", "", "")', namespaces=["bookmarkai"],
                   labels={"queue": r"ml\.[a-z]+"}),
            metric("idle", "absent_series"))))
        wait_until(lambda: "; diagnosis: " in cls.weir.metric("ml-inference", "idle").text, "Weir has looked for the cause")

    def run_tool(self, *argv):
        environment = {"HOME": str(self.home), "PATH": os.environ["PATH"]}
        return subprocess.run([str(part) for part in argv], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=30, env=environment)

    def kubectl(self, *arguments, cert="client"):
        certificates = self.weir.certificates
        identity = ["--client-certificate", certificates.crt(cert), "--client-key", certificates.key(cert)] if cert else []
        return self.run_tool(require("kubectl", "kubernetes-client"), "--kubeconfig", "/dev/null",
                             "--cache-dir", self.home / "cache", "--server", self.weir.url,
                             "--certificate-authority", certificates.crt("ca"), *identity, *arguments)

    def curl(self, path, *arguments, cert="front-proxy-client"):
        certificates = self.weir.certificates
        identity = ["--cert", certificates.crt(cert), "--key", certificates.key(cert)] if cert else []
        return self.run_tool(require("curl", "curl"), "--silent", "--show-error", "--max-time", "20", "--cacert",
                             certificates.crt("ca"), *identity, *arguments, self.weir.url + path)

    def test_kubectl_get_raw_prints_the_value(self):
        run = self.kubectl("get", "--raw", METRIC)

        self.assertEqual((0, ""), (run.returncode, run.stderr))
        item = json.loads(run.stdout)["items"][0]
        self.assertEqual(("p95_latency", "420m"), (item["metricName"], item["value"]))

    def test_kubectl_get_raw_accepts_a_selector(self):
        run = self.kubectl("get", "--raw", metric_path("ml-inference", "queue_depth", "queue in (a,b)"))

        self.assertEqual((0, ""), (run.returncode, run.stderr))
        self.assertEqual([{"queue": "a"}, {"queue": "b"}], [item["metricLabels"] for item in json.loads(run.stdout)["items"]])

    def test_kubectl_get_raw_shows_discovery(self):
        for path, kind in (("/apis", "APIGroupList"), ("/apis/external.metrics.k8s.io", "APIGroup"),
                           (GROUP, "APIResourceList"), (GROUP + "/", "APIResourceList")):
            with self.subTest(path):
                run = self.kubectl("get", "--raw", path)

                self.assertEqual((0, ""), (run.returncode, run.stderr))
                self.assertEqual(kind, json.loads(run.stdout)["kind"])

    def test_kubectl_get_raw_shows_health(self):
        self.assertEqual((0, "ok"), (self.kubectl("get", "--raw", "/readyz").returncode,
                                     self.kubectl("get", "--raw", "/readyz").stdout))

    def test_the_text_of_an_error_reaches_the_terminal(self):
        unknown = "metric ml-inference/p95_latencey is not configured; did you mean \"p95_latency\"?"
        unbound = ("metric ml-inference/queue_depth: label queue has no value; write queue=VALUE in the selector (its "
                   "pattern is [a-z]+)")
        table = [
            ("a failing metric", metric_path("ml-inference", "idle"), "Error from server (ServiceUnavailable): " + FAILING),
            ("an unknown metric", metric_path("ml-inference", "p95_latencey"), "Error from server (NotFound): " + unknown),
            ("a missing label", metric_path("ml-inference", "queue_depth"), "Error from server (BadRequest): " + unbound),
            ("a bad selector", metric_path("ml-inference", "queue_depth", "queue=a b"),
             "Error from server (BadRequest): found 'b', expected: ',' or 'end of string'"),
            ("a path that is not there", GROUP + "/nothing",
             "Error from server (NotFound): the server could not find the requested resource"),
        ]
        for name, path, text in table:
            with self.subTest(name):
                run = self.kubectl("get", "--raw", path)

                self.assertEqual((1, "", text + "\n"), (run.returncode, run.stdout, run.stderr))

    def test_kubectl_without_a_certificate_gets_a_403_that_names_the_user(self):
        run = self.kubectl("--token", "nothing-checks-it", "get", "--raw", METRIC, cert=None)

        self.assertEqual(1, run.returncode)
        self.assertIn('User "system:anonymous" cannot list resource "p95_latency"', run.stderr)

    def test_kubectl_with_an_unknown_certificate_has_to_log_in(self):
        run = self.kubectl("get", "--raw", METRIC, cert="serving")

        self.assertEqual((1, "error: You must be logged in to the server (Unauthorized)\n"), (run.returncode, run.stderr))

    def test_kubectl_lists_the_metrics_without_a_warning(self):
        run = self.kubectl("api-resources", "--api-group=external.metrics.k8s.io", "--no-headers", "--output=name")

        self.assertEqual((0, ""), (run.returncode, run.stderr))
        self.assertEqual(["externalmetrics.external.metrics.k8s.io", "idle.external.metrics.k8s.io", "p95_latency.external.metrics.k8s.io",
                          "queue_depth.external.metrics.k8s.io"], sorted(run.stdout.split()))

    def test_kubectl_get_prints_the_named_metric(self):
        table = [("p95_latency", (), ["p95_latency", "<none>", "0.42"]),
                 ("queue_depth", ("-l", "queue=a"), ["queue_depth", "queue=a", "7"]),
                 ("queue_depth", ("-l", "queue in (b)"), ["queue_depth", "queue=b", "7"])]
        for name, selector, cells in table:
            with self.subTest(name, selector=selector):
                run = self.kubectl("get", name, "-n", "ml-inference", *selector)

                self.assertEqual((0, ""), (run.returncode, run.stderr))
                head, row = (line.split() for line in run.stdout.splitlines())
                self.assertEqual(["NAME", "LABELS", "VALUE", "TIMESTAMP"], head)
                self.assertEqual(cells, row[:3])

    def test_kubectl_get_prints_json_and_yaml(self):
        run = self.kubectl("get", "p95_latency", "-n", "ml-inference", "-o", "json")
        self.assertEqual((0, ""), (run.returncode, run.stderr))
        item = json.loads(run.stdout)["items"][0]
        self.assertEqual(("ExternalMetricValue", "p95_latency", "420m"), (item["kind"], item["metricName"], item["value"]))

        run = self.kubectl("get", "queue_depth", "-n", "ml-inference", "-l", "queue=a", "-o", "yaml")
        self.assertEqual((0, ""), (run.returncode, run.stderr))
        self.assertIn('  metricLabels:\n    queue: a\n  metricName: queue_depth\n', run.stdout)

    def test_a_queue_among_many_in_each_form(self):
        """One entry is for many queues, and the selector picks: as a table, as JSON and as YAML."""
        def run(*form):
            run = self.kubectl("get", "queue_depth", "-l", "queue=ml.embed", "-n", "bookmarkai", *form)
            self.assertEqual((0, ""), (run.returncode, run.stderr))
            return run.stdout
        item = {"apiVersion": "external.metrics.k8s.io/v1beta1", "kind": "ExternalMetricValue",
                "metadata": {"namespace": "bookmarkai"}, "metricLabels": {"queue": "ml.embed"}, "metricName": "queue_depth",
                "value": "8"}

        head, row = run().splitlines()
        json_output = json.loads(run("-o", "json"))
        yaml_output = run("-o", "yaml")

        self.assertEqual(["NAME", "LABELS", "VALUE", "TIMESTAMP"], head.split())
        self.assertRegex(row, rf"\Aqueue_depth +queue=ml\.embed +8 +{TIME}\Z")
        self.assertRegex(json_output["items"][0].pop("timestamp"), rf"\A{TIME}\Z")
        self.assertEqual({"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}, "items": [item]}, json_output)
        self.assertEqual(IN_YAML, re.sub(TIME, "TIME", yaml_output))

    def test_kubectl_api_resources_prints_a_line_a_metric(self):
        run = self.kubectl("api-resources", "--api-group=external.metrics.k8s.io")

        self.assertEqual((0, ""), (run.returncode, run.stderr))
        self.assertEqual([["NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND"]] + [
            [name, "external.metrics.k8s.io/v1beta1", "true", kind] for name, kind in (
                ("externalmetrics", "ExternalMetricValue"), ("idle", "idle"), ("p95_latency", "p95_latency"),
                ("queue_depth", "queue_depth"))], [line.split() for line in run.stdout.splitlines()])

    def test_kubectl_get_shows_the_text_of_an_error(self):
        run = self.kubectl("get", "idle", "-n", "ml-inference")

        self.assertEqual((1, f"Error from server (ServiceUnavailable): {FAILING}\n"), (run.returncode, run.stderr))

    def test_curl_as_the_front_proxy_prints_the_value(self):
        run = self.curl(METRIC, "--header", f"X-Remote-User: {HPA_USER}")

        self.assertEqual((0, ""), (run.returncode, run.stderr))
        self.assertEqual("420m", json.loads(run.stdout)["items"][0]["value"])

    def test_curl_shows_status_and_text_of_an_error(self):
        run = self.curl(metric_path("ml-inference", "idle"), "--header", f"X-Remote-User: {HPA_USER}",
                        "--write-out", "\n%{http_code} %{content_type}")  # curl's body is indented, without a line end

        text, _, ending = run.stdout.rpartition("\n")
        self.assertEqual(("503 application/json", FAILING), (ending, json.loads(text)["message"]))

    def test_curl_needs_no_credentials_for_health(self):
        self.assertEqual("ok", self.curl("/readyz", cert=None).stdout)

    def test_curl_with_http2_falls_back_to_1_1(self):
        run = self.curl("/readyz", "--http2", "--output", "/dev/null", "--write-out", "%{http_version}", cert=None)

        self.assertEqual("1.1", run.stdout)

    def test_the_home_folder_has_only_the_cache(self):
        self.kubectl("get", "--raw", METRIC)

        self.assertLessEqual({path.name for path in self.home.iterdir()}, {"prometheus", "weir", "cache"})


if __name__ == "__main__":
    unittest.main()
