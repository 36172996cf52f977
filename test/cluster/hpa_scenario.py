"""Each file of manifests/hpa, with load in the real backend: the HPA controller computes the replicas, and takes them back.

Only the windows of `behavior` and `freshness` are shortened, but where the SLO's objective is measured. The SLO's two tests are begun in
setUpClass, since they wait for a minute each: the others, before them in the alphabet, pass it.
"""
import calendar
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from case import SCALED_SECONDS, ClusterTest
from kube_api import ApiError
from objects import deployment
from slo import INCIDENTS, OBJECTIVE, RANGE_SECONDS, Scraped
from support import MissingTool, Series, metric_path, run_weir, wait_until, weir_binary
from support.certificates import ROOT
from support.manifests import documents

HPA = ROOT / "manifests" / "hpa"
AT_ONCE = {"stabilizationWindowSeconds": 0, "policies": [{"type": "Pods", "value": 1000, "periodSeconds": 1}]}
OBJECTIVE_SECONDS = 90  # from the first slow answer to the first new replica
HPAS = "/apis/autoscaling/v2/namespaces/{}/horizontalpodautoscalers"
LEAST, MOST = 3, 20  # replicas of the SLO's example
NUMBERS = 1_000_000


def history(name, value, back, ahead=150, step=5, **labels):
    """A series whose sample at `t` seconds from now is value(t), from `back` seconds ago until `ahead` in the future."""
    now = time.time()
    return Series({"__name__": name, **labels}, [(now + t, value(t)) for t in range(-back, ahead + 1, step)])


def latencies(slow_requests):
    """The histogram of one pod: ten requests a second below 0.1 s, and those that `slow_requests(t)` counts below 5 s."""
    buckets = {"0.1": 0, "0.5": 0, "5": 1, "+Inf": 1}
    return [history("inference_latency_seconds_bucket", lambda t, slow=slow: 10 * (t + 1000) + slow * slow_requests(t), 120,
                    job="inference", pod="a", le=le) for le, slow in buckets.items()]


