"""The manifests satisfy Pod Security restricted and the CIS benchmark's rules for workloads, with the fewest permissions."""
import copy
import ipaddress
import re
import unittest

from support import ServerTest
from support.certificates import ROOT
from support.manifests import build, copied_manifests, documents, find_object, of_kind
from support.pod_security import findings

OVERLAYS = ("base", "overlays/dev", "overlays/staging", "overlays/prod")
SHARED = ipaddress.ip_network("100.64.0.0/10")  # RFC 6598
WEIR = {"kind": "ServiceAccount", "name": "weir", "namespace": "weir-system"}
ALLOWED = {("ClusterRoleBinding", None, "ClusterRole", "system:auth-delegator"),
           ("RoleBinding", "kube-system", "Role", "extension-apiserver-authentication-reader")}


def bindings(objects):
    """((kind, namespace, role's kind, role's name), subjects) of every binding."""
    return [((item["kind"], item["metadata"].get("namespace"), item["roleRef"]["kind"], item["roleRef"]["name"]),
             item["subjects"]) for kind in ("ClusterRoleBinding", "RoleBinding") for item in of_kind(objects, kind)]


class SecurityTest(ServerTest):
    @classmethod
    def setUpClass(cls):
        manifests = copied_manifests(cls.new_folder())
        cls.built = {name: build(manifests / name) for name in OVERLAYS}

    def pod(self, objects):
        return find_object(objects, "Deployment", "weir")["spec"]["template"]["spec"]

    def test_the_network_policy_opens_the_default_ports_of_every_kind(self):
        page = (ROOT / "docs" / "configuration.md").read_text()
        defaults = [int(port) for text in re.findall(r"Default ports: (.*)\.", page) for port in re.findall(r"\d+", text)]

        policy = find_object(documents((ROOT / "manifests/components/network-policy/network-policies.yaml").read_text()),
                             "NetworkPolicy", "weir-asks")

        ports = {port["port"] for rule in policy["spec"]["egress"] for port in rule["ports"]}
        self.assertEqual([5671, 6379, 9090], sorted({5671, 6379, 9090} & set(defaults)))
        self.assertEqual(set(), set(defaults) - ports)

    def test_pods_are_restricted_and_satisfy_the_benchmarks(self):
        for name, objects in self.built.items():
            with self.subTest(name):
                self.assertEqual([], findings(self.pod(objects)))

    def test_the_namespace_enforces_it(self):
        for name, objects in self.built.items():
            with self.subTest(name):
                labels = find_object(objects, "Namespace", "weir-system")["metadata"]["labels"]
                self.assertEqual("restricted", labels["pod-security.kubernetes.io/enforce"])

    def test_each_rule_finds_its_violation(self):
        def broken(change):
            pod = copy.deepcopy(self.pod(self.built["base"]))
            change(pod, pod["containers"][0])
            return findings(pod)
        changes = {
            "hostNetwork": lambda pod, container: pod.update(hostNetwork=True),
            "hostPath": lambda pod, container: pod["volumes"].append({"name": "x", "hostPath": {"path": "/"}}),
            "runAsNonRoot": lambda pod, container: pod["securityContext"].update(runAsNonRoot=False),
            "runAsUser": lambda pod, container: container["securityContext"].update(runAsUser=0),
            "seccompProfile": lambda pod, container: pod["securityContext"].pop("seccompProfile"),
            "privileged": lambda pod, container: container["securityContext"].update(privileged=True),
            "allowPrivilegeEscalation": lambda pod, container: container["securityContext"].pop("allowPrivilegeEscalation"),
            "capabilities": lambda pod, container: container["securityContext"]["capabilities"].update(add=["NET_ADMIN"]),
            "drop": lambda pod, container: container["securityContext"].pop("capabilities"),
            "readOnlyRootFilesystem": lambda pod, container: container["securityContext"].pop("readOnlyRootFilesystem"),
            "hostPort": lambda pod, container: container["ports"][0].update(hostPort=443),
            "limits": lambda pod, container: container["resources"].pop("limits"),
            "requests": lambda pod, container: container["resources"].pop("requests"),
            "environment": lambda pod, container: container.update(env=[{"name": "X", "valueFrom": {"secretKeyRef": {}}}]),
            "probe": lambda pod, container: container.pop("readinessProbe"),
            "tag": lambda pod, container: container.update(image="weir:latest"),
            "serviceAccountName": lambda pod, container: pod.update(serviceAccountName="default"),
            "writable": lambda pod, container: container["volumeMounts"][0].update(readOnly=False),
            "mode": lambda pod, container: pod["volumes"][1]["secret"].update(defaultMode=0o444),
        }
        for name, change in changes.items():
            with self.subTest(name):
                self.assertEqual(1, len(broken(change)), broken(change))

    def test_weirs_account_has_permission_for_reviews_and_a_single_config_map_only(self):
        for name, objects in self.built.items():
            with self.subTest(name):
                granted_roles = {role for role, subjects in bindings(objects) if WEIR in subjects}
                self.assertEqual(ALLOWED, granted_roles)

    def test_no_other_subject_has_more_permissions_than_needed(self):
        other_bindings = {("ClusterRoleBinding", None, "ClusterRole", "external-metrics-reader"):
                          [{"kind": "ServiceAccount", "name": "horizontal-pod-autoscaler", "namespace": "kube-system"}],
                          ("ClusterRoleBinding", None, "ClusterRole", "weir:telemetry-reader"):
                          [{"kind": "ServiceAccount", "name": "prometheus-k8s", "namespace": "monitoring"}]}
        for name, objects in self.built.items():
            with self.subTest(name):
                for role, subjects in bindings(objects):
                    if subjects != [WEIR]:
                        self.assertEqual(other_bindings.get(role), subjects)

    def test_roles_grant_only_these_rules(self):
        rules = {"external-metrics-reader":
                 [{"apiGroups": ["external.metrics.k8s.io"], "resources": ["*"], "verbs": ["list"]}],
                 "weir:telemetry-reader": [{"nonResourceURLs": ["/metrics"], "verbs": ["get"]}]}
        for name, objects in self.built.items():
            with self.subTest(name):
                roles = {item["metadata"]["name"]: item["rules"] for item in of_kind(objects, "ClusterRole")}
                self.assertIn("external-metrics-reader", roles)
                self.assertLessEqual(roles.items(), rules.items())
                self.assertEqual([], of_kind(objects, "Role"))

    def test_the_reader_aggregates_to_view(self):
        for name, objects in self.built.items():
            with self.subTest(name):
                labels = find_object(objects, "ClusterRole", "external-metrics-reader")["metadata"]["labels"]
                self.assertEqual("true", labels["rbac.authorization.k8s.io/aggregate-to-view"])

    def test_the_token_is_mounted_only_where_it_is_needed(self):
        for name, objects in self.built.items():
            with self.subTest(name):
                self.assertIs(False, find_object(objects, "ServiceAccount", "weir")["automountServiceAccountToken"])
                self.assertIs(True, self.pod(objects)["automountServiceAccountToken"])

    def test_nothing_skips_the_verification_of_a_certificate(self):
        for name, objects in self.built.items():
            with self.subTest(name):
                text = str(objects)
                self.assertNotIn("insecureSkip", text)
                self.assertNotIn("insecure_skip", text)
                service = find_object(objects, "APIService", "v1beta1.external.metrics.k8s.io")
                injected = service["metadata"].get("annotations", {}).get("cert-manager.io/inject-ca-from")
                self.assertTrue(service["spec"].get("caBundle") or injected)

    def test_no_file_contains_an_option_to_skip_the_verification(self):
        for path in (ROOT / "manifests").rglob("*"):
            if path.is_file():
                self.assertNotRegex(path.read_text(), "(?i)insecure_?-?skip", path)

    def test_the_network_policies_deny_everything_but_the_named_traffic(self):
        for name in ("overlays/staging", "overlays/prod"):
            with self.subTest(name):
                policies = {item["metadata"]["name"]: item["spec"] for item in of_kind(self.built[name], "NetworkPolicy")}
                weir = find_object(self.built[name], "Deployment", "weir")["spec"]["selector"]

                self.assertEqual({"podSelector": weir, "policyTypes": ["Ingress", "Egress"]}, policies["weir-default-deny"])
                for policy in policies.values():
                    self.assertEqual(weir, policy["podSelector"])
                    for rule in policy.get("ingress", []) + policy.get("egress", []):
                        self.assertTrue(rule["ports"], rule)
                self.assert_no_world(policies["weir-asks"]["egress"])
        self.assertTrue(policies["weir-callers"]["ingress"][0]["from"])  # of prod

    def test_a_kube_apiserver_with_a_shared_address_is_reached_and_may_call(self):
        policies = {item["metadata"]["name"]: item["spec"] for item in of_kind(self.built["overlays/prod"], "NetworkPolicy")}

        for peers in (policies["weir-asks"]["egress"][1]["to"], policies["weir-callers"]["ingress"][0]["from"]):
            self.assertIn({"ipBlock": {"cidr": str(SHARED)}}, peers)

    def assert_no_world(self, rules):
        """S55: each rule names its peers, and no block is all of the internet."""
        for rule in rules:
            self.assertTrue(rule["to"], rule)
            for peer in rule["to"]:
                block = ipaddress.ip_network(peer.get("ipBlock", {}).get("cidr", "10.0.0.0/8"))
                self.assertTrue(block.is_private or block == SHARED, peer)
                self.assertNotEqual({}, peer.get("namespaceSelector", peer), "every namespace")

    def test_two_pods_of_prod_never_share_a_node(self):
        terms = self.pod(self.built["overlays/prod"])["affinity"]["podAntiAffinity"]

        self.assertEqual(["requiredDuringSchedulingIgnoredDuringExecution"], list(terms))
        self.assertEqual("kubernetes.io/hostname", next(iter(terms.values()))[0]["topologyKey"])


if __name__ == "__main__":
    unittest.main()
