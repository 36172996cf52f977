"""Numbers from a real Prometheus: values, and errors with their texts."""
import re
import time
import unittest
from datetime import datetime

from support import Prometheus, Series, ServerTest, Weir, config, metric

QUEUES = {"orders": 7, "ml.embed": 3, "mlxembed": 1000, 'a"b\\c': 5, "a|b": 6, "b": 8}

# name, query, settings of the metric, settings of its prometheus block, the quantity
VALUES = [
    ("a vector", "vector(42)", {}, {}, "42"),
    ("a scalar", "scalar(vector(1.5))", {}, {}, "1500m"),
    ("a number", "1e6", {}, {}, "1M"),
    ("thousands", "vector(1000)", {}, {}, "1k"),
    ("not quite thousands", "vector(1500)", {}, {}, "1500"),
    ("a small fraction", "vector(0.0001)", {}, {}, "100u"),
    ("a measured zero", "vector(0)", {}, {}, "0"),
    ("the largest an HPA can read", "vector(9.2e15)", {}, {}, "9200T"),
    ("a written series", 'queue{queue="orders"}', {}, {}, "7"),
    ("one series is its own sum", 'queue{queue="orders"}', {}, {"aggregate": "sum"}, "7"),
    ("sum of two", 'load', {}, {"aggregate": "sum"}, "5500m"),
    ("max of two", 'load', {}, {"aggregate": "max"}, "4"),
    ("min of two", 'load', {}, {"aggregate": "min"}, "1500m"),
    ("avg of two", 'load', {}, {"aggregate": "avg"}, "2750m"),
    ("empty said to be zero", "absent_series", {"empty": 0}, {}, "0"),
    ("empty said to be a number", "absent_series", {"empty": 2.5}, {}, "2500m"),
    ("NaN said to be zero", "vector(0) / 0", {"nan": 0}, {}, "0"),
    ("NaN said to be a number", "vector(0) / 0", {"nan": 3}, {}, "3"),
    ("a quantile without observations", "histogram_quantile(0.95, idle_bucket)", {"nan": 0}, {}, "0"),
    ("negative allowed", "vector(-1.5)", {"negative": "allow"}, {}, "-1500m"),
    ("negative taken for zero", "vector(-1.5)", {"negative": "zero"}, {}, "0"),
    ("POST", "vector(42)", {}, {"backend": "post"}, "42"),
    ("two series filtered to one", "load > 2", {}, {}, "4"),
]

INFINITE = "the value is {}Inf; something was divided by zero"
NO_SERIES = ("the query matches no series; is the target scraped and are the label values right? set empty: 0 if no "
             "series means zero")
NAN = "the value is NaN, as a quantile or a ratio without observations is; set nan: 0 if that means idle"
TOO_LARGE = "the value {} is beyond 9.2e15, the most an HPA can read; use a larger unit"
NEGATIVE = ("the value {} is negative; an HPA would scale to maxReplicas on it; set negative: zero or "
            "negative: allow if it is meant")
SEVERAL = ("{} series where one is expected; they differ in {}; aggregate them in the query, or set aggregate: sum, "
           "max, min or avg")

