"""Without a number the HPA controller keeps the replicas and says why, in Weir's words."""
from case import ClusterTest
from objects import external


class ErrorsScenario(ClusterTest):
    def assert_frozen(self, name, metrics, *texts):
        self.scaled(name, metrics, replicas=3)

        self.wait_failing(name, *texts)

        self.assert_kept(name, 3)
        self.assertIn(texts[0], self.describe(name))

    def test_case_132_a_missing_queue_keeps_the_replicas(self):
        self.assert_frozen("missing", [external("queue_depth", 5, {"queue": "nobody"})],
                           'queue "nobody" does not exist in vhost "/"', f"metric {self.namespace}/queue_depth: rabbitmq broker")

    def test_case_132_an_unknown_metric_keeps_the_replicas_and_names_the_near_one(self):
        self.assert_frozen("unknown", [external("queue_dept", 5)], '"queue_depth"')

    def test_case_132_an_undeclared_label_keeps_the_replicas_and_names_the_declared_one(self):
        self.assert_frozen("undeclared", [external("queue_depth", 5, {"que": "work"})], "queue")

    def test_case_132_an_empty_result_keeps_the_replicas(self):
        self.assert_frozen("empty", [external("absent_series", 5)], "the query matches no series")

    def test_case_132_a_key_of_another_type_keeps_the_replicas(self):
        self.cluster.redis.fill("SADD a-set x")

        self.assert_frozen("type", [external("list_length", 5, {"key": "a-set"})], 'key "a-set" is a set and no list')

    def test_case_133_a_negative_value_does_not_go_to_the_maximum(self):
        self.cluster.redis.ask("SET", "minus", -5)

        self.assert_frozen("negative", [external("counter", 5, {"key": "minus"})], "negative")

    def test_an_error_beside_a_number_lets_it_grow_and_never_shrink(self):
        self.cluster.redis.ask("SET", "beside", 40)
        self.scaled("beside", [external("absent_series", 5), external("counter", 10, {"key": "beside"})], replicas=2)
        self.wait_replicas("beside", 4)

        self.cluster.redis.ask("SET", "beside", 10)
        self.wait_failing("beside", "the query matches no series")

        self.assert_kept("beside", 4)
