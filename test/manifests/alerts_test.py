"""Alerts and dashboard: expressions that Prometheus takes, over series that Weir has, and that fire when they should."""
import json
import os
import re
import subprocess
import unittest

from support import ScriptedServer, ServerTest, Weir, config, metric, require, vector, wait_until
from support.certificates import ROOT
from support.manifests import build, copied_manifests, documents, find_object, of_kind
from support.promql import grouped_by, named_in

TARGET_LABELS = {"job", "pod", "le"}  # of the scrape, and of every histogram
# What the workloads of manifests/hpa expose, and Prometheus itself.
OTHERS = {"up": TARGET_LABELS, "inference_latency_seconds_bucket": {"job", "le"},
          "inference_latency_seconds_count": {"job"}, "inference_queue_len": {"job"}, "rabbitmq_queue_messages": {"queue"}, "rabbitmq_queue_consumers": {"queue"},
          "kube_deployment_status_replicas_available": {"namespace", "deployment"},
          "kube_deployment_spec_replicas": {"namespace", "deployment"}, "aggregator_unavailable_apiservice": {"name"},
          "kube_horizontalpodautoscaler_status_condition": {"namespace", "horizontalpodautoscaler", "condition", "status"},
          "kube_horizontalpodautoscaler_status_desired_replicas": {"namespace", "horizontalpodautoscaler"},
          "ml_tokens_processed_total": {"model"},
          # Of a backend with auth (integration/auth/tokens_test).
          "weir_backend_token_expiry_timestamp_seconds": {"backend", "job", "pod"}}

