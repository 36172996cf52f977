"""Conformance: the query parameters of a list, beside the label selector."""
import unittest

from rig import GROUP, JSON, LABELLED, ONLY, VALUE, ConformanceCase, M, Row, cases, listing, error_row

ALONE = "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided"
INVALID = '","reason":"Invalid","details":{"group":"meta.k8s.io","kind":"ListOptions","causes":[{"reason":"FieldValueForbidden"'


def not_an_integer(number, name, value):
    return error_row(number, f"{M}?{name}={value}", 400, "BadRequest", f'strconv.ParseInt: parsing "{value}": invalid syntax')


def watched(number, value, headers=None):
    return error_row(number, f"{M}?watch={value}", 405, "MethodNotAllowed",
                     'watch is not supported on resources of kind "*.external.metrics.k8s.io"', headers,
                     '{"group":"external.metrics.k8s.io","kind":"*"}')


CASES = [
    Row(25, M + "?limit=1", {}, 200, JSON, '"metadata":{},"items":[{"metricName":"queue-len"'),
    Row(25, M + "?limit=500&continue=abc", {}, 200, JSON, '"metadata":{},'),
    Row(25, LABELLED + "?limit=1&labelSelector=a+in+(b,c)", {}, 200, JSON, '"metricLabels":{"a":"c"}'),
    not_an_integer(26, "limit", "x"), not_an_integer(26, "timeoutSeconds", "1.5"),
    Row(26, M + "?limit=1&limit=x", {}, 200, JSON, VALUE),
    Row(26, M + "?limit=x", {"Accept": "text/plain"}, 406, JSON, ONLY),
    error_row(29, M + "?fieldSelector=spec.x%3D1", 400, "BadRequest",
              '"spec.x" is not a known field selector: only "metadata.name", "metadata.namespace"'),
    Row(30, M + "?resourceVersionMatch=Exact", {}, 422, JSON, r'"ListOptions.meta.k8s.io \"\" is invalid: ' + ALONE + INVALID),
    Row(30, M + "?sendInitialEvents=true", {}, 422, JSON, "sendInitialEvents is forbidden for list"),
    *(Row(33, M + "?watch=" + value, {}, 200, JSON, VALUE) for value in ("false", "0", "False", "FALSE")),
    Row(34, M + "?foo=bar", {}, 200, JSON, VALUE),
    Row(34, M + "?timeout=32s", {}, 200, JSON, VALUE),
    Row(34, M + "?&&", {}, 200, JSON, VALUE),
]
WATCHED = [watched(32, value) for value in ("true", "1", "", "yes")]


@cases(CASES)
class ListOptionsTest(ConformanceCase):
    def test_028_a_field_selector_of_the_name_is_ignored_but_reviewed(self):
        answer = self.get(M + "?fieldSelector=metadata.name%3Dfoo", user="row-28")

        self.assert_values(answer, "7")
        self.assertEqual(listing("queue-len", name="foo"), self.attributes("row-28"))

    def test_032_a_watch_is_reviewed_as_a_watch_and_is_405(self):
        for row in WATCHED:
            with self.subTest(row.path):
                self.play(row)
        self.get(M + "?watch=true", user="row-32")

        self.assertEqual({**listing("queue-len"), "verb": "watch"}, self.attributes("row-32"))

    def test_a_bad_timeout_is_400_before_authentication(self):
        text = 'invalid timeout specified in the request URL - time: invalid duration "abc"'
        for cert in ("front-proxy-client", None, "serving"):
            for path in (M, "/nope", GROUP):
                with self.subTest(path, cert=cert):
                    self.assert_status(self.get(path + "?timeout=abc", None, cert), 400, "BadRequest", text)


if __name__ == "__main__":
    unittest.main()
