"""weir doctor in a real cluster: a healthy cluster gives no errors, and each fault is named."""
import json

from case import ClusterTest
from cluster import API_SERVICES
from objects import EXTERNAL_API, deployment, external, hpa
from support import weir_binary

API_SERVICE = f"{API_SERVICES}/{EXTERNAL_API}"
HPAS = "horizontalpodautoscalers"
KEDA = {"name": "keda-operator-metrics-apiserver", "namespace": "keda", "port": 443}


class DoctorScenario(ClusterTest):
    def doctor(self, *arguments):
        """The exit code and the findings, each as (severity, object, what)."""
        run = self.cluster.run(weir_binary(), "doctor", "-o", "json", "--config", self.cluster.weir.config_file,
                               "--server", f"127.0.0.1:{self.cluster.weir.port}",
                               "--service-account", "weir-system/weir", *arguments)
        self.assertIn(run.returncode, (0, 4), run.stderr)
        return run.returncode, [(finding["severity"], finding["object"], finding["what"])
                                for finding in json.loads(run.stdout)["findings"]]

    def broken(self, findings, *words):
        """The errors whose text holds each of `words`."""
        return [finding for finding in findings if finding[0] == "error" and all(word in f"{finding[1]} {finding[2]}" for word in words)]

    def make_hpa(self, name, *metrics):
        """Its Deployment does not exist: the controller reads no metric for it, the doctor does."""
        self.api.create(self._path("autoscaling/v2", HPAS), hpa(name, list(metrics)))
        self.addCleanup(self.api.delete, self._path("autoscaling/v2", HPAS, name))

    def test_a_healthy_cluster_has_no_error(self):
        code, findings = self.doctor()

        self.assertEqual((0, []), (code, self.broken(findings)), findings)
        self.assertTrue(any(EXTERNAL_API in finding[1] for finding in findings if finding[0] == "ok"), findings)

    def test_another_owner_of_the_api_service_is_named(self):
        before = self.api.get(API_SERVICE)["spec"]
        self.addCleanup(self.cluster.wait_available)
        self.addCleanup(self.api.merge, API_SERVICE, {"spec": {"service": before["service"]}})
        self.api.merge(API_SERVICE, {"spec": {"service": KEDA}})

        code, findings = self.doctor()

        self.assertEqual(4, code)
        self.assertTrue(self.broken(findings, EXTERNAL_API, "KEDA", "keda/keda-operator-metrics-apiserver"), findings)

    def test_hpas_that_no_metric_can_serve_are_named(self):
        self.make_hpa("unknown-metric", external("queue_dept", 10))
        self.make_hpa("wrong-label", external("queue_depth", 10, {"queu": "a"}))
        self.make_hpa("wrong-value", external("queue_depth", 10, {"queue": "UPPER"}))

        code, findings = self.doctor()

        self.assertEqual(4, code)
        for words in (("unknown-metric", "queue_dept", "queue_depth"), ("wrong-label", "queu"), ("wrong-value", "UPPER")):
            self.assertEqual(1, len(self.broken(findings, self.namespace, *words)), (words, findings))

    def test_the_controllers_own_condition_is_shown(self):
        self.api.create(self._path("apps/v1", "deployments"), deployment("no-queue"))
        self.make_hpa("no-queue", external("queue_depth", 10, {"queue": "nobody"}))
        self.wait_failing("no-queue", 'queue "nobody" does not exist')

        _, findings = self.doctor()

        self.assertTrue([finding for finding in findings if "no-queue" in finding[1] and 'queue "nobody" does not exist' in finding[2]],
                        findings)
