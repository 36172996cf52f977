"""The common base of scenarios: a namespace each, Deployments with HPAs, and the conditions that the HPA controller sets."""
import re
import unittest

from kube_api import ApiError
from objects import deployment, hpa
from support import NotReady, metric_path, wait_until

SCALED_SECONDS = 30  # a sync a second; generous, because a busy machine is slow
SYNCS = 3  # how often the controller looks before a count of replicas passes as kept


class ClusterTest(unittest.TestCase):
    """`cluster` is running; run.py sets it. No HPA outlives its test."""
    maxDiff = None
    cluster = None

    @classmethod
    def setUpClass(cls):
        cls.api = cls.cluster.api
        cls.namespace = re.sub(r"(?<!^)(?=[A-Z])", "-", cls.__name__).lower()
        cls.api.create("/api/v1/namespaces", {"metadata": {"name": cls.namespace}})

    def scaled(self, name, metrics, replicas=1, **settings):
        """A Deployment with an HPA of its name, which goes away with the test."""
        self.api.create(self._path("apps/v1", "deployments"), deployment(name, replicas))
        self.api.create(self._path("autoscaling/v2", "horizontalpodautoscalers"), hpa(name, metrics, **settings))
        self.addCleanup(self.api.delete, self._path("autoscaling/v2", "horizontalpodautoscalers", name))

    def hpa_status(self, name):
        return self.api.get(self._path("autoscaling/v2", "horizontalpodautoscalers", name)).get("status", {})

    def replicas(self, name):
        """The replicas in the Deployment's spec."""
        return self.api.get(self._path("apps/v1", "deployments", name))["spec"]["replicas"]

    def condition(self, name, kind="ScalingActive"):
        return next((condition for condition in self.hpa_status(name).get("conditions") or [] if condition["type"] == kind), {})

    def wait_replicas(self, name, count, seconds=SCALED_SECONDS):
        """Until the HPA wants `count` replicas and the Deployment has as many pods."""
        def is_scaled():
            pods = self.api.get(self._path("apps/v1", "deployments", name)).get("status", {}).get("replicas", 0)
            desired = self.hpa_status(name).get("desiredReplicas")
            return (count, count, count) == (self.replicas(name), pods, desired)
        self._wait(name, is_scaled, f"{name} has {count} replicas", seconds)

    def wait_active(self, name, seconds=SCALED_SECONDS):
        self._wait(name, lambda: self.condition(name).get("status") == "True", f"{name} is scaling", seconds)

    def wait_failing(self, name, *texts, seconds=SCALED_SECONDS):
        """Until the HPA can't get its metric for a reason that holds each of `texts`; that reason."""
        def reason():
            condition = self.condition(name)
            is_failing = (condition.get("status"), condition.get("reason")) == ("False", "FailedGetExternalMetric")
            return is_failing and all(text in condition["message"] for text in texts) and condition["message"]
        return self._wait(name, reason, f"{name} says FailedGetExternalMetric with {texts}", seconds)

    def assert_replicas_stay(self, name, count):
        self.assert_all_replicas_stay({name: count})

    def assert_all_replicas_stay(self, counts):
        """The replicas (name -> count) are so, and still are after the controller has looked at all a few more times."""
        self.assertEqual(counts, {name: self.replicas(name) for name in counts})
        self.wait_for_hpa_syncs()
        self.assertEqual(counts, {name: self.replicas(name) for name in counts}, "".join(map(self.describe, counts)))

    def wait_for_hpa_syncs(self):
        """Until the controller has looked at every HPA of the cluster a few more times: it takes them in turn."""
        hpas = len(self.api.get("/apis/autoscaling/v2/horizontalpodautoscalers")["items"])
        looks = self.cluster.control_plane.hpa_syncs() + SYNCS * hpas
        wait_until(lambda: self.cluster.control_plane.hpa_syncs() >= looks, "the HPA controller looks again", 30)

    def describe(self, name):
        return self.cluster.kubectl("describe", "hpa", "-n", self.namespace, name).stdout

    def read(self, metric, selector=None, api=None):
        """(200, values) or (status, message) of one metric of the namespace, through the aggregator."""
        try:
            answer = (api or self.api).get(metric_path(self.namespace, metric, selector))
        except ApiError as error:
            return error.status, error.text
        return 200, [item["value"] for item in answer["items"]]

    def _wait(self, name, probe, what, seconds):
        try:
            return wait_until(probe, what, seconds, 0.1)
        except NotReady as error:
            raise AssertionError(f"{error}\n{self.describe(name)}") from None

    def _path(self, group_version, resource, name=""):
        return f"/apis/{group_version}/namespaces/{self.namespace}/{resource}{'/' if name else ''}{name}"