# alert -> (series that make it fire, series that do not, both as promtool's values per minute; its labels)
CASES = {
    "WeirAbsent": (['up{job="weir",pod="a"} 0x30'], ['up{job="weir",pod="a"} 1x30', 'up{job="weir",pod="b"} 0x30'],
                   {}),
    "WeirReadsFail": (['weir_queries_total{job="weir",backend="broker",metric="depth",namespace="ml",outcome="timed_out"} 0+60x30',
                       'weir_queries_total{job="weir",backend="broker",metric="depth",namespace="ml",outcome="ok"} 0+50x30',
                       'weir_queries_total{job="weir",backend="broker",metric="depth",namespace="ml",outcome="cached"} 0+999x30'],
                      ['weir_queries_total{job="weir",backend="broker",metric="depth",namespace="ml",outcome="timed_out"} 0+40x30',
                       'weir_queries_total{job="weir",backend="broker",metric="depth",namespace="ml",outcome="ok"} 0+50x30'],
                      {"backend": "broker", "metric": "depth", "namespace": "ml"}),
    # One of ten queues is missing, on one replica of two: the alert names it, and no other.
    "WeirMetricFails": (
        ['weir_metric_failing{job="weir",pod="a",backend="broker",code="unknown_object",labels="queue=ml.6",metric="depth",'
         'namespace="ml"} 1x30'],
        ['weir_metric_failing{job="weir",pod="a",backend="broker",code="unknown_object",labels="queue=ml.6",metric="depth",'
         'namespace="ml"} 1x23 stale'],
        {"backend": "broker", "labels": "queue=ml.6", "metric": "depth", "namespace": "ml"}),
    "WeirAnswersServerErrors": (
        ['apiserver_request_total{job="weir",group="external.metrics.k8s.io",code="503"} 0+2x30',
         'apiserver_request_total{job="weir",group="external.metrics.k8s.io",code="200"} 0+9x30'],
        ['apiserver_request_total{job="weir",group="external.metrics.k8s.io",code="404"} 0+9x30',
         'apiserver_request_total{job="weir",group="external.metrics.k8s.io",code="503"} 0+1x30',
         'apiserver_request_total{job="weir",group="external.metrics.k8s.io",code="200"} 0+9x30'], {}),
    "WeirValueStale": (['weir_value_age_seconds{job="weir",pod="a",namespace="ml",metric="depth"} 0+60x30',
                        'weir_value_age_seconds{job="weir",pod="b",namespace="ml",metric="depth"} 0+90x30',
                        'weir_queries_total{job="weir",backend="broker",metric="depth",namespace="ml",outcome="unreachable"} 0+4x30'],
                       ['weir_value_age_seconds{job="weir",pod="a",namespace="ml",metric="depth"} 5x30',
                        'weir_value_age_seconds{job="weir",pod="b",namespace="ml",metric="depth"} 0+90x30',
                        'weir_queries_total{job="weir",backend="broker",metric="depth",namespace="ml",outcome="ok"} 0+4x30',
                        # One of two parameter sets is as old: it may be that of an HPA that was deleted.
                        'weir_value_age_seconds{job="weir",pod="a",namespace="ml",metric="sets",label_queue="a"} 0+60x30',
                        'weir_value_age_seconds{job="weir",pod="a",namespace="ml",metric="sets",label_queue="b"} 5x30',
                        'weir_queries_total{job="weir",backend="broker",metric="sets",namespace="ml",outcome="ok"} 0+4x30',
                        'weir_value_age_seconds{job="weir",pod="a",namespace="ml",metric="unasked"} 0+60x30',
                        'weir_queries_total{job="weir",backend="broker",metric="unasked",namespace="ml",outcome="ok"} 7x30'],
                       {"namespace": "ml", "metric": "depth"}),
    "WeirConfigInvalid": (['weir_config_last_reload_successful{job="weir",pod="a"} 0x30'],
                          ['weir_config_last_reload_successful{job="weir",pod="a"} 1x30'], {"pod": "a"}),
    "WeirCertificateExpires": (['weir_certificate_expiry_timestamp_seconds{job="weir",which="serving"} 500000x30'],
                               ['weir_certificate_expiry_timestamp_seconds{job="weir",which="serving"} 700000x30'],
                               {"which": "serving"}),
    "WeirCertificateExpiresWithinADay": (
        ['weir_certificate_expiry_timestamp_seconds{job="weir",which="serving"} 80000x30'],
        ['weir_certificate_expiry_timestamp_seconds{job="weir",which="serving"} 500000x30'], {"which": "serving"}),
    "WeirHandshakesFail": (['apiserver_tls_handshake_errors_total{job="weir",pod="a"} 0+10x30'],
                           ['apiserver_tls_handshake_errors_total{job="weir",pod="a"} 0+1x30'], {"pod": "a"}),
    "WeirBackendSlow": (['weir_query_duration_seconds_bucket{job="weir",backend="prom",le="1"} 0+10x30',
                         'weir_query_duration_seconds_bucket{job="weir",backend="prom",le="2.5"} 0+60x30',
                         'weir_query_duration_seconds_bucket{job="weir",backend="prom",le="+Inf"} 0+60x30'],
                        ['weir_query_duration_seconds_bucket{job="weir",backend="prom",le="1"} 0+60x30',
                         'weir_query_duration_seconds_bucket{job="weir",backend="prom",le="+Inf"} 0+60x30'],
                        {"backend": "prom"}),
    "WeirBackendDown": (['weir_backend_up{job="weir",pod="a",backend="broker"} 0x30',
                         'weir_backend_up{job="weir",pod="b",backend="broker"} 1x30'],
                        # Down, and a replica that gets no reads any more does not know.
                        ['weir_backend_up{job="weir",pod="a",backend="broker"} 1x30',
                         'weir_backend_up{job="weir",pod="b",backend="broker"} 0x22 stale'], {"backend": "broker"}),
    "WeirFallbackInUse": (['weir_fallback_total{job="weir",backend="broker",metric="depth",namespace="ml"} 0+4x30'],
                          ['weir_fallback_total{job="weir",backend="broker",metric="depth",namespace="ml"} 9x30'],
                          {"backend": "broker", "metric": "depth", "namespace": "ml"}),
    "WeirOverloaded": (
        ['weir_queries_total{job="weir",backend="broker",metric="depth",namespace="ml",outcome="overloaded"} 0+4x30'],
        ['weir_queries_total{job="weir",backend="broker",metric="depth",namespace="ml",outcome="overloaded"} 4x30'],
        {"backend": "broker", "namespace": "ml"}),
    "WeirOneReplicaLeft": (
        ['kube_deployment_status_replicas_available{namespace="weir-system",deployment="weir"} 1x30',
         'kube_deployment_spec_replicas{namespace="weir-system",deployment="weir"} 2x30'],
        ['kube_deployment_status_replicas_available{namespace="weir-system",deployment="weir"} 1x30',
         'kube_deployment_spec_replicas{namespace="weir-system",deployment="weir"} 1x30',
         'kube_deployment_status_replicas_available{namespace="shop",deployment="web"} 1x30',
         'kube_deployment_spec_replicas{namespace="shop",deployment="web"} 2x30'],
        {"namespace": "weir-system", "deployment": "weir"}),
    "WeirApiServiceUnavailable": (['aggregator_unavailable_apiservice{name="v1beta1.external.metrics.k8s.io"} 1x30'],
                                  ['aggregator_unavailable_apiservice{name="v1beta1.external.metrics.k8s.io"} 0x30',
                                   'aggregator_unavailable_apiservice{name="v1beta1.metrics.k8s.io"} 1x30'],
                                  {"name": "v1beta1.external.metrics.k8s.io"}),
    "HpaNotScaling": (
        ['kube_horizontalpodautoscaler_status_condition{namespace="ml",horizontalpodautoscaler="web",'
         'condition="ScalingActive",status="false"} 1x30',
         'kube_horizontalpodautoscaler_status_desired_replicas{namespace="ml",horizontalpodautoscaler="web"} 3x30'],
        ['kube_horizontalpodautoscaler_status_condition{namespace="ml",horizontalpodautoscaler="web",'
         'condition="ScalingActive",status="false"} 1x30',
         'kube_horizontalpodautoscaler_status_desired_replicas{namespace="ml",horizontalpodautoscaler="web"} 0x30',
         'kube_horizontalpodautoscaler_status_condition{namespace="ml",horizontalpodautoscaler="api",'
         'condition="ScalingActive",status="false"} 0x30',
         'kube_horizontalpodautoscaler_status_desired_replicas{namespace="ml",horizontalpodautoscaler="api"} 3x30'],
        {"namespace": "ml", "horizontalpodautoscaler": "web"}),
    "WeirCredentialsRefused": (['weir_backend_credentials_refused{job="weir",pod="a",backend="broker"} 1x30'],
                               ['weir_backend_credentials_refused{job="weir",pod="a",backend="broker"} 0x30',
                                'weir_backend_credentials_refused{job="weir",pod="b",backend="broker"} 1x22 stale'],
                               {"backend": "broker"}),
    "WeirTokenNotRenewed": (['weir_backend_credentials_refused{job="weir",pod="a",backend="prom"} 1x30',
                             'weir_backend_token_expiry_timestamp_seconds{job="weir",pod="a",backend="prom"} 3600x30'],
                            # Refused, and it has expired already; refused without a token; renewed.
                            ['weir_backend_credentials_refused{job="weir",pod="a",backend="prom"} 1x30',
                             'weir_backend_token_expiry_timestamp_seconds{job="weir",pod="a",backend="prom"} 600x30',
                             'weir_backend_credentials_refused{job="weir",pod="a",backend="broker"} 1x30',
                             'weir_backend_credentials_refused{job="weir",pod="b",backend="prom"} 0x30',
                             'weir_backend_token_expiry_timestamp_seconds{job="weir",pod="b",backend="prom"} 3600x30'],
                            {"backend": "prom"}),
    "WeirConfigFileSkipped": (['weir_config_file_skipped{job="weir",pod="a",file="team-a.yaml"} 1x30'],
                              ['weir_config_file_skipped{job="weir",pod="a",file="team-a.yaml"} 0x30'],
                              {"file": "team-a.yaml"}),
    "InferenceLatencyHigh": (['inference_latency_seconds_bucket{job="inference",le="1"} 0+1x30',
                              'inference_latency_seconds_bucket{job="inference",le="5"} 0+60x30',
                              'inference_latency_seconds_bucket{job="inference",le="+Inf"} 0+60x30'],
                             ['inference_latency_seconds_bucket{job="inference",le="1"} 0+60x30',
                              'inference_latency_seconds_bucket{job="inference",le="+Inf"} 0+60x30'], {}),
    "InferenceQueueLong": (['inference_queue_len{job="inference",pod="a"} 50x30',
                            'inference_queue_len{job="inference",pod="b"} 20x30'],
                           ['inference_queue_len{job="inference",pod="a"} 50x30',
                            'inference_queue_len{job="inference",pod="b"} 5x30'], {}),
    "InferenceNotScraped": (['inference_latency_seconds_count{job="other"} 1x30'],
                            ['inference_latency_seconds_count{job="inference"} 1x30'], {"job": "inference"}),
    "QueueWaitsWithoutConsumers": (['rabbitmq_queue_messages{queue="ml.embed"} 3x30',
                                    'rabbitmq_queue_consumers{queue="ml.embed"} 0x30'],
                                   ['rabbitmq_queue_messages{queue="ml.embed"} 3x30',
                                    'rabbitmq_queue_consumers{queue="ml.embed"} 1x30',
                                    'rabbitmq_queue_messages{queue="ml.summarize"} 0x30'], {"queue": "ml.embed"}),
    "TokensStopped": (['ml_tokens_processed_total{model="gpt"} 7x30',
                       'rabbitmq_queue_messages{queue="inference_requests"} 3x30'],
                      ['ml_tokens_processed_total{model="gpt"} 7x30',
                       'rabbitmq_queue_messages{queue="inference_requests"} 0x30'], {"model": "gpt"}),
}


