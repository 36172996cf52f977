"""Each file of manifests/hpa, with load in the real backend: the HPA controller computes the replicas, and takes them back.

Only the windows of `behavior` are shortened, but for the one test that is about them.
"""
import calendar
import json
import shutil
import time
import urllib.parse

from case import ClusterTest
from kube_api import ApiError
from objects import deployment
from support import Series, metric_path, wait_until
from support.certificates import ROOT
from support.manifests import documents

HPA = ROOT / "manifests" / "hpa"
AT_ONCE = {"stabilizationWindowSeconds": 0, "policies": [{"type": "Pods", "value": 1000, "periodSeconds": 1}]}
OBJECTIVE_SECONDS = 90  # from the first slow answer to the first new replica
NO_SERIES = "the query matches no series"


def history(name, value, back, ahead=150, step=5, **labels):
    """A series whose sample at `t` seconds from now is value(t), from `back` seconds ago until `ahead` in the future."""
    now = time.time()
    return Series({"__name__": name, **labels}, [(now + t, value(t)) for t in range(-back, ahead + 1, step)])


def latencies(slow_requests):
    """The histogram of one pod: ten requests a second below 0.1 s, and those that `slow_requests(t)` counts below 5 s."""
    buckets = {"0.1": 0, "0.5": 0, "5": 1, "+Inf": 1}
    return [history("inference_latency_seconds_bucket", lambda t, slow=slow: 10 * (t + 1000) + slow * slow_requests(t), 120,
                    job="inference", pod="a", le=le) for le, slow in buckets.items()]


class HpaCase(ClusterTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        weir = cls.cluster.weir
        before = weir.config_file.read_text()
        for namespace in ("ml-inference", "bookmarkai-ml"):
            cls.cluster.apply("-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "Namespace",
                                                           "metadata": {"name": namespace}}))
        weir.write_config(json.dumps(cls.merged(json.loads(before))))
        cls.addClassCleanup(weir.write_config, before)
        wait_until(cls.is_configured, "Weir has the configuration of the examples", 30)

    @classmethod
    def merged(cls, config):
        """The cluster's backends, which have the examples' names, and the examples' metrics as they are."""
        login = {name: config["backends"]["broker"]["rabbitmq"][name] for name in ("username", "password")}
        config["backends"]["bookmarkai_broker"] = {"rabbitmq": {"url": cls.cluster.broker.management_url, **login}}
        files = [documents(path.read_text())[0] for path in sorted((HPA / "weir").glob("*.yaml"))]
        return {"backends": config["backends"], "metrics": [one for file in files for one in file.get("metrics", [])]}

    @classmethod
    def is_configured(cls):
        try:
            cls.cluster.api.get(metric_path("default", "cities"))
        except ApiError as error:
            return "not configured" not in error.text and error.status != 404
        return True

    @classmethod
    def place(cls, example, behavior, clean_up):
        """The HPAs of the file, each with a Deployment; without `behavior` they keep their own. Their namespace."""
        for hpa in documents((HPA / f"{example}.yaml").read_text()):
            namespace = hpa["metadata"]["namespace"]
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
    def known(cls, *series):
        """Prometheus with these series and no others."""
        cls.forget()
        cls.cluster.prometheus.remote_write(series)


class PrometheusHpas(HpaCase):
    def tokens(self, per_minute):
        self.known(history("ml_tokens_processed_total", lambda t: per_minute / 60 * (t + 1000), 300, model="gpt-3.5-turbo"))

    def test_token_rate(self):
        self.tokens(per_minute=12_000)
        self.apply("token-rate")

        self.wait_replicas("ml-worker-deployment", 3)
        self.tokens(per_minute=0)
        self.wait_replicas("ml-worker-deployment", 1)

    def test_hybrid_takes_the_larger_demand(self):
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
        self.known(depth(lambda t: 180 + t / 10))
        self.apply("predictive")

        self.wait_replicas("ml-inference-deployment", 3)  # 180 and 60 more in ten minutes
        self.known(depth(lambda t: 1 - t))
        self.wait_replicas("ml-inference-deployment", 1)  # far below zero, and zero is what counts

    def test_slo_without_series_says_so_and_keeps_the_replicas(self):
        self.known(*latencies(lambda t: 10 * (t + 1000)), history("inference_queue_len", lambda t: 2, 60, job="inference"))
        self.apply("slo")
        self.wait_replicas("inference", 20)

        self.forget()

        self.wait_failing("inference", "inference_p95_seconds", NO_SERIES)
        self.assert_kept("inference", 20)
        self.known(*latencies(lambda t: 0), history("inference_queue_len", lambda t: 2, 60, job="inference"))
        self.wait_replicas("inference", 3)

    def test_slo_counts_nobody_waiting_as_zero(self):
        idle = [history("inference_latency_seconds_bucket", lambda t: 7, 120, job="inference", le=le)
                for le in ("1", "+Inf")]
        self.known(*idle, history("inference_queue_len", lambda t: 100, 60, job="inference"))
        self.apply("slo")

        self.wait_replicas("inference", 5)  # 100 jobs at 20 a replica, beside a p95 that is NaN
        self.assertRegex(self.describe("inference"), r'"inference_p95_seconds" \(target value\): +0 / 500m')


class QueueHpas(HpaCase):
    """The queues' examples, and meanwhile the one of the SLO, which keeps its own windows."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.known(*latencies(lambda t: 10 * max(0, t)), history("inference_queue_len", lambda t: 2, 60, job="inference"))
        cls.slow_since = time.time()
        cls.place("slo", None, cls.addClassCleanup)

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
        self.addCleanup(self.cluster.redis.ask, "DEL", "cities")
        self.apply("ollama-list")

        self.wait_replicas("ollama", 4)
        self.cluster.redis.ask("DEL", "cities")
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

    def test_the_slo_with_its_own_behavior_grows_within_its_objective(self):
        self.namespace = "default"
        uid = self.api.get(self._path("autoscaling/v2", "horizontalpodautoscalers", "inference"))["metadata"]["uid"]

        def first_step():  # of this HPA: others of its name were here before
            query = urllib.parse.urlencode({"fieldSelector": f"involvedObject.uid={uid},reason=SuccessfulRescale"})
            events = self.api.get(f"/api/v1/namespaces/default/events?{query}")["items"]
            return min(((event["firstTimestamp"], event["message"]) for event in events), default=None)
        left = self.slow_since + OBJECTIVE_SECONDS - time.time()

        at, message = self._wait("inference", first_step, "the first new replica", max(left, 1))

        took = calendar.timegm(time.strptime(at, "%Y-%m-%dT%H:%M:%SZ")) - self.slow_since
        print(f"the first new replica came {took:.0f} s after the first slow answer; its window is 60 s", flush=True)
        self.assertLess(took, OBJECTIVE_SECONDS)
        self.assertIn("New size: 5;", message)  # two pods, or half of three: the larger
