"""`weir explain` and GET .../METRIC/explain: permissions, queries, and the HPA's estimate."""
import json
import unittest

from support import (GROUP, KubeApiserver, ScriptedServer, ServerTest, Weir, config, metric, run_weir, vector)

PATH = GROUP + "/namespaces/ml-inference/depth/explain"
HPA = "/apis/autoscaling/v2/namespaces/ml-inference/horizontalpodautoscalers/workers"
ATTRIBUTES = {"verb": "get", "group": "external.metrics.k8s.io", "version": "v1beta1", "namespace": "ml-inference",
              "resource": "depth", "subresource": "explain"}


def hpa(target, current=3, **metric):
    return {"kind": "HorizontalPodAutoscaler", "spec": {"minReplicas": 1, "maxReplicas": 10, "metrics": [
        {"type": "External", "external": {"metric": {"name": "depth", **metric}, "target": target}}]},
        "status": {"currentReplicas": current}}


class ExplainTest(ServerTest):
    """One kube-apiserver, one backend, one Weir; each test takes user names of its own, since verdicts are kept."""

    @classmethod
    def setUpClass(cls):
        folder = cls.new_folder()
        cls.apiserver = cls.start(KubeApiserver())
        cls.backend = cls.start(ScriptedServer(lambda turn: turn.answer(vector(61))))
        text = config(cls.backend.url, metric("depth", "depth", freshness="10m"),
                      metric("labelled", 'depth{queue="$(queue)"}', labels={"queue": "[a-z]+"}),
                      metric("bounded", "depth", clamp={"max": 50}, zeroAtOrBelow=10, settle="30s",
                             fallback={"after": "45s", "hold": "2m"}))
        cls.kubeconfig = cls.apiserver.kubeconfig(folder)
        cls.weir = cls.start(Weir(folder / "weir", text, kubeconfig=cls.kubeconfig))

    def setUp(self):
        self.apiserver.allow = lambda spec: True
        self.addCleanup(lambda: self.assertEqual([], self.apiserver.mistakes))

    def get(self, user, path=PATH, method="GET"):
        return self.weir.get(path, {"X-Remote-User": user}, method=method)

    def command(self, *arguments):
        return run_weir("explain", "--config", self.weir.config_file, "ml-inference/depth", *arguments)

    def test_permission_to_read_a_metric_does_not_include_its_explanation(self):
        self.apiserver.allow = lambda spec: spec["resourceAttributes"]["verb"] == "list"
        request_count = len(self.backend.requests)

        answer = self.get("reader")

        self.assert_status(answer, 403, "Forbidden", 'depth.external.metrics.k8s.io is forbidden: User "reader" cannot get '
                           'resource "depth/explain" in API group "external.metrics.k8s.io" in the namespace "ml-inference"')
        self.assertEqual(request_count, len(self.backend.requests))
        reviews = [spec for spec in self.apiserver.access_reviews if spec["user"] == "reader"]
        self.assertEqual([ATTRIBUTES], [spec["resourceAttributes"] for spec in reviews])

    def test_permission_to_explain_does_not_include_reading(self):
        self.apiserver.allow = lambda spec: spec["resourceAttributes"].get("subresource") == "explain"

        self.assertEqual(200, self.get("explainer").status)
        self.assertEqual(403, self.weir.metric("ml-inference", "depth", user="explainer").status)

    def test_each_explanation_queries_the_backend_and_reads_still_use_the_cache(self):
        self.assert_values(self.weir.metric("ml-inference", "depth"), "61")
        request_count = len(self.backend.requests)

        self.assertEqual(["61", "61"], [self.get("boss").json()["result"]["value"] for _ in range(2)])
        self.assert_values(self.weir.metric("ml-inference", "depth"), "61")

        self.assertEqual(request_count + 2, len(self.backend.requests))

    def test_an_invalid_explanation_request_has_the_error_of_a_read(self):
        unknown = self.get("boss", PATH.replace("depth", "deph"))
        no_label = self.get("boss", PATH.replace("depth", "labelled"))
        bad = self.get("boss", PATH + "?labelSelector=%3D")

        self.assert_status(unknown, 404, "NotFound", 'metric ml-inference/deph is not configured; did you mean "depth"?')
        self.assertEqual([400, 400, 405], [no_label.status, bad.status, self.get("boss", method="POST").status])

    def test_a_selector_binds_labels_and_is_repeated(self):
        answer = self.get("boss", PATH.replace("depth", "labelled") + "?labelSelector=queue+in+(a,b)").json()

        self.assertEqual("queue in (a,b)", answer["selector"])
        self.assertEqual([{"queue": "a"}, {"queue": "b"}], [query["labels"] for query in answer["queries"]])
        self.assertEqual(['depth{queue="a"}', 'depth{queue="b"}'], [query["query"] for query in answer["queries"]])
        self.assertEqual({"value": "122"}, answer["result"])

    def test_every_policy_of_the_entry_has_its_effect(self):
        answer = self.get("boss", PATH.replace("depth", "bounded")).json()

        self.assertEqual({"value": "50"}, answer["result"])
        self.assertEqual("61", answer["queries"][0]["reply"]["value"])
        self.assertEqual([("settle", "30s", "the backend has had no outage"), ("empty", "error", "not used"),
                          ("nan", "error", "not used"), ("negative", "error", "not used"),
                          ("clamp", "{max: 50}", "61 is above max, reported as 50"), ("zeroAtOrBelow", "10", "50 is above 10"),
                          ("fallback", "{after: 45s, hold: 120s}", "not used")],
                         [tuple(policy.values()) for policy in answer["queries"][0]["policies"]])

    def test_explanations_are_counted_apart_from_reads(self):
        self.get("counter")

        page = self.get("counter", "/metrics").text
        self.assertRegex(page, r'apiserver_request_total\{[^}]*subresource="explain"[^}]*\} [1-9]')

    def test_the_command_prints_the_endpoints_document(self):
        run = self.command("-o", "json")

        self.assertEqual((0, ""), (run.returncode, run.stderr))
        command_output, response = json.loads(run.stdout), self.get("boss").json()
        self.assertEqual(list(response), list(command_output))
        for key in ("kind", "version", "entry", "settings", "result"):
            self.assertEqual(response[key], command_output[key])

    def test_the_command_prints_text_for_people(self):
        run = self.command()

        self.assertEqual((0, ""), (run.returncode, run.stderr))
        start = "metric       ml-inference/depth\n\nresult       61\nquery        depth\nreply        61\ntook "
        self.assertTrue(run.stdout.startswith(start), run.stdout)
        self.assertIn("backend      prometheus prom\n", run.stdout)
        self.assertNotIn("policy", run.stdout)
        self.assertIn("policy       empty: error (not used)\n", self.command("-v").stdout)

    def test_replicas_are_those_of_the_hpas_formula(self):
        table = [({"type": "AverageValue", "averageValue": "10"}, 7, 7),
                 ({"type": "Value", "value": "20"}, 10, 10),
                 ({"type": "AverageValue", "averageValue": "100m"}, 10, 610)]
        for target, replicas, unbounded in table:
            with self.subTest(target):
                self.apiserver.objects[HPA] = hpa(target)

                run = self.command("-o", "json", "--hpa", "workers", "--kubeconfig", self.kubeconfig)

                hpa_report = json.loads(run.stdout)["hpa"]
                self.assertEqual((replicas, unbounded, 3), (hpa_report["implied"]["replicas"],
                                                            hpa_report["implied"]["replicasUnbounded"], hpa_report["currentReplicas"]))
                text = self.command("--hpa", "workers", "--kubeconfig", self.kubeconfig).stdout
                self.assertIn(f"implies      {replicas} replicas", text)
                self.assertIn("an estimate: the HPA also considers", text)

    def test_without_a_selector_that_of_the_hpa_is_used(self):
        self.apiserver.objects[HPA] = hpa({"type": "Value", "value": "20"}, name="labelled",
                                          selector={"matchLabels": {"queue": "embed"}})
        arguments = ("ml-inference/labelled", "--config", self.weir.config_file, "--hpa", "workers",
                     "--kubeconfig", self.kubeconfig)

        run = run_weir("explain", *arguments)
        other = run_weir("explain", *arguments, "-l", "queue=summarize")

        self.assertIn('query        depth{queue="embed"}\n', run.stdout)
        self.assertIn('query        depth{queue="summarize"}\n', other.stdout)

    def test_a_selector_of_the_hpa_that_no_label_can_have_is_named(self):
        """Its text, queue=a,b, would be another selector."""
        self.apiserver.objects[HPA] = hpa({"type": "Value", "value": "20"}, name="labelled",
                                          selector={"matchLabels": {"queue": "a,b"}})

        run = run_weir("explain", "ml-inference/labelled", "--config", self.weir.config_file, "--hpa", "workers",
                       "--kubeconfig", self.kubeconfig)

        self.assertEqual((3, "", "Error from server (BadRequest): HPA workers: no label can have the value \"a,b\" of queue (a "
                          "value has at most 63 letters, digits, -, _ and ., with a letter or digit at both ends)\n"),
                         (run.returncode, run.stdout, run.stderr))

    def test_an_hpa_that_cannot_be_read_is_reported_with_the_explanation(self):
        self.apiserver.objects[HPA] = {"kind": "HorizontalPodAutoscaler", "spec": {"metrics": []}}

        run = self.command("--hpa", "workers", "--kubeconfig", self.kubeconfig)

        self.assertEqual((3, ""), (run.returncode, run.stderr))
        self.assertIn("result       61\n", run.stdout)
        self.assertIn('hpa          workers: the HPA has no external metric "depth"\n', run.stdout)

    def test_the_flags_belong_together(self):
        run = self.command("--hpa", "workers")

        self.assertEqual((2, ""), (run.returncode, run.stdout))
        self.assertIn("--kubeconfig", run.stderr)


if __name__ == "__main__":
    unittest.main()