class HpaScenario(ClusterTest):
    """All of them; and meanwhile the SLO's once more in a namespace that goes on being scraped, and in one for each way in
    which the scraping stops."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="weir-slo-")))
        cls.scraped = {namespace: cls.enterClassContext(Scraped(folder / namespace, queue_len=2))
                       for namespace in (OBJECTIVE, *(incident.namespace for incident in INCIDENTS))}
        cls.configure()
        cls.miss_the_objective()
        cls.stop_scraping()

    @classmethod
    def configure(cls):
        weir = cls.cluster.weir
        before = weir.config_file.read_text()
        for namespace in ("ml-inference", "bookmarkai-ml", *cls.scraped):
            cls.cluster.apply("-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "Namespace",
                                                           "metadata": {"name": namespace}}))
        weir.write_config(json.dumps(cls.merged(json.loads(before))))
        cls.addClassCleanup(weir.write_config, before)
        wait_until(cls.is_configured, "Weir has the configuration of the examples", 30)

    @classmethod
    def merged(cls, config):
        """The cluster's backends, which have the examples' names, and the examples' metrics; those of the SLO again, as they
        are, for each namespace of its own with a Prometheus of its own."""
        backends = config["backends"]
        login = {name: backends["broker"]["rabbitmq"][name] for name in ("username", "password")}
        backends["bookmarkai_broker"] = {"rabbitmq": {"url": cls.cluster.broker.management_url, **login}}
        files = {path.stem: documents(path.read_text())[0] for path in sorted((HPA / "weir").glob("*.yaml"))}
        metrics = [{**entry, "freshness": "1s"} for file in files.values() for entry in file.get("metrics", [])]
        for namespace, scraped in cls.scraped.items():
            backends[namespace] = {"prometheus": {"url": scraped.prometheus.url}}
            metrics += [{**entry, "namespaces": [namespace], "prometheus": {**entry["prometheus"], "backend": namespace}}
                        for entry in files["slo"]["metrics"]]
        return {"backends": backends, "metrics": metrics}

    @classmethod
    def miss_the_objective(cls):
        for scraped in cls.scraped.values():
            scraped.wait_scraped()
        for namespace in cls.scraped:
            cls.place("slo", None if namespace == OBJECTIVE else AT_ONCE, cls.addClassCleanup, namespace)
        wait_until(lambda: all(map(cls.is_active, cls.scraped)), "the SLO's HPAs are active", SCALED_SECONDS, 0.1)

        for scraped in cls.scraped.values():
            scraped.pod.slow_down()
        cls.slow_since = time.time()

    @classmethod
    def stop_scraping(cls):
        namespaces = [incident.namespace for incident in INCIDENTS]
        wait_until(lambda: all(count == MOST for count in cls.slo_replicas(*namespaces).values()),
                   f"the SLO's HPAs without windows make {MOST} replicas", SCALED_SECONDS, 0.1)
        for incident in INCIDENTS:
            incident.happen(cls.scraped[incident.namespace])

    @classmethod
    def is_active(cls, namespace):
        conditions = cls.cluster.api.get(HPAS.format(namespace) + "/inference").get("status", {}).get("conditions") or []
        return ("ScalingActive", "True") in [(condition["type"], condition["status"]) for condition in conditions]

    @classmethod
    def slo_replicas(cls, *namespaces):
        return {name: cls.cluster.api.get(f"/apis/apps/v1/namespaces/{name}/deployments/inference")["spec"]["replicas"]
                for name in namespaces}

    @classmethod
    def is_configured(cls):
        try:
            cls.cluster.api.get(metric_path("default", "cities"))
        except ApiError as error:
            return "not configured" not in error.text and error.status != 404
        return True

    @classmethod
    def place(cls, example, behavior, clean_up, namespace=None):
        """The HPAs of the file, each with a Deployment; without `behavior` and `namespace` they keep their own. The namespace."""
        hpas = documents((HPA / f"{example}.yaml").read_text())
        namespace = namespace or hpas[0]["metadata"]["namespace"]
        for hpa in hpas:
            hpa["metadata"]["namespace"] = namespace
            if behavior:
                hpa["spec"]["behavior"] = {"scaleUp": behavior, "scaleDown": behavior}
            name = hpa["spec"]["scaleTargetRef"]["name"]
            for group_version, resource, body in (
                    ("apps/v1", "deployments", deployment(name, max(1, hpa["spec"]["minReplicas"]))),
                    ("autoscaling/v2", "horizontalpodautoscalers", hpa)):
                path = f"/apis/{group_version}/namespaces/{namespace}/{resource}"
                cls.api.create(path, body)
                clean_up(cls.api.delete, f"{path}/{body['metadata']['name']}")
            cls.cluster.resource_metrics.use(namespace, cpu="10m", memory="8Mi")
        return namespace

    def apply(self, example):
        self.namespace = self.place(example, AT_ONCE, self.addCleanup)

    def queue(self, name, messages):
        self.cluster.broker.filled(name, messages)
        self.addCleanup(self.cluster.broker.delete, name)

    @classmethod
    def forget(cls):
        """Prometheus with nothing in it."""
        prometheus = cls.cluster.prometheus
        prometheus.stop()
        shutil.rmtree(prometheus.directory / "data")
        prometheus.start()

    @classmethod
    def write_history(cls, *series):
        """Prometheus with these series and no others."""
        cls.forget()
        cls.cluster.prometheus.remote_write(series)

    def tokens(self, per_minute):
        self.write_history(history("ml_tokens_processed_total", lambda t: per_minute / 60 * (t + 1000), 300, model="gpt-3.5-turbo"))

    def test_token_rate(self):
        self.tokens(per_minute=12_000)
        self.apply("token-rate")

        self.wait_replicas("ml-worker-deployment", 3)
        self.tokens(per_minute=0)
        self.wait_replicas("ml-worker-deployment", 1)

    def test_hybrid_scales_to_the_larger_demand(self):
        self.queue("inference_requests", 45)
        self.tokens(per_minute=12_000)
        self.apply("hybrid")

        self.wait_replicas("ml-worker-hybrid", 5)
        self.cluster.broker.get("inference_requests", 45)
        self.wait_replicas("ml-worker-hybrid", 3)
        self.tokens(per_minute=0)
        self.wait_replicas("ml-worker-hybrid", 1)

    def test_predictive(self):
        def depth(value):
            return history("rabbitmq_queue_messages", value, 1800, step=15, vhost="/", queue="batch_inference_requests")
        self.queue("batch_inference_requests", 0)
        self.write_history(depth(lambda t: 180 + t / 10))
        self.apply("predictive")

        self.wait_replicas("ml-inference-deployment", 3)  # 180 and 60 more in ten minutes
        self.write_history(depth(lambda t: 1 - t))
        self.wait_replicas("ml-inference-deployment", 1)  # far below zero, and zero is what counts

    def test_slo_treats_no_requests_as_zero(self):
        idle = [history("inference_latency_seconds_bucket", lambda t: 7, 120, job="inference", le=le)
                for le in ("1", "+Inf")]
        self.write_history(*idle, history("inference_queue_len", lambda t: 100, 60, job="inference"))
        self.apply("slo")

        self.wait_replicas("inference", 5)  # 100 jobs at 20 a replica, beside a p95 that is NaN
        self.assertRegex(self.describe("inference"), r'"inference_p95_seconds" \(target value\): +0 / 500m')

    def test_benthos_queue(self):
        self.queue("inference_requests", 120)
        self.apply("benthos-queue")

        self.wait_replicas("benthos-ml-worker", 3)
        self.cluster.broker.get("inference_requests", 120)
        self.wait_replicas("benthos-ml-worker", 1)

    def test_bookmarkai_workers(self):
        loads = {"llm-worker": ("ml.summarize", 22, 5), "whisper-worker": ("ml.transcribe", 5, 3),
                 "vector-worker": ("ml.embed", 41, 5)}
        for queue, messages, _ in loads.values():
            self.queue(queue, messages)
        self.apply("bookmarkai-workers")

        for worker, (_, _, replicas) in loads.items():
            self.wait_replicas(worker, replicas)
        for worker, (queue, messages, _) in loads.items():
            self.cluster.broker.get(queue, messages)
            self.wait_replicas(worker, 1)

    def test_ollama_list(self):
        self.cluster.redis.fill("RPUSH cities " + " ".join(map(str, range(35))))
        self.addCleanup(self.cluster.redis.command, "DEL", "cities")
        self.apply("ollama-list")

        self.wait_replicas("ollama", 4)
        self.cluster.redis.command("DEL", "cities")
        self.wait_replicas("ollama", 1)

    def test_scale_to_zero(self):
        self.queue("gpu_inference_requests", 0)
        self.apply("scale-to-zero")

        self.wait_replicas("gpu-ml-service", 0)
        self.cluster.broker.publish("gpu_inference_requests", 1)
        self.wait_replicas("gpu-ml-service", 1)
        self.cluster.broker.publish("gpu_inference_requests", 24)
        self.wait_replicas("gpu-ml-service", 3)
        self.cluster.broker.get("gpu_inference_requests", 25)
        self.wait_replicas("gpu-ml-service", 0)

    def test_with_its_own_behavior_the_slo_scales_up_within_its_objective(self):
        self.namespace = OBJECTIVE

        def first_step():
            events = self.api.get(f"/api/v1/namespaces/{OBJECTIVE}/events?fieldSelector=reason%3DSuccessfulRescale")["items"]
            return min(((event["firstTimestamp"], event["message"]) for event in events), default=None)
        remaining_seconds = self.slow_since + OBJECTIVE_SECONDS - time.time()

        at, message = self._wait("inference", first_step, "the first new replica", max(remaining_seconds, 1))

        took = calendar.timegm(time.strptime(at, "%Y-%m-%dT%H:%M:%SZ")) - self.slow_since
        print(f"the first new replica came {took:.0f} s after the first slow answer; its window is 60 s", flush=True)
        self.assertLess(took, OBJECTIVE_SECONDS)
        self.assertIn("New size: 5;", message)  # two pods, or half of three: the larger

    def test_without_scraping_the_slo_replicas_stay_and_the_hpa_has_the_reason(self):
        for incident in INCIDENTS:
            with self.subTest(incident.namespace):
                self.namespace = incident.namespace
                # Each of its other metrics asks for the least, and that is where the error keeps it from going.
                self.wait_failing("inference", "inference_p95_seconds: ", "the query matches no series",
                                  "; diagnosis: " + incident.causes["inference_p95_seconds"],
                                  seconds=RANGE_SECONDS + SCALED_SECONDS)
                self.assert_reason_is_shown(incident)
        namespaces = [incident.namespace for incident in INCIDENTS]
        self.wait_for_hpa_syncs()
        self.assertEqual(dict.fromkeys(namespaces, MOST), self.slo_replicas(*namespaces))

        for namespace in namespaces:
            self.scraped[namespace].resume()
        for namespace in namespaces:
            self.namespace = namespace
            self.wait_replicas("inference", LEAST)

    def assert_reason_is_shown(self, incident):
        """kubectl, `weir explain` and its endpoint."""
        described = self.describe("inference")
        for metric, cause in incident.causes.items():
            self.assertRegex(described, re.escape(metric) + ".*; diagnosis: " + re.escape(cause) + "\n")
            run = run_weir("explain", "--config", self.cluster.weir.config_file, f"{incident.namespace}/{metric}",
                           "--hpa", "inference", "--kubeconfig", self.cluster.kubeconfig)
            self.assertEqual((3, ""), (run.returncode, run.stderr), run.stdout)
            self.assertIn(f"diagnosis    {cause.partition('; weir explain lists ')[0]}\n", run.stdout)
            answer = self.api.get(metric_path(incident.namespace, metric) + "/explain")
            self.assertEqual(cause, answer["queries"][0]["diagnosis"]["cause"])


class QuantityScenario(ClusterTest):
    def test_a_table_and_a_million_random_numbers_keep_their_milli_value(self):
        program = Path(os.environ.get("WEIR_BUILD") or weir_binary().parent) / "test" / "weir_quantities"
        if not program.exists():
            raise MissingTool(f"{program} is not there: run ./dev cluster, which builds it")
        with subprocess.Popen([program, str(NUMBERS)], stdout=subprocess.PIPE) as numbers:
            run = subprocess.run([self.cluster.binaries.control_plane, "quantities"], stdin=numbers.stdout,
                                 capture_output=True, text=True, timeout=300)

        self.assertEqual(0, run.returncode, run.stdout + run.stderr)
        self.assertEqual(0, numbers.returncode)
        self.assertGreater(int(run.stdout.split()[0]), NUMBERS)
