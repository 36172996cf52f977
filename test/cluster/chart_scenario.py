"""The Helm chart renders what kustomize builds, and rejects values with which Weir would not be verified."""
import copy
import json
import re
import tempfile
from pathlib import Path

from case import ClusterTest
from support.manifests import build, copied_manifests, documents, of_kind
from support.pod_security import findings

OWN_LABELS = {"app.kubernetes.io/managed-by", "app.kubernetes.io/instance", "app.kubernetes.io/version", "helm.sh/chart"}
RENEWED = "weir.serving-pair"  # selects what a renewal applies; helm renews by an upgrade
COMPONENTS = ("networkPolicy", "serviceMonitor", "prometheusRule", "grafanaDashboard")


def key(item):
    return item["kind"], item["metadata"].get("namespace", ""), item["metadata"]["name"]


def comparable(item):
    """Without the labels on the object itself, which either tool sets its own way, and without line ends in base64."""
    out = copy.deepcopy(item)
    out["metadata"].pop("labels", None)
    if out["kind"] == "Secret":
        out["data"] = {field: "".join(value.split()) for field, value in out["data"].items()}
    if "caBundle" in out.get("spec", {}):
        out["spec"]["caBundle"] = "".join(out["spec"]["caBundle"].split())
    return out


class ChartScenario(ClusterTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.manifests = copied_manifests(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="weir-chart-")))
        pair = cls.manifests / "base" / "made-by-certs-serving"
        cls.tls = ["--set", "tls.enable=true", "--set-file",
                   f"tls.ca={pair / 'ca.crt'},tls.certificate={pair / 'tls.crt'},tls.key={pair / 'tls.key'}"]

    def helm(self, *flags, command="template", release="weir"):
        return self.cluster.run(self.cluster.binaries.helm, command, *([release] if command == "template" else []),
                                self.manifests / "chart", "-n", "weir-system", *flags)

    def rendered(self, *flags, release="weir", hooks=False):
        """The objects of a release, or those of its hooks."""
        run = self.helm(*flags, release=release)
        self.assertEqual(0, run.returncode, run.stderr)
        return [item for item in documents(run.stdout)
                if hooks == ("helm.sh/hook" in item["metadata"].get("annotations", {}))]

    def install_error(self, *flags):
        run = self.helm(*flags)
        self.assertNotEqual(0, run.returncode)
        return run.stderr

    def assert_same(self, overlay, objects):
        """The namespace is helm's own affair: --create-namespace."""
        expected = {key(item): comparable(item) for item in build(self.manifests / overlay) if item["kind"] != "Namespace"}
        actual = {key(item): comparable(item) for item in objects}
        self.assertEqual(set(expected), set(actual))
        for name, item in expected.items():
            self.assertEqual(item, actual[name], name)

    def test_with_a_pair_the_chart_equals_the_base(self):
        self.assert_same("base", self.rendered(*self.tls))

    def test_with_cert_manager_and_every_component_the_chart_equals_the_overlay_staging(self):
        switches = ",".join(f"{name}.enabled=true" for name in ("certManager", *COMPONENTS))

        self.assert_same("overlays/staging", self.rendered("--set", f"{switches},logLevel=3"))

    def test_the_alerts_of_the_workloads_are_those_of_their_component(self):
        component, = documents((self.manifests / "components" / "workload-alerts" / "workloads.yaml").read_text())

        rules = of_kind(self.rendered(*self.tls, "--set", "prometheusRule.enabled=true,prometheusRule.workloads=true"),
                        "PrometheusRule")

        self.assertEqual(["weir", "weir-workloads"], sorted(item["metadata"]["name"] for item in rules))
        self.assertIn(comparable(component), [comparable(item) for item in rules])

    def test_every_object_is_labelled_as_the_bases_and_by_its_release(self):
        base = {key(item): item["metadata"].get("labels", {}) for item in build(self.manifests / "base")}
        for item in self.rendered(*self.tls):
            labels = item["metadata"].get("labels", {})
            if item["kind"] != "Secret":
                with self.subTest(key(item)):
                    self.assertEqual(OWN_LABELS, labels.keys() - base[key(item)].keys())
                    own = {name: value for name, value in base[key(item)].items() if name != RENEWED}
                    self.assertLessEqual(own.items(), labels.items())

    def test_a_release_of_another_name_names_all_its_objects_after_it(self):
        objects = self.rendered(*self.tls, release="team")

        fixed = {"v1beta1.external.metrics.k8s.io", "external-metrics-reader"}
        names = {item["metadata"]["name"] for item in objects} - fixed
        self.assertTrue(names)
        self.assertTrue(all(name.startswith("team-weir") for name in names), names)
        service = next(item for item in objects if item["kind"] == "APIService")
        self.assertEqual("team-weir", service["spec"]["service"]["name"])

    def test_without_a_certificate_the_install_is_an_error_with_the_values_to_set(self):
        self.assertIn("set certManager.enabled=true, or tls.enable=true", self.install_error())
        self.assertIn("choose one", self.install_error(*self.tls, "--set", "certManager.enabled=true"))
        self.assertIn("tls.ca, tls.certificate and tls.key", self.install_error("--set", "tls.enable=true"))

    def test_unknown_values_are_errors(self):
        good = "certManager.enabled=true"
        for value, name in (("prometheus.url=http://prom", "prometheus"), ("replica=3", "replica"),
                            ("replicas=0", "replicas"), ("logLevel=11", "logLevel"), ("listenPort=443", "listenPort"),
                            ("logFormat=xml", "logFormat")):
            with self.subTest(value):
                self.assertIn(name, self.install_error("--set", f"{good},{value}"))

    def test_its_own_configuration_replaces_the_empty_one(self):
        objects = self.rendered(*self.tls, "--set-json", 'config.files={"team.yaml":"metrics: []\\n"}')
        existing = self.rendered(*self.tls, "--set", "config.existing=mine")

        data = {item["metadata"]["name"]: item["data"] for item in objects if item["kind"] == "ConfigMap"}
        self.assertEqual({"weir-config": {"team.yaml": "metrics: []\n"}}, data)
        self.assertEqual([], [item for item in existing if item["kind"] == "ConfigMap"])
        volumes = next(item for item in existing if item["kind"] == "Deployment")["spec"]["template"]["spec"]["volumes"]
        self.assertIn({"name": "config", "configMap": {"name": "mine"}}, volumes)

    def test_the_hook_checks_the_configuration_of_the_release_with_its_image(self):
        text = "metrics: []\n"
        config, job = self.rendered(*self.tls, "--set-json", "config.files=" + json.dumps({"team.yaml": text}),
                                    "--set", "image.repository=mirror/weir,nodeSelector.pool=system", release="team", hooks=True)

        self.assertEqual([("ConfigMap", "team-weir-config-check"), ("Job", "team-weir-config-check")],
                         [key(item)[::2] for item in (config, job)])
        self.assertEqual({"team.yaml": text}, config["data"])
        weights = [int(item["metadata"]["annotations"]["helm.sh/hook-weight"]) for item in (config, job)]
        self.assertLess(*weights)
        for item in (config, job):
            self.assertEqual("pre-install,pre-upgrade", item["metadata"]["annotations"]["helm.sh/hook"])
            self.assertEqual("before-hook-creation,hook-succeeded", item["metadata"]["annotations"]["helm.sh/hook-delete-policy"])
        pod = job["spec"]["template"]["spec"]
        self.assertEqual(("mirror/weir:0.1.0", ["check", "--no-credentials", "/etc/weir/config"]),
                         (pod["containers"][0]["image"], pod["containers"][0]["args"]))
        self.assertEqual([{"name": "config", "configMap": {"name": "team-weir-config-check"}}], pod["volumes"])
        self.assertEqual({"pool": "system"}, pod["nodeSelector"])
        self.assertEqual([], self.rendered(*self.tls, "--set", "configCheck.enabled=false", hooks=True))

    def test_the_hooks_pod_is_restricted_has_no_token_and_is_no_pod_of_the_service(self):
        deployment, = of_kind(self.rendered(*self.tls), "Deployment")
        _, job = self.rendered(*self.tls, hooks=True)
        template = job["spec"]["template"]
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "check", "namespace": "check-by-label"},
               "spec": template["spec"]}
        self.cluster.apply("-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": {
            "name": "check-by-label", "labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}))

        # Without an account of its own it has no token either; a check that runs once has no probe.
        self.assertEqual(["serviceAccountName is the default account", "check: a probe is missing"], findings(template["spec"]))
        self.assertIs(False, template["spec"]["automountServiceAccountToken"])
        selector = deployment["spec"]["selector"]["matchLabels"]
        self.assertFalse(selector.items() <= template["metadata"]["labels"].items())
        for item in (pod, {**job, "metadata": {**job["metadata"], "namespace": "check-by-label"}}):
            run = self.cluster.kubectl("apply", "--dry-run=server", "--validate=strict", "-f", "-", stdin=json.dumps(item))
            self.assertEqual((0, ""), (run.returncode, run.stderr))

    def test_only_an_upgrade_checks_an_existing_config_map(self):
        job, = self.rendered(*self.tls, "--set", "config.existing=mine", hooks=True)

        self.assertEqual("pre-upgrade", job["metadata"]["annotations"]["helm.sh/hook"])
        self.assertEqual([{"name": "config", "configMap": {"name": "mine"}}], job["spec"]["template"]["spec"]["volumes"])

    def test_the_other_values_reach_their_objects(self):
        values = Path(self.enterContext(tempfile.TemporaryDirectory(prefix="weir-values-"))) / "values.yaml"
        values.write_text('''
podDisruptionBudget: {minAvailable: 1}
priorityClassName: system-cluster-critical
hostNetwork: {enabled: true}
dnsPolicy: ClusterFirstWithHostNet
customLabels: {team: ml}
image: {repository: mirror/weir, tag: "1", pullSecrets: [pull]}
nodeSelector: {pool: system}
extraArguments: [--disable-something]
env: [{name: HTTPS_PROXY, valueFrom: {secretKeyRef: {name: proxy, key: url}}}, {name: NO_PROXY, value: ".svc"}]
networkPolicy:
  enabled: true
  ingressFrom: [{ipBlock: {cidr: 10.1.0.0/28}}]
  egress:
    dnsPorts: [5353]
    apiServerTo: [{ipBlock: {cidr: 203.0.113.7/32}}]
    apiServerPorts: [8443]
    backends: [{to: [{ipBlock: {cidr: 198.51.100.0/24}}], ports: [{port: 5671, protocol: TCP}]}]
''')
        objects = {key(item)[::2]: item for item in self.rendered(*self.tls, "-f", values)}

        pod = objects["Deployment", "weir"]["spec"]["template"]["spec"]
        self.assertEqual((True, "ClusterFirstWithHostNet", {"pool": "system"}, [{"name": "pull"}], "system-cluster-critical"),
                         tuple(pod[name] for name in ("hostNetwork", "dnsPolicy", "nodeSelector", "imagePullSecrets",
                                                      "priorityClassName")))
        self.assertEqual(("mirror/weir:1", "--disable-something"),
                         (pod["containers"][0]["image"], pod["containers"][0]["args"][-1]))
        self.assertEqual(["HTTPS_PROXY", "NO_PROXY"], [variable["name"] for variable in pod["containers"][0]["env"]])
        budget = objects["PodDisruptionBudget", "weir"]["spec"]
        self.assertEqual((1, False), (budget["minAvailable"], "maxUnavailable" in budget))
        self.assertEqual("ml", objects["Service", "weir"]["metadata"]["labels"]["team"])
        callers = objects["NetworkPolicy", "weir-callers"]["spec"]["ingress"][0]
        self.assertEqual([{"ipBlock": {"cidr": "10.1.0.0/28"}}], callers["from"])
        dns, api_server, backend = objects["NetworkPolicy", "weir-asks"]["spec"]["egress"]
        self.assertEqual([(5353, "UDP"), (5353, "TCP")], [(port["port"], port["protocol"]) for port in dns["ports"]])
        self.assertEqual({"to": [{"ipBlock": {"cidr": "203.0.113.7/32"}}], "ports": [{"port": 8443, "protocol": "TCP"}]},
                         api_server)
        self.assertEqual("198.51.100.0/24", backend["to"][0]["ipBlock"]["cidr"])

    def test_policies_select_only_the_pods_of_the_release(self):
        objects = self.rendered(*self.tls, "--set", "networkPolicy.enabled=true,nameOverride=adapter", release="team")

        deployment, = of_kind(objects, "Deployment")
        policies = of_kind(objects, "NetworkPolicy")
        self.assertEqual(3, len(policies))
        for policy in policies:
            with self.subTest(policy["metadata"]["name"]):
                self.assertEqual(deployment["spec"]["selector"], policy["spec"]["podSelector"])

    def test_under_any_name_the_scrape_job_is_that_of_alerts_and_dashboard(self):
        switches = ("serviceMonitor.enabled=true,prometheusRule.enabled=true,"
                    "grafanaDashboard.enabled=true")
        for setting in ("nameOverride=adapter", "fullnameOverride=adapter", "customLabels.team=ml"):
            with self.subTest(setting):
                objects = self.rendered(*self.tls, "--set", f"{switches},{setting}", release="team")

                endpoint, = of_kind(objects, "ServiceMonitor")[0]["spec"]["endpoints"]
                jobs = {job for item in objects if item["kind"] in ("PrometheusRule", "ConfigMap")
                        for job in re.findall(r'job=\\*"([^"\\]+)', str(item))}
                self.assertIn({"targetLabel": "job", "replacement": "weir"}, endpoint["relabelings"])
                self.assertEqual({"weir"}, jobs)

    def test_with_a_short_duration_cert_manager_decides_the_renewal(self):
        short = "certManager.enabled=true,certManager.certDuration=24h,certManager.caCertDuration=720h"

        pairs = {item["metadata"]["name"]: item["spec"] for item in of_kind(self.rendered("--set", short), "Certificate")}

        self.assertEqual({"weir-ca": "720h", "weir-serving": "24h"}, {name: spec["duration"] for name, spec in pairs.items()})
        self.assertEqual([], [name for name, spec in pairs.items() if "renewBefore" in spec])  # refused from the duration on

    def test_a_pod_has_time_for_its_delay_and_the_reads_in_flight(self):
        for delay, grace, least in (("15s", 44, 45), ("21s", 50, 51), ("1m", 50, 90), ("2m5s", 154, 155), ("0", 29, 30),
                                    ("08s", 37, 38)):
            with self.subTest(delay):
                short = self.install_error(*self.tls, "--set", f"terminationGracePeriodSeconds={grace}",
                                           "--set-string", f"shutdownDelay={delay}")
                self.rendered(*self.tls, "--set", f"terminationGracePeriodSeconds={least}",
                              "--set-string", f"shutdownDelay={delay}")

                self.assertIn(f"set it to at least {least}", short)
        for delay in ("", "s", "15", "1h", "5s1m"):
            with self.subTest(delay):
                self.assertIn("shutdownDelay", self.install_error(*self.tls, "--set-string", f"shutdownDelay={delay}"))

    def test_helm_lint_passes(self):
        run = self.helm("--strict", *self.tls, command="lint")

        self.assertEqual(0, run.returncode, run.stdout + run.stderr)
