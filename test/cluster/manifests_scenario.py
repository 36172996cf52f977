"""A real kube-apiserver takes every manifest, and its Pod Security admission takes Weir's pod."""
import copy
import json
import tempfile

from case import ClusterTest
from support.certificates import ROOT
from support.manifests import build, copied_manifests, find_object, of_kind

# The least of what cert-manager and the Prometheus operator define: any content counts as theirs.
FOREIGN = {("cert-manager.io", "Issuer", "issuers"), ("cert-manager.io", "Certificate", "certificates"),
           ("monitoring.coreos.com", "ServiceMonitor", "servicemonitors"),
           ("monitoring.coreos.com", "PrometheusRule", "prometheusrules")}
OVERLAYS = ("base", "overlays/dev", "overlays/staging", "overlays/prod")


def definition(group, kind, plural):
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": f"{plural}.{group}"},
            "spec": {"group": group, "scope": "Namespaced", "names": {"kind": kind, "plural": plural},
                     "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}]}}


class ManifestsScenario(ClusterTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.manifests = copied_manifests(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="weir-manifests-")))
        for name in FOREIGN:
            cls.cluster.apply("-f", "-", stdin=json.dumps(definition(*name)))
        for group, _, plural in FOREIGN:
            run = cls.cluster.kubectl("wait", "--for=condition=Established", f"crd/{plural}.{group}", "--timeout=30s")
            if run.returncode != 0:
                raise RuntimeError(run.stderr)

    def assert_applied(self, *arguments):
        run = self.cluster.kubectl("apply", "--dry-run=server", "--validate=strict", *arguments)
        self.assertEqual(0, run.returncode, run.stderr)
        return run.stdout.splitlines()

    def test_the_base_and_every_overlay_can_be_applied(self):
        for overlay in OVERLAYS:
            with self.subTest(overlay):
                objects = self.assert_applied("-k", self.manifests / overlay)

                self.assertEqual(len(build(self.manifests / overlay)), len(objects))

    def test_a_renewed_pair_is_applied_without_the_configuration(self):
        lines = self.assert_applied("-k", self.manifests / "base", "-l", "weir.serving-pair=true")

        self.assertEqual(["apiservice.apiregistration.k8s.io/v1beta1.external.metrics.k8s.io", "secret/weir-serving"],
                         sorted(line.split()[0] for line in lines), lines)

    def test_every_hpa_can_be_applied(self):
        for namespace in ("ml-inference", "bookmarkai-ml"):
            self.cluster.apply("-f", "-", stdin=json.dumps(
                {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}))

        lines = self.assert_applied("-f", ROOT / "manifests" / "hpa")

        self.assertEqual(11, len(lines), lines)

    def test_an_unknown_field_is_an_error(self):
        deployment = copy.deepcopy(find_object(build(self.manifests / "base"), "Deployment", "weir"))
        deployment["spec"]["template"]["spec"]["securityContexts"] = {}

        run = self.cluster.kubectl("apply", "--dry-run=server", "--validate=strict", "-f", self.file(deployment))

        self.assertIn('unknown field "spec.template.spec.securityContexts"', run.stderr)

    def test_pod_security_restricted_admits_weirs_pod_and_no_less_restricted_pod(self):
        namespace = "restricted-by-label"
        labels = find_object(build(self.manifests / "base"), "Namespace", "weir-system")["metadata"]["labels"]
        self.cluster.apply("-f", "-", stdin=json.dumps(
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": labels}}))
        for overlay in OVERLAYS:
            deployment, = of_kind(build(self.manifests / overlay), "Deployment")
            pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "weir", "namespace": namespace},
                   "spec": deployment["spec"]["template"]["spec"]}
            weaker = copy.deepcopy(pod)
            weaker["spec"]["containers"][0]["securityContext"].pop("allowPrivilegeEscalation")
            with self.subTest(overlay):
                self.assert_applied("-f", self.file(pod))

                run = self.cluster.kubectl("apply", "--dry-run=server", "-f", self.file(weaker))

                self.assertIn('violates PodSecurity "restricted', run.stderr)

    def file(self, item):
        file = tempfile.NamedTemporaryFile("w", suffix=".json")
        self.addCleanup(file.close)
        json.dump(item, file)
        file.flush()
        return file.name