def anchor_of(heading):
    """As GitHub and GitLab make it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def groups_of(objects):
    return [group for item in of_kind(objects, "PrometheusRule") for group in item["spec"]["groups"]]


def last_sentence(rule):
    """What an alert says of the backend, or of its absence."""
    return rule["annotations"]["description"][rule["annotations"]["description"].index("{{ with "):]


def labels_text(labels):
    return ",".join(f'{name}="{value}"' for name, value in labels.items())


def parsed(series):
    text, values = series.rsplit(" ", 1)
    return {"series": text, "values": values}


class AlertsTest(ServerTest):
    @classmethod
    def setUpClass(cls):
        manifests = copied_manifests(cls.new_folder())
        objects = build(manifests / "overlays" / "prod")
        cls.shipped = groups_of(objects)
        with_workloads = cls.new_folder()
        # kustomize takes relative paths alone.
        (with_workloads / "kustomization.yaml").write_text(json.dumps({"components": [
            os.path.relpath(manifests / "components" / name, with_workloads) for name in ("prometheus-rule", "workload-alerts")]}))
        cls.groups = groups_of(build(with_workloads))
        cls.rules = {rule["alert"]: rule for group in cls.groups for rule in group["rules"]}
        cls.dashboard = json.loads(find_object(objects, "ConfigMap", "weir-dashboard")["data"]["weir.json"])
        cls.live = cls.live_series()

    @classmethod
    def live_series(cls):
        """name -> labels of every series on the page of a Weir that has answered, well and not."""
        backend = cls.start(ScriptedServer(lambda turn: turn.answer(vector(42) if "depth" in (turn.request.query or "") else vector())))
        weir = cls.start(Weir(cls.new_folder() / "weir", config(
            backend.url, metric("depth", "depth"), metric("held", "gone", fallback={"after": "1ms", "value": 5}))))
        for namespace in ("ml-inference", "other"):
            weir.metric(namespace, "depth")
        wait_until(lambda: weir.metric("ml-inference", "held").status == 200, "the fallback is in use")
        out = {}
        for line in weir.get("/metrics", {"X-Remote-User": "prometheus"}).text.splitlines():
            if not line.startswith("#"):
                name, labels = re.match(r"([\w:]+)(?:\{(.*)\})? ", line).groups()
                out.setdefault(name, set()).update(re.findall(r'(\w+)="', labels or ""))
        return out

    def test_no_overlay_has_alerts_of_workloads(self):
        workloads = {"InferenceLatencyHigh", "InferenceQueueLong", "InferenceNotScraped", "QueueWaitsWithoutConsumers", "TokensStopped"}

        self.assertEqual(workloads, self.rules.keys() - {rule["alert"] for group in self.shipped for rule in group["rules"]})

    def test_prometheus_accepts_the_rules(self):
        run = self.promtool("check", "rules", self.rule_file(self.groups))

        self.assertEqual(0, run.returncode, run.stdout + run.stderr)

    def test_every_alert_fires_only_when_it_should(self):
        self.assertEqual(set(CASES), set(self.rules))
        cases = [(alert, series, [{"exp_labels": {**labels, **self.rules[alert]["labels"]}}])
                 for alert, (series, _, labels) in CASES.items()]
        cases += [(alert, series, []) for alert, (_, series, _) in CASES.items()]
        bare = [{**group, "rules": [{k: v for k, v in rule.items() if k != "annotations"} for rule in group["rules"]]}
                for group in self.groups]
        tests = {"rule_files": [str(self.rule_file(bare))], "evaluation_interval": "1m", "tests": [
            {"interval": "1m", "input_series": [parsed(line) for line in series],
             "alert_rule_test": [{"eval_time": "25m", "alertname": alert, "exp_alerts": expected}]}
            for alert, series, expected in cases]}
        file = self.folder() / "tests.json"
        file.write_text(json.dumps(tests))

        run = self.promtool("test", "rules", file)

        self.assertEqual(0, run.returncode, run.stdout + run.stderr)

    def test_the_alert_on_the_value_of_a_queue_fires_for_that_queue(self):
        block, = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "telemetry.md").read_text(), re.S)
        rule, = documents(block)[0]
        del rule["annotations"]
        series = []
        for pod, queue, value, age in (("a", "mail", "2000x30", "5x30"), ("b", "mail", "7x30", "5x30"),
                                       ("a", "short", "7x30", "5x30"),
                                       # Read by another replica since, and by nobody.
                                       ("b", "short", "3000x30", "0+60x30"), ("a", "gone", "3000x30", "0+60x30")):
            labels = f'{{job="weir",pod="{pod}",namespace="ml",metric="queue_depth",label_queue="{queue}"}}'
            series += [f"weir_value{labels} {value}", f"weir_value_age_seconds{labels} {age}"]
        fires = {"exp_labels": {"severity": "warning", "namespace": "ml", "metric": "queue_depth", "label_queue": "mail"}}
        file = self.folder() / "tests.json"
        file.write_text(json.dumps({
            "rule_files": [str(self.rule_file([{"name": "docs", "rules": [rule]}]))], "evaluation_interval": "1m",
            "tests": [{"interval": "1m", "input_series": [parsed(line) for line in series],
                       "alert_rule_test": [{"eval_time": "25m", "alertname": "QueueLong", "exp_alerts": [fires]}]}]}))

        run = self.promtool("test", "rules", file)

        self.assertEqual(0, run.returncode, run.stdout + run.stderr)

    def test_a_failing_metric_fires_once_whatever_its_code_is(self):
        """The code changes with each read, as at a server that is now slow and now gone."""
        known = {"backend": "broker", "metric": "depth", "namespace": "ml", "labels": "queue=a"}
        series = [{"series": f'weir_metric_failing{{job="weir",code="{code}",{labels_text(known)}}}', "values": values}
                  for code, values in (("timed_out", " ".join(["1", "stale"] * 15)), ("unreachable", " ".join(["stale", "1"] * 15)))]
        rule = {name: value for name, value in self.rules["WeirMetricFails"].items() if name != "annotations"}
        tests = {"rule_files": [str(self.rule_file([{"name": "one", "rules": [rule]}]))], "evaluation_interval": "1m", "tests": [
            {"interval": "1m", "input_series": series, "alert_rule_test": [
                {"eval_time": f"{minute}m", "alertname": "WeirMetricFails", "exp_alerts": [{"exp_labels": {**known, **rule["labels"]}}]}
                for minute in (5, 6, 7)]}]}
        file = self.folder() / "tests.json"
        file.write_text(json.dumps(tests))

        run = self.promtool("test", "rules", file)

        self.assertEqual(0, run.returncode, run.stdout + run.stderr)

    def test_a_metric_of_a_skipped_file_has_no_backend_to_name(self):
        known = {"metric": "depth", "namespace": "ml", "labels": "queue=a"}
        failing = [{"labels": {**known, "backend": backend}, "annotations": {"said": said}}
                   for backend, said in (("broker", "Backend broker."),
                                         ("", "Its configuration file is skipped (WeirConfigFileSkipped)."))]
        rule = {**self.rules["WeirMetricFails"], "annotations": {"said": last_sentence(self.rules["WeirMetricFails"])}}
        self.assertEqual(last_sentence(self.rules["WeirReadsFail"]), rule["annotations"]["said"])
        series = [{"series": f'weir_metric_failing{{job="weir",{labels_text(one["labels"])}}}', "values": "1x30"} for one in failing]
        tests = {"rule_files": [str(self.rule_file([{"name": "one", "rules": [rule]}]))], "evaluation_interval": "1m", "tests": [
            {"interval": "1m", "input_series": series, "alert_rule_test": [{
                "eval_time": "25m", "alertname": rule["alert"],
                "exp_alerts": [{"exp_labels": {**{name: value for name, value in one["labels"].items() if value}, **rule["labels"]},
                                "exp_annotations": one["annotations"]} for one in failing]}]}]}
        file = self.folder() / "tests.json"
        file.write_text(json.dumps(tests))

        run = self.promtool("test", "rules", file)

        self.assertEqual(0, run.returncode, run.stdout + run.stderr)

    def test_annotations_use_labels_that_the_alert_has(self):
        for alert, rule in self.rules.items():
            used_labels = set(re.findall(r"\$labels\.(\w+)", " ".join(rule["annotations"].values())))
            with self.subTest(alert):
                self.assertLessEqual(used_labels, CASES[alert][2].keys())
                self.assertEqual({"summary", "description", "runbook_url"}, rule["annotations"].keys())

    def test_every_alert_has_a_heading_that_says_what_to_do(self):
        page = ROOT / "docs" / "known-issues" / "alerts.md"
        headings = re.findall(r"^## (\w+)$", page.read_text(), re.M)

        self.assertEqual(set(self.rules), set(headings))
        for alert, rule in self.rules.items():
            self.assertEqual(f"docs/known-issues/alerts.md#{alert.lower()}", rule["annotations"]["runbook_url"])

    def test_every_link_of_the_known_issues_leads_to_a_heading(self):
        index = ROOT / "docs" / "known-issues.md"
        pages = {page.name: {anchor_of(heading) for heading in re.findall(r"^##? (.+)$", page.read_text(), re.M)}
                 for page in index.with_suffix("").glob("*.md")}
        links = re.findall(r"\]\(known-issues/([\w-]+\.md)(?:#([^)]+))?\)", index.read_text())

        for page in pages:
            text = (index.with_suffix("") / page).read_text()
            links += [(target or page, anchor) for target, anchor in re.findall(r"\]\(([\w-]+\.md)?(?:#([\w-]+))?\)", text)]
        self.assertGreater(len(links), 80)
        for page, anchor in links:
            with self.subTest(page, anchor=anchor):
                self.assertTrue(not anchor or anchor in pages[page])

    def test_every_series_exists_with_the_labels_of_the_expressions(self):
        known_series = {**{name: labels | TARGET_LABELS for name, labels in self.live.items()}, **OTHERS}
        expressions = {alert: rule["expr"] for alert, rule in self.rules.items()}
        expressions |= {panel["title"]: target["expr"] for panel in self.dashboard["panels"] for target in panel["targets"]}
        for title, expression in expressions.items():
            with self.subTest(title):
                series_names = named_in(expression)
                self.assertTrue(series_names)
                for name, labels in series_names.items():
                    self.assertIn(name, known_series)
                    self.assertLessEqual(labels, known_series[name])
                self.assertLessEqual(grouped_by(expression), set().union(*(known_series[name] for name in series_names)))

    def test_prometheus_accepts_the_dashboards_expressions(self):
        rules = [{"record": f"panel_{panel['id']}", "expr": target["expr"].replace("$__rate_interval", "5m")}
                 for panel in self.dashboard["panels"] for target in panel["targets"]]

        run = self.promtool("check", "rules", self.rule_file([{"name": "panels", "rules": rules}]))

        self.assertEqual(0, run.returncode, run.stdout + run.stderr)

    def test_panels_have_distinct_names_and_do_not_overlap(self):
        panels = self.dashboard["panels"]

        self.assertEqual(len(panels), len({panel["title"] for panel in panels}))
        cells = [(x, y) for panel in panels for p in [panel["gridPos"]]
                 for x in range(p["x"], p["x"] + p["w"]) for y in range(p["y"], p["y"] + p["h"])]
        self.assertEqual(len(cells), len(set(cells)))
        self.assertLess(max(x for x, _ in cells), 24)

    def rule_file(self, groups):
        file = self.folder() / "rules.json"
        file.write_text(json.dumps({"groups": groups}))
        return file

    def promtool(self, *arguments):
        return subprocess.run([require("promtool", "prometheus"), *map(str, arguments)], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=60)


if __name__ == "__main__":
    unittest.main()
