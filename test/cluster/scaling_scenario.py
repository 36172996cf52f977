"""Load in a real backend brings a Deployment to the computed count of replicas, and back."""
from case import ClusterTest
from objects import external, utilization


class ScalingScenario(ClusterTest):
    def queue(self, name, messages=0):
        self.cluster.broker.filled(name, messages)
        self.addCleanup(self.cluster.broker.delete, name)

    def test_case_130_a_sum_of_95_at_10_a_replica_is_10_replicas(self):
        self.cluster.redis.command("SET", "ninety-five", 95)

        self.scaled("case130", [external("counter", 10, {"key": "ninety-five"})])

        self.wait_replicas("case130", 10)

    def test_a_growing_queue_scales_a_deployment_up_and_draining_scales_it_down(self):
        self.queue("work")
        self.scaled("worker", [external("queue_depth", 5, {"queue": "work"})])
        self.wait_active("worker")
        self.wait_replicas("worker", 1)

        self.cluster.broker.publish("work", 33)
        self.wait_replicas("worker", 7)
        self.assertEqual("ValidMetricFound", self.condition("worker")["reason"])
        text = self.describe("worker")
        self.assertRegex(text, r'"queue_depth" \(target average value\): +\d+m? / 5')
        self.assertRegex(text, r"SuccessfulRescale.* New size: 7; reason: external metric queue_depth")

        self.cluster.broker.get("work", 33)
        self.wait_replicas("worker", 1)

    def test_a_list_scales_a_deployment_to_its_maximum_at_most(self):
        self.cluster.redis.fill("RPUSH cities-to-do " + " ".join(map(str, range(100))))
        self.addCleanup(self.cluster.redis.command, "DEL", "cities-to-do")

        self.scaled("ollama", [external("list_length", 10, {"key": "cities-to-do"})], most=6)

        self.wait_replicas("ollama", 6)
        self.assertEqual("TooManyReplicas", self.condition("ollama", "ScalingLimited")["reason"])

    def test_value_multiplies_the_ready_pods(self):
        self.cluster.redis.command("SET", "latency", 900)

        self.scaled("p95", [external("counter", 500, {"key": "latency"}, kind="Value")], replicas=2, least=2, most=4)

        self.wait_replicas("p95", 4)

    def test_case_134_a_deployment_at_zero_scales_up_for_a_message_and_back_to_zero(self):
        self.queue("rare")
        self.scaled("sleeper", [external("queue_depth", 5, {"queue": "rare"})], least=0)
        self.wait_replicas("sleeper", 0)

        self.cluster.broker.publish("rare", 6)
        self.wait_replicas("sleeper", 2)

        self.cluster.broker.get("rare", 6)
        self.wait_replicas("sleeper", 0)

    def test_a_deployment_that_was_set_to_zero_by_hand_is_not_scaled(self):
        self.queue("asleep", 6)
        self.scaled("asleep", [external("queue_depth", 5, {"queue": "asleep"})], replicas=0, least=0)

        self._wait("asleep", lambda: self.condition("asleep").get("reason") == "ScalingDisabled", "asleep is disabled", 30)
        self.assert_replicas_stay("asleep", 0)

    def test_the_greatest_of_queue_cpu_and_memory_decides(self):
        self.queue("mixed", 10)
        self.cluster.resource_metrics.use(self.namespace, cpu="50m", memory="16Mi")
        self.scaled("mixed", [external("queue_depth", 5, {"queue": "mixed"}), utilization("cpu", 50),
                              utilization("memory", 80)])
        self.wait_replicas("mixed", 2)

        self.cluster.resource_metrics.use(self.namespace, cpu="100m", memory="16Mi")
        self.wait_replicas("mixed", 20)

        self.cluster.resource_metrics.use(self.namespace, cpu="1m", memory="16Mi")
        self.wait_replicas("mixed", 2)
