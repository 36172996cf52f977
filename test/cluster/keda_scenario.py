"""What people who leave KEDA had there, row by row of KEDA's own end-to-end tests, from hand-written HPAs."""
from case import ClusterTest
from objects import external


class KedaScenario(ClusterTest):
    def test_row_94_a_pattern_counts_the_queues_it_matches_and_no_other(self):
        queues = ("hello", "hello-1", "hellos")
        for name in queues:
            self.cluster.broker.filled(name, 20)
            self.addCleanup(self.cluster.broker.delete, name)

        self.scaled("pattern", [external("queues_by_pattern", 5)])
        self.wait_replicas("pattern", 4)  # of hellos alone: three queues would be twelve
        self.assertEqual((200, ["20"]), self.read("queues_by_pattern"))

        self.cluster.broker.get("hellos", 20)
        self.wait_replicas("pattern", 1)

    def test_row_99_a_long_list_brings_all_replicas_there_may_be(self):
        self.cluster.redis.fill("RPUSH row-99 " + " ".join(map(str, range(400))))
        self.addCleanup(self.cluster.redis.ask, "DEL", "row-99")

        self.scaled("list", [external("list_length", 5, {"key": "row-99"})], most=10)

        self.wait_replicas("list", 10)

    def test_row_100_an_average_value_ignores_the_count_and_a_value_multiplies_it(self):
        self.cluster.redis.ask("SET", "row-100", 8)
        eight = {"replicas": 8, "least": 1, "most": 10}

        self.scaled("average", [external("counter", 2, {"key": "row-100"})], **eight)
        self.scaled("multiplied", [external("counter", 2, {"key": "row-100"}, kind="Value")], **eight)

        self.wait_replicas("average", 4)
        self.wait_replicas("multiplied", 10)

    def test_row_105_a_backend_that_never_answers_slows_no_other(self):
        self.cluster.redis.ask("SET", "row-105", 50)
        self.scaled("stuck", [external("never_answers", 5)], replicas=2)
        self.wait_failing("stuck", "prometheus silent", "no answer within")

        self.scaled("healthy", [external("counter", 10, {"key": "row-105"})])

        self.wait_replicas("healthy", 5)
        self.assert_kept("stuck", 2)

    def test_row_108_a_backend_of_a_private_authority_is_read_with_its_ca(self):
        self.cluster.redis.ask("SET", "row-108", 30)

        self.scaled("private", [external("private_counter", 10, {"key": "row-108"})])

        self.wait_replicas("private", 3)
        code, text = self.read("distrusted_counter", "key=row-108")
        self.assertEqual(503, code)
        self.assertIn("TLS failed", text)
