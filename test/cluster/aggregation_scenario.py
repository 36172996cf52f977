"""Weir behind the real aggregator: it becomes Available, is discovered, and serves kubectl."""
import json

from case import ClusterTest
from kube_api import ApiError, KubeApi
from support import GROUP, metric_path, wait_until


class AggregationScenario(ClusterTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cluster.redis.fill("RPUSH cities 1 2 3 4 5 6 7")

    def test_the_api_service_is_available(self):
        condition = self.cluster.availability()

        self.assertEqual(("True", "Passed"), (condition["status"], condition["reason"]), condition)

    def test_the_available_condition_is_earned_by_a_verified_certificate(self):
        spec = self.api.get("/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.external.metrics.k8s.io")["spec"]

        self.assertTrue(spec["caBundle"])
        self.assertNotIn("insecureSkipTLSVerify", spec)

    def test_kubectl_get_raw_reads_a_metric(self):
        run = self.kubectl("get", "--raw", metric_path(self.namespace, "list_length", "key=cities"))

        item = json.loads(run.stdout)["items"][0]
        self.assertEqual(("list_length", "7", {"key": "cities"}),
                         (item["metricName"], item["value"], item["metricLabels"]))

    def test_kubectl_get_prints_a_metric_as_a_table(self):
        wait_until(lambda: "list_length" in self.kubectl("api-resources").stdout, "discovery lists the metric", 30)

        run = self.kubectl("get", "list_length", "-n", self.namespace, "-l", "key=cities")

        header, row = run.stdout.splitlines()
        self.assertIn("VALUE", header)
        self.assertIn("7", row.split())

    def test_api_resources_lists_every_metric_without_a_warning(self):
        wait_until(lambda: "list_length" in self.kubectl("api-resources").stdout, "discovery lists the metric", 30)

        run = self.kubectl("api-resources", "--api-group=external.metrics.k8s.io", "-o", "name")

        self.assertLessEqual({"queue_depth.external.metrics.k8s.io", "list_length.external.metrics.k8s.io"},
                             set(run.stdout.split()))

    def test_the_aggregators_discovery_is_current(self):
        """Stale would stop namespaces from being deleted."""
        def versions():
            document = self.aggregated_discovery()
            groups = [group for group in document["items"] if group["metadata"]["name"] == "external.metrics.k8s.io"]
            return groups and groups[0]["versions"][0]["resources"] and groups[0]["versions"]

        version = wait_until(versions, "aggregated discovery has the group", 30)[0]

        self.assertEqual(("v1beta1", "Current"), (version["version"], version["freshness"]))

    def test_the_clusters_openapi_lists_the_group(self):
        wait_until(lambda: "apis/external.metrics.k8s.io/v1beta1" in self.api.get("/openapi/v3")["paths"],
                   "OpenAPI has the group", 90)

        document = self.api.get("/openapi/v3/apis/external.metrics.k8s.io/v1beta1")

        self.assertTrue(any("namespaces/{namespace}" in path for path in document["paths"]), list(document["paths"]))

    def test_an_account_with_permission_may_read_without_the_aggregator_too(self):
        token = self.cluster.control_plane.token("kube-system", "horizontal-pod-autoscaler")
        direct = KubeApi(self.cluster.weir.port, self.cluster.certificates, pair=None, token=token)

        self.assertEqual((200, ["7"]), self.read("list_length", "key=cities", api=direct))

    def test_headers_of_a_caller_without_the_proxys_certificate_are_ignored(self):
        answer = self.cluster.weir.get(GROUP, {"X-Remote-User": "admin", "X-Remote-Group": "system:masters"}, cert=None)

        self.assertEqual(403, answer.status, answer.text)

    def test_an_unknown_metric_is_not_found_through_the_aggregator(self):
        with self.assertRaises(ApiError) as raised:
            self.api.get(metric_path(self.namespace, "list_lenght"))

        self.assertEqual(404, raised.exception.status)
        self.assertIn('"list_length"', raised.exception.text)

    def kubectl(self, *arguments):
        run = self.cluster.kubectl(*arguments)
        self.assertEqual((0, ""), (run.returncode, run.stderr))
        return run

    def aggregated_discovery(self):
        return self.api.call("GET", "/apis", accept="application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList")
