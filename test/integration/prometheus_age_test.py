"""maxAge: a real Prometheus returns the values of its last scrape for minutes; Weir does not."""
import time
import unittest

from support import Prometheus, Series, ServerTest, Weir, config, metric
from support.prometheus import STALE

IS_OLD = (r"^metric ml-inference/{}: prometheus prom: the newest sample of ageOf is 1\d\d(\.\d)? s old, and maxAge is 60 s; "
          r"is the target still scraped\?$")
GONE = ("metric ml-inference/{}: prometheus prom: ageOf matches no series with a sample within the lookback delta (5 "
        "minutes by default); is the target scraped?")

# name, query, ageOf, settings of the metric, the quantity
VALUES = [
    ("young", 'jobs{queue="young"}', 'jobs{queue="young"}', {}, "3"),
    ("newest_of_several", "sum(jobs)", "jobs", {}, "7"),
    ("young_and_empty", "absent_series", 'jobs{queue="young"}', {"empty": 0}, "0"),
]
# name, query, ageOf, settings of the metric
OLD = [
    ("old", 'jobs{queue="old"}', 'jobs{queue="old"}', {}),
    ("old_and_empty", "sum(rate(jobs[1m]))", 'jobs{queue="old"}', {"empty": 0}),
    ("old_where_nothing_is_wrong_otherwise", "vector(0)", 'jobs{queue="old"}', {}),
]


def aged(name, query, age_of, **settings):
    return metric(name, query, freshness="1ms", kind={"maxAge": "1m", "ageOf": age_of}, **settings)


class PrometheusAgeTest(ServerTest):
    @classmethod
    def setUpClass(cls):
        folder = cls.new_folder()
        cls.prometheus = cls.start(Prometheus(folder / "prometheus"))
        now = time.time()
        cls.prometheus.remote_write([
            Series({"__name__": "jobs", "queue": "young"}, [(now, 3)]),
            Series({"__name__": "jobs", "queue": "old"}, [(now - 120, 4)]),
            Series({"__name__": "jobs", "queue": "ended"}, [(now - 120, 5), (now - 90, STALE)])])
        cls.weir = cls.start(Weir(folder / "weir", config(
            cls.prometheus.url,
            *(aged(name, query, age_of, **settings) for name, query, age_of, settings, *_ in VALUES + OLD),
            aged("ended", "vector(0)", 'jobs{queue="ended"}', empty=0),
            aged("by_label", 'jobs{queue="$(queue)"}', 'jobs{queue="$(queue)"}', labels={"queue": "[a-z]+"}),
            metric("unlimited", 'jobs{queue="old"}', freshness="1ms"))))

    def test_a_value_of_recent_data_is_a_value(self):
        for name, *_, expected in VALUES:
            with self.subTest(name):
                self.assert_values(self.weir.metric("ml-inference", name), expected)

    def test_a_value_of_old_data_is_an_error_although_prometheus_returns_it(self):
        self.assert_values(self.weir.metric("ml-inference", "unlimited"), "4")
        for name, *_ in OLD:
            with self.subTest(name):
                answer = self.weir.metric("ml-inference", name)

                self.assertEqual((503, "ServiceUnavailable"), (answer.status, answer.json()["reason"]), answer.text)
                self.assertRegex(self.message_of(answer), IS_OLD.format(name))

    def test_a_series_that_has_ended_is_stale_even_where_no_series_means_zero(self):
        self.assert_status(self.weir.metric("ml-inference", "ended"), 503, "ServiceUnavailable", GONE.format("ended"))

    def test_the_selector_may_contain_parameters(self):
        self.assert_values(self.weir.metric("ml-inference", "by_label", "queue=young"), "3")
        answer = self.weir.metric("ml-inference", "by_label", "queue=old")

        self.assertRegex(self.message_of(answer), IS_OLD.format("by_label"))

    def test_a_value_is_not_cached_beyond_the_maximum_age_of_its_data(self):
        """`freshness` alone would give it again for an hour."""
        now = time.time()
        self.prometheus.remote_write([Series({"__name__": "late"}, [(now - 57, 9)])])
        weir = self.start_in_test(Weir(self.folder() / "weir", config(
            self.prometheus.url, metric("late", "late", freshness="1h", kind={"maxAge": "1m", "ageOf": "late"}))))
        self.assert_values(weir.metric("ml-inference", "late"), "9")

        answer = self.wait_for(lambda: (response := weir.metric("ml-inference", "late")).status == 503 and response, 10)

        self.assertRegex(self.message_of(answer),
                         "the newest (sample of ageOf is 60.* s old|data was 60 s old when it was queried)")


if __name__ == "__main__":
    unittest.main()
