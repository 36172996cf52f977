"""The features of KEDA that users migrate from, row by row of KEDA's own end-to-end tests, from hand-written HPAs."""
import signal

from case import ClusterTest
from objects import external
from support import wait_until
from support.quantities import parse_quantity
from traffic import Traffic

RATE = 10.5  # messages a second, in and out
STANDING = 37  # messages that stay in the queue
STEADY_SECONDS = 30  # the broker's rates are those of its last whole second


class KedaScenario(ClusterTest):
    def queue(self, name, messages):
        self.cluster.broker.filled(name, messages)
        self.addCleanup(self.cluster.broker.delete, name)

    def test_row_93_a_value_below_the_activation_does_not_scale_up(self):
        # KEDA's activationValue is Weir's zeroAtOrBelow: 0 is reported, which an HPA with minReplicas 0 stays at.
        self.queue("row-93", 3)
        self.scaled("sleeper", [external("depth_above_five", 5, {"queue": "row-93"})], least=0)
        self.wait_replicas("sleeper", 0)
        self.assert_replicas_stay("sleeper", 0)

        self.cluster.broker.publish("row-93", 3)
        self.wait_replicas("sleeper", 2)  # six at five a replica

        self.cluster.broker.get("row-93", 1)
        self.wait_replicas("sleeper", 0)

    def test_row_94_a_pattern_counts_the_queues_it_matches_and_no_other(self):
        for name in ("hello", "hello-1", "hellos"):
            self.queue(name, 20)

        self.scaled("pattern", [external("queues_by_pattern", 5)])
        self.wait_replicas("pattern", 4)  # of hellos alone: three queues would be twelve
        self.assertEqual((200, ["20"]), self.read("queues_by_pattern"))

        self.cluster.broker.get("hellos", 20)
        self.wait_replicas("pattern", 1)

    def test_rows_96_and_97_rates_of_a_queue_through_the_management_api(self):
        # 37 messages at 10.5 in and out a second are 3.5 s of work; as a Value the rate multiplies the ready pods.
        of_queue = {"queue": "row-96"}
        self.addCleanup(self.cluster.broker.delete, "row-96")
        with Traffic(self.cluster.broker, "row-96", RATE, STANDING):
            for metric in ("publish_rate", "delivery_rate"):
                wait_until(lambda: self.is_steady(metric), f"{metric} is {RATE}", STEADY_SECONDS, 0.2)
            self.scaled("time", [external("consumption_time", 1, of_queue)], least=0)
            self.scaled("published", [external("publish_rate", 3, of_queue)])
            self.scaled("delivered", [external("delivery_rate", 3, of_queue, kind="Value")], most=4)

            for name in ("time", "published", "delivered"):
                self.wait_replicas(name, 4)

        self.cluster.broker.get("row-96", STANDING)
        self.wait_replicas("time", 0)
        self.wait_replicas("published", 1)
        self.wait_replicas("delivered", 1)

    def is_steady(self, metric):
        status, values = self.read(metric, "queue=row-96")
        return status == 200 and abs(float(parse_quantity(values[0])) - RATE) < 0.1 * RATE

    def test_row_99_a_long_list_scales_to_max_replicas(self):
        self.cluster.redis.fill("RPUSH row-99 " + " ".join(map(str, range(400))))
        self.addCleanup(self.cluster.redis.command, "DEL", "row-99")

        self.scaled("list", [external("list_length", 5, {"key": "row-99"})], most=10)

        self.wait_replicas("list", 10)

    def test_row_100_an_average_value_ignores_the_count_and_a_value_multiplies_it(self):
        self.cluster.redis.command("SET", "row-100", 8)
        eight = {"replicas": 8, "least": 1, "most": 10}

        self.scaled("average", [external("counter", 2, {"key": "row-100"})], **eight)
        self.scaled("multiplied", [external("counter", 2, {"key": "row-100"}, kind="Value")], **eight)

        self.wait_replicas("average", 4)
        self.wait_replicas("multiplied", 10)

    def test_row_102_while_the_source_is_down_a_fallback_replaces_its_value(self):
        # KEDA's static replicas are a value (30 at 10 a replica are 3), its last reading is `hold`, and what it calls
        # currentReplicas is an error without a fallback: the HPA changes nothing.
        self.cluster.redis.command("SET", "row-102", 60)
        for name, metric in (("static", "counter_or_thirty"), ("held", "held_counter"), ("current", "counter")):
            self.scaled(name, [external(metric, 10, {"key": "row-102"})])
        for name in ("static", "held", "current"):
            self.wait_replicas(name, 6)
        redis = self.cluster.redis
        self.addCleanup(lambda: redis.process.running or redis.start())

        redis.process.signal(signal.SIGKILL)
        redis.process.wait(10)
        self.wait_failing("current", "redis cache")
        self.wait_replicas("static", 3)
        for name in ("held", "current"):  # by hand, to see who still scales
            self.scale(name, 2)
        self.wait_replicas("held", 6)
        self.assert_all_replicas_stay({"static": 3, "held": 6, "current": 2})

        redis.start()
        redis.command("SET", "row-102", 80)
        for name in ("static", "held", "current"):
            self.wait_replicas(name, 8)

    def test_row_103_a_second_source_and_then_a_constant_replace_the_value(self):
        # KEDA chooses in a formula; an HPA takes the largest of its metrics. That is the same as long as the first is the
        # largest while it answers: its fallback of 0 leaves the field to the second, whose fallback is the constant.
        self.queue("row-103", 16)
        self.cluster.redis.command("SET", "row-103", 12)
        self.scaled("failover", [external("depth_or_nothing", 2, {"queue": "row-103"}),
                                 external("counter_or_eight", 2, {"key": "row-103"})])
        self.wait_replicas("failover", 8)

        self.cluster.broker.delete("row-103")
        self.wait_replicas("failover", 6)
        self.cluster.redis.command("DEL", "row-103")
        self.wait_replicas("failover", 4)
        self.assert_replicas_stay("failover", 4)

        self.cluster.broker.filled("row-103", 16)
        self.wait_replicas("failover", 8)

    def test_row_105_a_backend_that_never_responds_slows_no_other(self):
        self.cluster.redis.command("SET", "row-105", 50)
        self.scaled("stuck", [external("never_answers", 5)], replicas=2)
        self.wait_failing("stuck", "prometheus silent", "no response within")

        self.scaled("healthy", [external("counter", 10, {"key": "row-105"})])

        self.wait_replicas("healthy", 5)
        self.assert_replicas_stay("stuck", 2)

    def test_row_108_a_backend_of_a_private_ca_is_read_with_that_ca(self):
        self.cluster.redis.command("SET", "row-108", 30)

        self.scaled("private", [external("private_counter", 10, {"key": "row-108"})])

        self.wait_replicas("private", 3)
        code, text = self.read("distrusted_counter", "key=row-108")
        self.assertEqual(503, code)
        self.assertIn("TLS failed", text)

    def scale(self, name, replicas):
        run = self.cluster.kubectl("scale", "deployment", name, f"--replicas={replicas}", "-n", self.namespace)
        self.assertEqual(0, run.returncode, run.stderr)
