"""Without a number the HPA controller does not change the replicas, and reports Weir's error text."""
from case import ClusterTest
from objects import external

KEPT = 3

# name of the Deployment and its HPA, the HPA's metric, what its condition says beside the metric's name
FROZEN = [
    ("missing-queue", external("queue_depth", 5, {"queue": "nobody"}),
     'queue_depth: rabbitmq broker: queue "nobody" does not exist in vhost "/"'),
    ("unknown-metric", external("queue_dept", 5), '"queue_depth"'),
    ("undeclared-label", external("queue_depth", 5, {"que": "work"}), "queue_depth"),
    ("undeclared-value", external("queue_depth", 5, {"queue": "WORK"}), "queue_depth"),
    ("empty-result", external("absent_series", 5), "absent_series: prometheus prom: the query matches no series"),
    ("wrong-type", external("list_length", 5, {"key": "a-set"}), 'key "a-set" is a set, not a list'),
    ("negative-value", external("counter", 5, {"key": "minus"}), "negative"),
]


class ErrorsScenario(ClusterTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cluster.redis.fill("SADD a-set x", "SET minus -5")

    def test_cases_132_133_without_a_number_the_replicas_stay_and_the_hpa_has_the_reason(self):
        for name, metric, _ in FROZEN:
            self.scaled(name, [metric], replicas=KEPT)

        for name, _, text in FROZEN:
            with self.subTest(name):
                self.wait_failing(name, text)
        self.assert_all_replicas_stay({name: KEPT for name, _, _ in FROZEN})
        for name, _, text in FROZEN:
            with self.subTest(name):
                self.assertIn(text, self.describe(name))

    def test_with_an_error_and_a_number_it_scales_up_and_never_down(self):
        self.cluster.redis.command("SET", "beside", 40)
        self.scaled("beside", [external("absent_series", 5), external("counter", 10, {"key": "beside"})], replicas=2)
        self.wait_replicas("beside", 4)

        self.cluster.redis.command("SET", "beside", 10)
        self.wait_failing("beside", "the query matches no series")

        self.assert_replicas_stay("beside", 4)