# name, query, settings, settings of the block, status, reason, text after "metric NS/NAME: prometheus prom: "
ERRORS = [
    ("no series", "absent_series", {}, {}, 503, "ServiceUnavailable", NO_SERIES),
    ("no series to sum", "absent_series", {}, {"aggregate": "sum"}, 503, "ServiceUnavailable", NO_SERIES),
    ("no series with nan set", "absent_series", {"nan": 0}, {}, 503, "ServiceUnavailable", NO_SERIES),
    ("NaN", "vector(0) / 0", {}, {}, 503, "ServiceUnavailable", NAN),
    ("NaN with empty set", "vector(0) / 0", {"empty": 0}, {}, 503, "ServiceUnavailable", NAN),
    ("NaN beside numbers", "vector(0) / 0 or load", {}, {"aggregate": "max"}, 503, "ServiceUnavailable",
     "1 of 3 series are NaN; filter NaN out in the query, as in (QUERY) >= 0"),
    ("NaN beside numbers, where a NaN alone means idle", "vector(0) / 0 or load", {"nan": 0}, {"aggregate": "sum"}, 503,
     "ServiceUnavailable", "1 of 3 series are NaN; filter NaN out in the query, as in (QUERY) >= 0"),
    ("the scalar of no series", "scalar(absent_series)", {}, {}, 503, "ServiceUnavailable", NAN),
    ("plus Inf", "vector(1) / 0", {}, {}, 503, "ServiceUnavailable", INFINITE.format("+")),
    ("minus Inf", "vector(-1) / 0", {}, {}, 503, "ServiceUnavailable", INFINITE.format("-")),
    ("minus Inf where negative is zero", "vector(-1) / 0", {"negative": "zero"}, {}, 503, "ServiceUnavailable",
     INFINITE.format("-")),
    ("plus Inf with nan set", "vector(1) / 0", {"nan": 0}, {}, 503, "ServiceUnavailable", INFINITE.format("+")),
    ("a sum of infinities", "vector(1) / 0 or load", {}, {"aggregate": "sum"}, 503, "ServiceUnavailable",
     INFINITE.format("+")),
    ("negative", "vector(-1.5)", {}, {}, 503, "ServiceUnavailable", NEGATIVE.format("-1.5")),
    ("negative, said to be an error", "vector(-2)", {"negative": "error"}, {}, 503, "ServiceUnavailable",
     NEGATIVE.format("-2")),
    ("too large", "vector(1e19)", {}, {}, 503, "ServiceUnavailable", TOO_LARGE.format("1e+19")),
    ("too far below", "vector(-1e19)", {"negative": "allow"}, {}, 503, "ServiceUnavailable",
     TOO_LARGE.format("-1e+19")),
    ("two series", "load", {}, {}, 503, "ServiceUnavailable",
     SEVERAL.format(2, 'instance ("a", "b"), zone ("", "eu")')),
    ("a range", "load[5m]", {}, {}, 503, "ServiceUnavailable",
     "the query returns a range vector; write an instant query, such as rate(x[5m])"),
    ("a string", '"forty-two"', {}, {}, 503, "ServiceUnavailable", "the query returns a string; query a number"),
    ("a syntax error", "sum(", {}, {}, 400, "BadRequest",
     'the query is not valid: invalid parameter "query": 1:5: parse error: unclosed left parenthesis'),
    ("a type error", "rate(load)", {}, {}, 400, "BadRequest",
     'the query is not valid: invalid parameter "query": 1:6: parse error: expected type range vector in call to '
     'function "rate", got instant vector'),
    ("matching that fails there", "load + on(nothing) load", {}, {}, 503, "ServiceUnavailable", None),
]

# name, metric, selector, quantities
SELECTED = [
    ("a label in a string", "depth", "queue=orders", ["7"]),
    ("the double equals", "depth", "queue==orders", ["7"]),
    ("a set of one", "depth", "queue in (orders)", ["7"]),
    ("a set of two gives two items", "depth", "queue in (orders,b)", ["8", "7"]),
    ("a dot in =~ matches only a dot", "depth_by_pattern", "queue=ml.embed", ["3"]),
    ("a dot in = is a dot", "depth", "queue=ml.embed", ["3"]),
    ("a default", "depth_or_orders", None, ["7"]),
    ("a default overruled", "depth_or_orders", "queue=b", ["8"]),
    ("the namespace", "in_namespace", None, ["11"]),
    ("an escaped $$( stays text", "literal", None, ["1"]),
]

