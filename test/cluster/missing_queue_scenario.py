"""One queue is missing for a minute among nine that are not: kubectl describe hpa, weir explain, the log, and the alert."""
import json
import re
import tempfile
from pathlib import Path

from case import ClusterTest
from objects import external
from support import Prometheus, metric_path, run_weir, wait_until
from support.certificates import ROOT
from support.manifests import documents

QUEUES = [f"ml.{n}" for n in range(10)]
MISSING = QUEUES[6]
TARGET = 5
KEPT = 2
ALERT_SECONDS = 120  # `for` of the alert is a minute
CAUSE = 'the user sees 9 queues in vhost "/"; weir explain lists 3 similar names'
REASON = f'rabbitmq management: queue "{MISSING}" does not exist in vhost "/"; diagnosis: {CAUSE}'
COMPONENTS = ROOT / "manifests" / "components"


def hpa_of(queue):
    return queue.replace(".", "-")


class MissingQueueScenario(ClusterTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="weir-missing-queue-")))
        cls.prometheus = cls.enterClassContext(cls.scraping_prometheus())

    @classmethod
    def scraping_prometheus(cls):
        """It scrapes Weir as the ServiceMonitor says, with its own account's token, and has the alerts of the component."""
        account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "prometheus-k8s", "namespace": "monitoring"}}
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "monitoring"}}
        cls.cluster.apply("-f", "-", stdin=f"{json.dumps(namespace)}\n---\n{json.dumps(account)}")
        cls.cluster.apply("-f", COMPONENTS / "service-monitor" / "rbac.yaml")
        token = cls.folder / "token"
        token.write_text(cls.cluster.control_plane.token("monitoring", "prometheus-k8s"))
        rules = cls.folder / "rules.json"
        rules.write_text(json.dumps(documents((COMPONENTS / "prometheus-rule" / "weir.yaml").read_text())[0]["spec"]))
        job = {"scheme": "https", "honor_labels": True, "authorization": {"credentials_file": str(token)},
               "tls_config": {"ca_file": str(cls.cluster.certificates.crt("ca")), "server_name": "weir.weir-system.svc"},
               "static_configs": [{"targets": [f"127.0.0.1:{cls.cluster.weir.port}"]}]}
        return Prometheus(cls.folder / "prometheus", scrape={"weir": job}, rules=[rules])

    def test_every_place_names_the_queue_and_the_nine_others_scale(self):
        for n, queue in enumerate(QUEUES):
            if queue != MISSING:
                self.cluster.broker.filled(queue, TARGET * (n + 1))
            self.scaled(hpa_of(queue), [external("managed_depth", TARGET, {"queue": queue})], replicas=KEPT)
        self.wait_failing(hpa_of(MISSING), REASON)

        # By then the queue has been missing for a minute.
        [alert] = wait_until(self.alerts, "the alert of the missing queue fires", ALERT_SECONDS, 0.5)

        self.assertEqual(("WeirMetricFails", "managed_depth", f"queue={MISSING}", "management"),
                         tuple(alert["labels"][name] for name in ("alertname", "metric", "labels", "backend")))
        self.assert_described()
        self.assert_explained()
        [line] = self.log_lines("metric_failing")
        for text in (f'labels="queue={MISSING}"', 'code="unknown_object"', "does not exist in vhost", f'diagnosis="{escaped(CAUSE)}"'):
            self.assertIn(text, line)
        for n, queue in enumerate(QUEUES):
            if queue != MISSING:
                self.assertEqual("True", self.condition(hpa_of(queue))["status"])
                self.wait_replicas(hpa_of(queue), n + 1)
        self.assert_replicas_stay(hpa_of(MISSING), KEPT)

        self.cluster.broker.filled(MISSING, TARGET * 7)

        self.wait_replicas(hpa_of(MISSING), 7)
        self.assertEqual(1, len(self.log_lines("metric_recovered")))
        wait_until(lambda: not self.alerts(), "the alert ends", 30)

    def alerts(self):
        return [alert for alert in self.prometheus.firing_alerts() if alert["labels"].get("namespace") == self.namespace]

    def log_lines(self, event):
        return [line for line in self.cluster.weir.process.log.read_text().splitlines()
                if f"] {event} " in line and f'namespace="{self.namespace}"' in line]

    def assert_described(self):
        """One condition and one event of each kind have the whole reason; no HPA beside has a warning."""
        conditions, events = self.describe(hpa_of(MISSING)).split("Events:")
        self.assertRegex(conditions, rf'ScalingActive +False +FailedGetExternalMetric .*{re.escape(REASON)}\n')
        self.assertRegex(conditions, r'"managed_depth" \(target average value\): +<unknown> / 5\n')
        for reason in ("FailedGetExternalMetric", "FailedComputeMetricsReplicas"):
            lines = [line for line in events.splitlines() if f" {reason} " in line and line.endswith(REASON)]
            self.assertEqual(1, len(lines), events)
            self.assertRegex(lines[0], r"\(x\d+ over \w+\)")  # one event with a count, not one a sync
        for queue in QUEUES:
            if queue != MISSING:
                self.assertNotIn("Warning", self.describe(hpa_of(queue)))

    def assert_explained(self):
        run = run_weir("explain", "--config", self.cluster.weir.config_file, f"{self.namespace}/managed_depth", "--hpa",
                       hpa_of(MISSING), "--kubeconfig", self.cluster.kubeconfig)
        self.assertEqual((3, ""), (run.returncode, run.stderr), run.stdout)
        self.assertIn("diagnosis    the user sees 9 queues", run.stdout)
        path = metric_path(self.namespace, "managed_depth", f"queue={MISSING}").replace("?", "/explain?")
        self.assertIn(CAUSE.partition(";")[0], self.api.get(path)["queries"][0]["diagnosis"]["cause"])


def escaped(text):
    return text.replace('"', '\\"')
