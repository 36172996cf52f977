"""What manifests/ builds to: whole, with a caBundle that verifies the pair, a valid configuration and flags that exist."""
import base64
import subprocess
import unittest

from support import ServerTest, require, run_weir
from support.certificates import ROOT
from support.manifests import build, copied_manifests, documents, find_object, placed_config

API_SERVICE = "v1beta1.external.metrics.k8s.io"
WITH_PAIR = ("base", "overlays/dev")
WITH_CERT_MANAGER = ("overlays/staging", "overlays/prod")
BASE = {("Namespace", "weir-system"), ("ServiceAccount", "weir"), ("Deployment", "weir"), ("Service", "weir"),
        ("APIService", API_SERVICE), ("PodDisruptionBudget", "weir"), ("ConfigMap", "weir-config"),
        ("Secret", "weir-serving"), ("ClusterRole", "external-metrics-reader"),
        ("ClusterRoleBinding", "weir:auth-delegator"), ("ClusterRoleBinding", "weir:hpa-controller-external-metrics"),
        ("RoleBinding", "weir:authentication-reader")}


def names(objects):
    return {(item["kind"], item["metadata"]["name"]) for item in objects}


class BuildTest(ServerTest):
    @classmethod
    def setUpClass(cls):
        cls.manifests = copied_manifests(cls.new_folder())
        cls.built = {name: build(cls.manifests / name) for name in WITH_PAIR + WITH_CERT_MANAGER}

    def test_every_yaml_file_parses(self):
        files = [path for path in (ROOT / "manifests").rglob("*.yaml") if "/chart/templates/" not in str(path)]

        self.assertGreater(len(files), 30)
        for path in files:
            with self.subTest(path.relative_to(ROOT)):
                self.assertTrue(documents(path.read_text()))

    def test_the_base_consists_of_these_objects(self):
        self.assertEqual(BASE, names(self.built["base"]))

    def test_overlays_add_to_the_base(self):
        added_kinds = {"Issuer", "Certificate", "NetworkPolicy", "ServiceMonitor", "PrometheusRule"}
        for name in WITH_CERT_MANAGER:
            with self.subTest(name):
                self.assertEqual(BASE - {("Secret", "weir-serving")}, BASE & names(self.built[name]))
                self.assertLessEqual(added_kinds, {item["kind"] for item in self.built[name]})

    def test_the_ca_bundle_verifies_the_pair_for_the_services_name(self):
        for name in WITH_PAIR:
            with self.subTest(name):
                folder = self.folder()
                pair = find_object(self.built[name], "Secret", "weir-serving")
                bundle = find_object(self.built[name], "APIService", API_SERVICE)["spec"]["caBundle"]
                (folder / "ca").write_bytes(base64.b64decode(bundle))
                (folder / "crt").write_bytes(base64.b64decode(pair["data"]["tls.crt"]))

                run = subprocess.run([require("openssl", "openssl"), "verify", "-CAfile", "ca", "-purpose", "sslserver",
                                      "-verify_hostname", "weir.weir-system.svc", "crt"],
                                     cwd=folder, capture_output=True, text=True, timeout=30)

                self.assertEqual((0, "crt: OK\n"), (run.returncode, run.stdout), run.stderr)
                self.assertEqual("kubernetes.io/tls", pair["type"])

    def test_cert_manager_injects_the_authority_of_the_pair_that_is_mounted(self):
        for name in WITH_CERT_MANAGER:
            with self.subTest(name):
                objects = self.built[name]
                service = find_object(objects, "APIService", API_SERVICE)
                injected = service["metadata"]["annotations"]["cert-manager.io/inject-ca-from"]
                pair = find_object(objects, "Certificate", "weir-serving")
                issuer = find_object(objects, "Issuer", pair["spec"]["issuerRef"]["name"])
                authority = find_object(objects, "Certificate", "weir-ca")

                self.assertEqual("weir-system/weir-serving", injected)
                self.assertNotIn("caBundle", service["spec"])
                self.assertIn("weir.weir-system.svc", pair["spec"]["dnsNames"])
                self.assertEqual(authority["spec"]["secretName"], issuer["spec"]["ca"]["secretName"])
                volumes = find_object(objects, "Deployment", "weir")["spec"]["template"]["spec"]["volumes"]
                self.assertIn(pair["spec"]["secretName"], [v["secret"]["secretName"] for v in volumes if "secret" in v])

    def test_the_shipped_configuration_is_valid(self):
        for name, objects in self.built.items():
            with self.subTest(name):
                config = find_object(objects, "ConfigMap", "weir-config")["data"]

                run = run_weir("check", placed_config(config, self.folder()))

                self.assertEqual((0, ""), (run.returncode, run.stderr))

    def test_weir_has_every_flag_of_the_deployment(self):
        missing = self.folder() / "no-such-file.yaml"
        for name, objects in self.built.items():
            with self.subTest(name):
                container, = find_object(objects, "Deployment", "weir")["spec"]["template"]["spec"]["containers"]
                flags = [f"--config={missing}" if flag.startswith("--config=") else flag for flag in container["args"]]

                run = run_weir(*flags)

                self.assertEqual(1, run.returncode, run.stderr)  # 2 would be a wrong command line
                self.assertIn("no-such-file.yaml", run.stderr)
        self.assertEqual(2, run_weir(*flags, "--no-such-flag").returncode)

    def test_probes_service_and_api_service_use_the_port_of_the_server(self):
        for name, objects in self.built.items():
            with self.subTest(name):
                pod = find_object(objects, "Deployment", "weir")["spec"]["template"]
                container, = pod["spec"]["containers"]
                port, = container["ports"]
                service, = find_object(objects, "Service", "weir")["spec"]["ports"]
                aimed = find_object(objects, "APIService", API_SERVICE)["spec"]["service"]

                self.assertIn(f"--secure-port={port['containerPort']}", container["args"])
                self.assertEqual(port["name"], service["targetPort"])
                self.assertEqual({"name": "weir", "namespace": "weir-system", "port": service["port"]}, aimed)
                for probe, path in (("livenessProbe", "/livez"), ("readinessProbe", "/readyz")):
                    self.assertEqual({"path": path, "port": port["name"], "scheme": "HTTPS"}, container[probe]["httpGet"])
                selector = find_object(objects, "Service", "weir")["spec"]["selector"]
                self.assertLessEqual(selector.items(), pod["metadata"]["labels"].items())
                for kind in ("Deployment", "PodDisruptionBudget"):
                    self.assertEqual(selector, find_object(objects, kind, "weir")["spec"]["selector"]["matchLabels"])

    def test_the_pages_build_the_pods_image_before_anything_is_applied(self):
        for page in ("README.md", "manifests/chart/README.md"):
            with self.subTest(page):
                self.assertIn(f"docker build -t {self.image()} .", (ROOT / page).read_text())
        steps = (ROOT / "README.md").read_text()
        self.assertLess(steps.index("docker build -t"), steps.index("kubectl apply -k"))

    def image(self):
        container, = find_object(self.built["base"], "Deployment", "weir")["spec"]["template"]["spec"]["containers"]
        return container["image"]

    def test_a_renewal_applies_only_the_pair_and_its_ca(self):
        key, value = "weir.serving-pair", "true"
        for page in ("docs/known-issues/install.md", "manifests/components/prometheus-rule/weir.yaml"):
            with self.subTest(page):
                self.assertIn(f"kubectl apply -k manifests/base -l {key}={value}", (ROOT / page).read_text())
        pair_objects = [item for item in self.built["base"] if item["metadata"].get("labels", {}).get(key) == value]
        self.assertEqual({("Secret", "weir-serving"), ("APIService", API_SERVICE)}, names(pair_objects))

    def test_no_pod_has_a_priority_class_that_clusters_reserve(self):
        for name, objects in self.built.items():
            with self.subTest(name):
                pod = find_object(objects, "Deployment", "weir")["spec"]["template"]["spec"]

                self.assertNotIn("priorityClassName", pod)

    def test_a_pod_has_time_to_drain(self):
        for name, objects in self.built.items():
            with self.subTest(name):
                pod = find_object(objects, "Deployment", "weir")["spec"]["template"]["spec"]
                flag, = (arg for arg in pod["containers"][0]["args"] if arg.startswith("--shutdown-delay-duration="))
                delay = int(flag.split("=")[1].removesuffix("s"))

                self.assertGreaterEqual(pod["terminationGracePeriodSeconds"], delay + 30)  # the longest deadline there is


if __name__ == "__main__":
    unittest.main()