# name, metric, selector, status, reason, text after "metric ml-inference/METRIC: "
REFUSED = [
    ("no selector", "depth", None,
     "label queue has no value; write queue=VALUE in the selector (its pattern is .*)"),
    ("an undeclared label", "depth", "queue=orders,pod=x",
     'label "pod" is not declared; this metric declares queue'),
    ("__name__", "depth", "__name__=up",
     None),
    ("no labels declared", "in_namespace", "queue=orders",
     'label "queue" is not declared; this metric declares no labels; remove the selector'),
    ("not equal", "depth", "queue!=orders",
     "operator != on label queue binds no value; write queue=VALUE or queue in (A,B)"),
    ("notin", "depth", "queue notin (orders)",
     "operator notin on label queue binds no value; write queue=VALUE or queue in (A,B)"),
    ("exists", "depth", "queue",
     "operator exists on label queue binds no value; write queue=VALUE or queue in (A,B)"),
    ("does not exist", "depth", "!queue",
     "operator ! on label queue binds no value; write queue=VALUE or queue in (A,B)"),
    ("greater than", "depth", "queue>5",
     "operator > on label queue binds no value; write queue=VALUE or queue in (A,B)"),
    ("exclusive requirements", "depth", "queue=a,queue=b",
     "the selector's requirements on label queue exclude each other"),
    ("a value against the pattern", "depth_or_orders", "queue=ORDERS",
     'value "ORDERS" of label queue does not match the pattern [a-z.]+'),
    ("a value that matches in part", "depth_or_orders", "queue=orders2",
     'value "orders2" of label queue does not match the pattern [a-z.]+'),
    ("an empty value", "depth_or_orders", "queue=",
     'value "" of label queue does not match the pattern [a-z.]+'),
    ("17 values", "depth", f"queue in ({','.join(f'q{n}' for n in range(17))})",
     "the selector asks for more than 16 combinations of values"),
]


def slug(name):
    return re.sub(r"[^a-z0-9]+", "_", name.lower())


def as_metric(prefix, row):
    name, query, settings, block = row[:4]
    return metric(f"{prefix}_{slug(name)}", query, kind=block, **settings)


