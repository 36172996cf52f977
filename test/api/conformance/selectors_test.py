"""Conformance: label selectors. A declared label is bound into the query; a requirement that binds nothing is rejected."""
import unittest
import urllib.parse

from rig import JSON, LABELLED, VALUE, ConformanceCase, Row, cases, in_json, metric, metric_path, error_row


def with_selector(text, path=LABELLED):
    return path + "?" + urllib.parse.urlencode({"labelSelector": text})


def unbound(number, selector, operator):
    return error_row(number, with_selector(selector), 400, "BadRequest", f"metric default/labelled: operator {operator} on label a "
                     "binds no value; write a=VALUE or a in (A,B)")


def malformed(number, selector, message):
    return error_row(number, with_selector(selector), 400, "BadRequest", message)


def begins(number, selector, message):
    return Row(number, with_selector(selector), {}, 400, JSON, '"status":"Failure","message":"' + in_json(message))


CASES = [
    unbound(4, "a!=b", "!="), unbound(4, "a notin (b)", "notin"),  # deviation: a question has no series to choose from
    unbound(5, "!a", "!"),  # deviation
    unbound(6, "a", "exists"),  # deviation
    unbound(13, "a>5", ">"),  # deviation
    malformed(14, "a=b c", "found 'c', expected: ',' or 'end of string'"),
    malformed(14, "a=b=c", "found '=', expected: ',' or 'end of string'"),
    malformed(14, "!a=b", "found '=', expected: ',' or 'end of string'"),
    malformed(16, ",a", "found ',', expected: !, identifier, or 'end of string'"),
    malformed(16, "a,", "found '', expected: identifier after ','"),
    malformed(17, "a in b", "unable to parse requirement: found 'b' expected: '('"),
    malformed(17, "a in (b", "unable to parse requirement: found '', expected: ',' or ')'"),
    malformed(17, "a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
    malformed(17, "a=!b", "unable to parse requirement: found '!', expected: identifier"),
    begins(18, "a=-b", 'unable to parse requirement: values[0][a]: Invalid value: "-b": '),
    begins(18, "/a=b", 'unable to parse requirement: <nil>: Invalid value: "/a": prefix part must be non-empty'),
    begins(20, "a=" + "x" * 64, f'unable to parse requirement: values[0][a]: Invalid value: "{"x" * 64}": '),
    Row(20, with_selector("a=" + "x" * 63), {}, 200, JSON, VALUE),
    begins(21, 'a="b"', r'unable to parse requirement: values[0][a]: Invalid value: "\"b\"": '),
]


@cases(CASES)
class SelectorsTest(ConformanceCase):
    metrics = (*ConformanceCase.metrics, metric("in", 'depth{in="$(in)"}', namespaces=["default"], labels={"in": "[a-z]+"}))

    def assert_bound(self, selector, *values, path=LABELLED, label="a"):
        answer, queries = self.queries_of(with_selector(selector, path))

        self.assertEqual(200, answer.status, answer.text)
        self.assertEqual([{label: value} for value in values], [item["metricLabels"] for item in answer.json()["items"]])
        self.assertEqual(sorted(f'depth{{{label}="{value}"}}' for value in values), sorted(queries))

    def test_002_an_equality_selects_the_single_series(self):
        self.assert_bound("a=two", "two")
        self.assert_bound("a==two-b", "two-b")
        self.assert_bound("a in (two-d,two-c)", "two-c", "two-d")

    def test_008_an_empty_value_is_queried_as_an_empty_value(self):
        self.assert_bound("a=", "")

    def test_009_an_empty_selector_in_any_spelling_is_the_default(self):
        self.assert_bound("", "unset")
        for tail in ("", "?labelSelector", "?labelSelector=%20%09"):
            with self.subTest(tail):
                self.assertEqual([{"a": "unset"}], [item["metricLabels"] for item in self.get(LABELLED + tail).json()["items"]])

    def test_010_in_is_a_keyword_only_in_the_position_of_an_operator(self):
        self.assert_bound("in in (in)", "in", path=metric_path("default", "in"), label="in")

    def test_012_values_that_exclude_each_other_are_rejected_without_a_query(self):
        """Deviation: Go answers an empty list, which an HPA takes for an error without a text."""
        answer, queries = self.queries_of(with_selector("a=b,a=c"))

        self.assert_status(answer, 400, "BadRequest",
                           "metric default/labelled: the selector's requirements on label a exclude each other")
        self.assertEqual([], queries)

    def test_022_the_first_of_two_selectors_is_used(self):
        answer, queries = self.queries_of(LABELLED + "?labelSelector=a%3Dfirst&labelSelector=a%3D-second")
        wrong_first = self.get(LABELLED + "?labelSelector=a%3D-first&labelSelector=a%3Dsecond")

        self.assertEqual((200, ['depth{a="first"}'], 400), (answer.status, queries, wrong_first.status))


if __name__ == "__main__":
    unittest.main()
