"""Every HPA of manifests/hpa uses metrics that its configuration serves, with a target that becomes stable."""
import re
import shutil
import unittest

from support import ServerTest, Weir, free_port, run_weir
from support.certificates import ROOT
from support.manifests import build, copied_manifests, documents, find_object, of_kind, placed_config

HPA = ROOT / "manifests" / "hpa"
BACKENDS = "backends.yaml"


def objects_of(path):
    return documents(path.read_text())


def all_hpas():
    return [item for path in sorted(HPA.glob("*.yaml")) for item in objects_of(path)]


def externals(hpa):
    return [metric["external"] for metric in hpa["spec"]["metrics"] if metric["type"] == "External"]


def sources():
    return {path.name: path.read_text() for path in sorted((HPA / "weir").glob("*.yaml"))}


def metrics():
    """name -> entry, of the whole configuration."""
    return {metric["name"]: metric for text in sources().values() for metric in documents(text)[0].get("metrics", [])}


class HpaTest(ServerTest):
    def test_the_files_contain_only_hpas_and_no_two_for_a_workload(self):
        hpas = all_hpas()

        self.assertEqual({("autoscaling/v2", "HorizontalPodAutoscaler")}, {(h["apiVersion"], h["kind"]) for h in hpas})
        targets = [(h["metadata"]["namespace"], h["spec"]["scaleTargetRef"]["name"]) for h in hpas]
        self.assertEqual(11, len(targets))
        self.assertEqual(len(targets), len(set(targets)), targets)

    def test_every_example_has_its_configuration(self):
        examples = {path.name for path in HPA.glob("*.yaml")}

        self.assertEqual(examples - {"hybrid.yaml"} | {BACKENDS}, set(sources()))

    def test_each_configuration_is_valid_with_only_the_backends_and_with_all_others(self):
        every = sources()
        for name in every:
            with self.subTest(name):
                self.check({BACKENDS: every[BACKENDS], name: every[name]})
        self.check(every)

    def test_an_invalid_configuration_is_detected(self):
        broken = {**sources(), "broken.yaml": "metrics: [{name: x, namespaces: [a], redis: {backend: cash, key: x}}]\n"}

        with self.assertRaisesRegex(AssertionError, 'cash'):
            self.check(broken)

    def test_every_metric_is_used_and_served(self):
        folder = self.folder()
        closed_address = f"127.0.0.1:{free_port()}"
        unreachable = {name: re.sub(r"(amqp|http|redis)://[^/\s}\"]+", rf"\1://{closed_address}", text)
                       for name, text in sources().items()}
        flags = ["--config", placed_config(unreachable, folder)]
        weir = self.start_in_test(Weir(folder / "weir", "metrics: []\n", flags=flags))
        read_metrics = set()
        for hpa in all_hpas():
            for external in externals(hpa):
                name, labels = external["metric"]["name"], external["metric"].get("selector", {}).get("matchLabels", {})
                read_metrics.add(name)
                with self.subTest(hpa=hpa["metadata"]["name"], metric=name):
                    selector = ",".join(f"{key}={value}" for key, value in labels.items())

                    answer = weir.metric(hpa["metadata"]["namespace"], name, selector or None)

                    if not self.has_backend(name):
                        self.assertEqual(200, answer.status, answer.text)
                        continue
                    # Neither 404 (no such metric for this namespace) nor 400 (a selector that it refuses).
                    self.assertEqual(503, answer.status, answer.text)
                    self.assertIn("cannot connect", self.message_of(answer))
        self.assertEqual(set(metrics()), read_metrics)

    def test_averages_and_quantiles_have_a_target_of_type_value(self):
        for hpa in all_hpas():
            for external in externals(hpa):
                query = metrics()[external["metric"]["name"]].get("prometheus", {}).get("query", "")
                with self.subTest(hpa=hpa["metadata"]["name"], query=query):
                    is_shared = not re.search(r"\b(histogram_quantile|avg)\b", query)
                    self.assertEqual("AverageValue" if is_shared else "Value", external["target"]["type"])

    def test_only_the_scale_to_zero_example_scales_to_zero(self):
        zero = [h["metadata"]["name"] for h in all_hpas() if h["spec"]["minReplicas"] == 0]

        self.assertEqual(["gpu-ml-service"], zero)

    def test_the_pages_overlay_has_its_own_configuration_instead_of_the_bases(self):
        """So that an apply, whatever it is for, never empties the configuration that is in force."""
        copy, = re.findall(r"^cp -r (\S+) (\S+)$", (HPA / "README.md").read_text(), re.M)
        folder = self.folder()
        base = build(copied_manifests(folder) / "base")
        shutil.copytree(*(folder / path for path in copy))

        objects = build(folder / copy[1])

        self.assertEqual({"weir-config": sources()},
                         {item["metadata"]["name"]: item["data"] for item in of_kind(objects, "ConfigMap")})
        self.assertEqual(*([item for item in built if item["kind"] != "ConfigMap"] for built in (base, objects)))

    def test_the_overlay_builds_on_every_other_overlay_and_on_cert_manager_alone(self):
        manifests = copied_manifests(self.folder())
        page = (ROOT / "manifests" / "README.md").read_text()
        alone = re.search(r"an\s+overlay is `(resources: \[\S+\])` and `(components: \[\S+\])`", page).groups()
        for number, stands_on in enumerate((("resources: [../staging]",), ("resources: [../prod]",), alone)):
            with self.subTest(stands_on):
                own = manifests / "overlays" / f"own-{number}"
                shutil.copytree(HPA / "weir", own)
                text = (own / "Kustomization").read_text()
                (own / "Kustomization").write_text(text.replace("resources:\n  - ../../base", "\n".join(stands_on)))

                objects = build(own)

                self.assertEqual(sources(), find_object(objects, "ConfigMap", "weir-config")["data"])
                self.assertTrue(of_kind(objects, "Certificate"))
        self.assertEqual([], of_kind(objects, "ServiceMonitor") + of_kind(objects, "PrometheusRule"))  # with it alone

    def test_the_page_labels_the_namespace_of_every_broker(self):
        label, = re.findall(r"^kubectl label namespace (.*) weir\.backend=true", (HPA / "README.md").read_text(), re.M)
        hosts = re.findall(r"(?:amqp|redis)://[\w-]+\.([\w-]+)|http://rabbitmq\.([\w-]+)", sources()[BACKENDS])

        self.assertEqual({amqp or http for amqp, http in hosts}, set(label.split()))

    def test_the_secret_of_the_page_has_every_credential(self):
        named_files = set(re.findall(r"/etc/weir/backends/([\w-]+)", sources()[BACKENDS]))
        listed_files = set(re.findall(r"--from-file=([\w-]+)(?=\s)", (HPA / "README.md").read_text()))

        self.assertEqual(named_files, listed_files)

    def test_a_pipeline_without_secrets_checks_the_folder_as_it_is(self):
        run = run_weir("check", "--no-credentials", HPA / "weir")

        self.assertEqual((0, ""), (run.returncode, run.stderr), run.stdout)

    def has_backend(self, name):
        return any("backend" in block for block in metrics()[name].values() if isinstance(block, dict))

    def check(self, files):
        run = run_weir("check", placed_config(files, self.folder()))
        self.assertEqual((0, ""), (run.returncode, run.stderr), run.stdout)


if __name__ == "__main__":
    unittest.main()
