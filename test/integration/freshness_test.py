"""How often Prometheus is queried, counted by Prometheus itself."""
import time
import unittest

from support import Prometheus, ServerTest, Weir, config, metric

READS = 30


class FreshnessTest(ServerTest):
    @classmethod
    def setUpClass(cls):
        folder = cls.new_folder()
        cls.prometheus = cls.start(Prometheus(folder / "prometheus"))
        depth = 'label_replace(vector(1), "queue", "$(queue)", "", "")'
        cls.weir = cls.start(Weir(folder / "weir", config(
            cls.prometheus.url,
            metric("kept", "vector(1)", freshness="1m"),
            metric("same_question", "vector(2)", freshness="1m"),
            metric("same_question_again", "vector(2)", freshness="1m", negative="zero"),
            metric("everywhere", "vector(3)", namespaces=["*"], freshness="1m"),
            metric("by_label", depth, labels={"queue": "[a-z]+"}, freshness="1m"),
            metric("brief", "vector(4)", freshness="300ms"),
            metric("brief_too", "vector(6)", freshness="300ms"),
            metric("failing", "absent_series", freshness="1m"),
            metric("unasked", "vector(5)"))))

    def queries_during(self, read):
        before = self.prometheus.query_count()
        read()
        return self.prometheus.query_count() - before

    def test_reads_within_the_freshness_query_once(self):
        def read():
            for _ in range(READS):
                self.assert_values(self.weir.metric("ml-inference", "kept"), "1")

        self.assertEqual(1, self.queries_during(read))

    def test_two_metrics_with_the_same_query_send_it_once(self):
        def read():
            self.assert_values(self.weir.metric("ml-inference", "same_question"), "2")
            self.assert_values(self.weir.metric("ml-inference", "same_question_again"), "2")

        self.assertEqual(1, self.queries_during(read))

    def test_namespaces_share_a_value_that_does_not_depend_on_them(self):
        def read():
            for namespace in ("a", "b", "c"):
                self.assert_values(self.weir.metric(namespace, "everywhere"), "3")

        self.assertEqual(1, self.queries_during(read))

    def test_each_label_value_is_its_own_query(self):
        def read():
            for selector in ("queue=a", "queue=b", "queue in (a,b)", "queue in (b,c)"):
                self.assertEqual(200, self.weir.metric("ml-inference", "by_label", selector).status)

        self.assertEqual(3, self.queries_during(read))

    def test_a_stream_of_reads_queries_once_per_freshness(self):
        start_time = time.monotonic()

        def read():
            for _ in range(READS):
                self.weir.metric("ml-inference", "brief")

        query_count = self.queries_during(read)

        self.assertTrue(1 <= query_count <= 1 + (time.monotonic() - start_time) / 0.3, query_count)

    def test_a_value_is_queried_again_only_when_it_is_old(self):
        first = self.prometheus.query_count()
        start_time = time.monotonic()
        self.weir.metric("ml-inference", "brief_too")

        def is_queried_again():
            self.weir.metric("ml-inference", "brief_too")
            return self.prometheus.query_count() >= first + 2

        self.wait_for(is_queried_again, 3)
        self.assertTrue(0.3 <= time.monotonic() - start_time < 0.85, time.monotonic() - start_time)

    def test_an_error_is_cached_only_briefly(self):
        """After the diagnosis, which sends more queries, and once in 30 s at most."""
        self.wait_for(lambda: "; diagnosis: " in self.weir.metric("ml-inference", "failing").text, 3)
        query_count = self.queries_during(lambda: [self.weir.metric("ml-inference", "failing") for _ in range(10)])
        before = self.prometheus.query_count()

        def is_queried_again():
            self.weir.metric("ml-inference", "failing")
            return self.prometheus.query_count() > before

        self.assertLessEqual(query_count, 2)
        self.wait_for(is_queried_again, 3)

    def test_a_rejected_request_sends_no_query(self):
        def read():
            for name, selector in (("nowhere", None), ("by_label", None), ("by_label", "queue=A"), ("kept", "x=y"),
                                   ("kept", "x=-")):
                self.assertIn(self.weir.metric("ml-inference", name, selector).status, (400, 404))
            self.assertEqual(403, self.weir.get("/apis/external.metrics.k8s.io/v1beta1/namespaces/ml-inference/unasked",
                                                cert=None).status)
            self.assertEqual(200, self.weir.get("/apis/external.metrics.k8s.io/v1beta1", {"X-Remote-User": "x"}).status)

        self.assertEqual(0, self.queries_during(read))


if __name__ == "__main__":
    unittest.main()
