"""Conformance: the response to a metric read and its numbers."""
import unittest

from rig import (GROUP_NAME, JSON, ConformanceCase, M, Row, cases, metric, metric_path)

VECTORS = {"zero": ("0", "0"), "thousand": ("1000", "1k"), "fifteen-hundred": ("1500", "1500"),
           "one-and-a-half": ("1.5", "1500m"), "small": ("0.0001", "100u"), "below": ("-1.5", "-1500m"), "million": ("1e6", "1M")}
NO_NUMBERS = {
    "nan": ("NaN", "the value is NaN, as a quantile or a ratio without observations is; set nan: 0 if that means idle"),
    "inf": ("+Inf", "the value is +Inf; something was divided by zero"),
    "huge": ("1e19", "the value 1e+19 is beyond 9.2e15, the most an HPA can read; use a larger unit")}
ITEM = '"items":[{"metricName":"queue-len","metricLabels":{},"timestamp":"2026-11-21T00:00:00Z","value":"7"}]}\n'


@cases([Row(1, M, {}, 200, JSON, '{"kind":"ExternalMetricValueList","apiVersion":"' + GROUP_NAME + '/v1beta1",'
            '"metadata":{},' + ITEM)])
class ValuesTest(ConformanceCase):
    metrics = (*ConformanceCase.metrics,
               *(metric(name, "v:" + value, namespaces=["default"], negative="allow") for name, (value, _) in VECTORS.items()),
               *(metric(name, "v:" + value, namespaces=["default"]) for name, (value, _) in NO_NUMBERS.items()),
               metric("absent", "none", namespaces=["default"]), metric("none-is-zero", "none", namespaces=["default"], empty=0))

    def test_024_no_series_is_an_error_and_zero_only_with_empty_0(self):
        """Deviation: Go answers an empty list, which an HPA takes for an error without a text."""
        absent, zero = self.get(metric_path("default", "absent")), self.get(metric_path("default", "none-is-zero"))

        self.assert_status(absent, 503, "ServiceUnavailable", "metric default/absent: prometheus prom: the query matches no "
                           "series; is the target scraped and are the label values right? set empty: 0 if no series means zero")
        self.assert_values(zero, "0")

    def test_054_quantities_are_canonical(self):
        for name, (value, quantity) in VECTORS.items():
            with self.subTest(value):
                self.assert_values(self.get(metric_path("default", name)), quantity)

    def test_056_a_value_that_an_HPA_cannot_read_is_never_sent(self):
        for name, (value, text) in NO_NUMBERS.items():
            with self.subTest(value):
                self.assert_status(self.get(metric_path("default", name)), 503, "ServiceUnavailable",
                                   f"metric default/{name}: prometheus prom: {text}")

    def test_057_timestamps_are_whole_seconds_of_utc(self):
        for name in ("queue-len", "none-is-zero", "million"):
            with self.subTest(name):
                item = self.get(metric_path("default", name)).json()["items"][0]

                self.assertRegex(item["timestamp"], r"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\Z")

    def test_058_without_a_window_there_is_no_key(self):
        """Weir has no metric with a window: the optional key never stands there."""
        for name in ("queue-len", "none-is-zero"):
            with self.subTest(name):
                item = self.get(metric_path("default", name)).json()["items"][0]

                self.assertEqual(["metricName", "metricLabels", "timestamp", "value"], list(item))


if __name__ == "__main__":
    unittest.main()