class PrometheusValuesTest(ServerTest):
    @classmethod
    def setUpClass(cls):
        folder = cls.new_folder()
        cls.prometheus = cls.start(Prometheus(folder / "prometheus"))
        now = time.time()
        series = [Series({"__name__": "queue", "queue": name}, [(now, depth)]) for name, depth in QUEUES.items()]
        series += [Series({"__name__": "load", "instance": "a", "job": "x"}, [(now, 1.5)]),
                   Series({"__name__": "load", "instance": "b", "job": "x", "zone": "eu"}, [(now, 4)]),
                   Series({"__name__": "idle_bucket", "le": "1"}, [(now, 0)]),
                   Series({"__name__": "idle_bucket", "le": "+Inf"}, [(now, 0)]),
                   Series({"__name__": "literal", "text": "$(queue)"}, [(now, 1)]),
                   Series({"__name__": "tenant", "namespace": "ml-inference"}, [(now, 11)]),
                   Series({"__name__": "tenant", "namespace": "other"}, [(now, 22)])]
        cls.prometheus.remote_write(series)
        backends = {"prom": {"prometheus": {"url": cls.prometheus.url}},
                    "post": {"prometheus": {"url": cls.prometheus.url, "method": "POST"}}}
        metrics = [as_metric("value", row) for row in VALUES] + [as_metric("error", row) for row in ERRORS]
        word = {"queue": {"pattern": "[a-z.]+", "default": "orders"}}
        metrics += [
            metric("depth", 'queue{queue="$(queue)"}', labels={"queue": ".*"}),
            metric("depth_by_pattern", "queue{queue=~'$(queue)'}", labels={"queue": ".*"}),
            metric("depth_or_orders", 'queue{queue="$(queue)"}', labels=word),
            metric("in_namespace", 'tenant{namespace="$(namespace)"}', namespaces=["ml-inference", "other"]),
            metric("literal", 'literal{text="$$(queue)"}'),
        ]
        cls.weir = cls.start(Weir(folder / "weir", config(backends, *metrics)))

    def test_a_number_becomes_a_canonical_quantity(self):
        for name, *_, expected in VALUES:
            with self.subTest(name):
                self.assert_values(self.weir.metric("ml-inference", "value_" + slug(name)), expected)

    def test_a_value_that_an_hpa_cannot_read_is_an_error_with_its_text(self):
        for name, _, _, _, status, reason, text in ERRORS:
            with self.subTest(name):
                metric_name = "error_" + slug(name)

                answer = self.weir.metric("ml-inference", metric_name)

                if text is None:
                    self.assertEqual((status, reason), (answer.status, answer.json()["reason"]))
                    self.assertIn("found duplicate series for the match group", answer.json()["message"])
                else:
                    self.assert_status(answer, status, reason,
                                       f"metric ml-inference/{metric_name}: prometheus prom: {text}")

    def test_a_selector_selects_the_query(self):
        for name, metric_name, selector, values in SELECTED:
            with self.subTest(name):
                self.assert_values(self.weir.metric("ml-inference", metric_name, selector), *values)

    def test_a_selector_that_binds_nothing_is_rejected_with_the_labels_that_would_bind(self):
        for name, metric_name, selector, text in REFUSED:
            with self.subTest(name):
                answer = self.weir.metric("ml-inference", metric_name, selector)

                if text is None:  # no valid key for Kubernetes itself
                    self.assertEqual((400, "BadRequest"), (answer.status, answer.json()["reason"]))
                    self.assertIn('Invalid value: "__name__"', answer.json()["message"])
                else:
                    self.assert_status(answer, 400, "BadRequest", f"metric ml-inference/{metric_name}: {text}")

    def test_a_bound_label_is_in_metricLabels(self):
        items = self.weir.metric("ml-inference", "depth", "queue in (orders,ml.embed)").json()["items"]

        self.assertEqual([({"queue": "ml.embed"}, "3"), ({"queue": "orders"}, "7")],
                         [(item["metricLabels"], item["value"]) for item in items])

    def test_one_missing_series_of_two_fails_the_whole_read(self):
        answer = self.weir.metric("ml-inference", "depth", "queue in (orders,nowhere)")

        self.assert_status(answer, 503, "ServiceUnavailable",
                           f"metric ml-inference/depth: prometheus prom: {NO_SERIES}")

    def test_each_namespace_reads_its_own_series(self):
        self.assert_values(self.weir.metric("ml-inference", "in_namespace"), "11")
        self.assert_values(self.weir.metric("other", "in_namespace"), "22")

    def test_the_timestamp_is_the_time_of_the_evaluation_in_whole_seconds(self):
        before = int(time.time())

        item = self.weir.metric("ml-inference", "value_a_vector").json()["items"][0]

        self.assertRegex(item["timestamp"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        stamp = datetime.fromisoformat(item["timestamp"].replace("Z", "+00:00")).timestamp()
        self.assertTrue(before - 6 <= stamp <= time.time(), (before, stamp))  # 5 s of freshness

    def test_an_unknown_metric_is_an_error_with_similar_names(self):
        table = [
            ("a typo", "ml-inference", "value_a_vectr", 'not configured; did you mean "value_a_vector"'),
            ("dashes for underscores", "ml-inference", "in-namespace", 'not configured; did you mean "in_namespace"?'),
            ("nothing near", "ml-inference", "zzz", "not configured"),
            ("another namespace", "other", "depth",
             "not configured for this namespace; add the namespace to its namespaces list"),
        ]
        for name, namespace, metric_name, text in table:
            with self.subTest(name):
                answer = self.weir.metric(namespace, metric_name)

                self.assertEqual((404, "NotFound"), (answer.status, answer.json()["reason"]))
                self.assertTrue(answer.json()["message"].startswith(f"metric {namespace}/{metric_name} is {text}"),
                                answer.json()["message"])


if __name__ == "__main__":
    unittest.main()
