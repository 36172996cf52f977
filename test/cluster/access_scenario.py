"""RBAC decides about reads: without permission the response is a 403 and never a value."""
from case import ClusterTest
from kube_api import KubeApi
from objects import external
from support import wait_until

ROLES = "/apis/rbac.authorization.k8s.io/v1/clusterroles"
GROUP = "external.metrics.k8s.io"
REVIEW_KEPT_SECONDS = 30  # Weir keeps a review for 10 s


class AccessScenario(ClusterTest):
    def direct(self, namespace, account):
        """As a service account, directly, without the authorization of the kube-apiserver."""
        token = self.cluster.control_plane.token(namespace, account)
        return KubeApi(self.cluster.weir.port, self.cluster.certificates, pair=None, token=token)

    def revoke_metric_permissions(self):
        """Takes external metrics out of every ClusterRole that names them; what it returns puts them back."""
        before = {role["metadata"]["name"]: role["rules"] for role in self.api.get(ROLES)["items"]
                  if any(_names_group(rule) for rule in role.get("rules") or [])}

        def restore():
            for name, rules in before.items():
                self.api.merge(f"{ROLES}/{name}", {"rules": rules})
        for name, rules in before.items():
            self.api.merge(f"{ROLES}/{name}", {"rules": [rule for rule in rules if not _names_group(rule)]})
        return restore

    def test_an_hpa_account_without_permission_gets_403_and_the_replicas_stay(self):
        self.cluster.redis.command("SET", "forbidden", 40)
        self.scaled("forbidden", [external("counter", 10, {"key": "forbidden"})], replicas=2)
        self.wait_replicas("forbidden", 4)
        hpa_account = self.direct("kube-system", "horizontal-pod-autoscaler")
        self.assertEqual((200, ["40"]), self.read("counter", "key=forbidden", hpa_account))

        restore = self.revoke_metric_permissions()
        self.addCleanup(restore)
        self.cluster.redis.command("SET", "forbidden", 90)

        self.wait_failing("forbidden", "is forbidden", "system:serviceaccount:kube-system:horizontal-pod-autoscaler")
        self.assert_replicas_stay("forbidden", 4)
        # Weir itself refuses too: the aggregator's own look at RBAC is not what protects a metric.
        wait_until(lambda: self.read("counter", "key=forbidden", hpa_account)[0] == 403, "Weir refuses",
                   REVIEW_KEPT_SECONDS, 0.5)

        restore()
        self.wait_replicas("forbidden", 9)

    def test_an_account_without_permission_gets_403_from_weir_with_its_name(self):
        self.api.create(f"/api/v1/namespaces/{self.namespace}/serviceaccounts", {"metadata": {"name": "nobody"}})

        status, text = self.read("counter", "key=any", self.direct(self.namespace, "nobody"))

        self.assertEqual((403, 'counter.external.metrics.k8s.io is forbidden: User '
                          f'"system:serviceaccount:{self.namespace}:nobody" cannot list resource "counter" in API group '
                          f'"external.metrics.k8s.io" in the namespace "{self.namespace}"'), (status, text))

    def test_permission_in_one_namespace_does_not_apply_to_another(self):
        self.cluster.redis.command("SET", "here", 1)
        self.api.create(f"/api/v1/namespaces/{self.namespace}/serviceaccounts", {"metadata": {"name": "reader"}})
        path = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{self.namespace}"
        self.api.create(f"{path}/roles", {"metadata": {"name": "reader"}, "rules": [
            {"apiGroups": [GROUP], "resources": ["counter"], "verbs": ["list"]}]})
        self.api.create(f"{path}/rolebindings", {"metadata": {"name": "reader"}, "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"}, "subjects": [
                {"kind": "ServiceAccount", "name": "reader", "namespace": self.namespace}]})
        reader = self.direct(self.namespace, "reader")

        wait_until(lambda: self.read("counter", "key=here", reader) == (200, ["1"]), "the new role counts",
                   REVIEW_KEPT_SECONDS, 0.5)

        self.assertEqual(403, self.read("queue_depth", "queue=work", reader)[0])
        self.assertEqual(403, _in_namespace(reader, "default"))


def _names_group(rule):
    return GROUP in rule.get("apiGroups", [])


def _in_namespace(api, namespace):
    return api.exchange("GET", f"/apis/{GROUP}/v1beta1/namespaces/{namespace}/counter?labelSelector=key%3Dhere")[0]
