"""Conformance: which paths and methods there are, and the names in them."""
import unittest
import urllib.parse

from rig import (GROUP, GROUP_NAME, JSON, NOT_ALLOWED, NOT_FOUND, PROTOBUF, TEXT, VALUE, ConformanceCase, M, Row, cases,
                 listing, metric, metric_path, error_row)

NAMES = ["UPPER.case:x", "a b", "na\u00efve", "\u65e5\u672c", "p@th"]
NOWHERE = "404 page not found\n"


def not_found(number, path):
    return error_row(number, path, 404, "NotFound", NOT_FOUND, details="{}")


def plain(number, path, headers=None):
    return Row(number, path, headers or {}, 404, TEXT, NOWHERE)


CASES = [
    Row(38, M + "/", {}, 200, JSON, VALUE),
    Row(38, GROUP + "/", {}, 200, JSON, '{"kind":"APIResourceList",'),
    not_found(40, GROUP + "/queue-len"),
    not_found(41, GROUP + "/namespaces/default"),
    not_found(41, GROUP + "/namespaces//queue-len"), not_found(41, M + "/x"), not_found(41, GROUP + "/nodes/default/queue-len"),
    plain(42, "/apis/external.metrics.k8s.io/v1"), plain(42, "/apis/external.metrics.k8s.io/v1/namespaces/default/queue-len"),
    plain(42, "/apis/apps"), plain(42, "/apis/apps/v1"),
    Row(44, M, {}, 405, JSON, "", "HEAD"),
    *(Row(44, path, {}, 405, JSON, f'"message":"{NOT_ALLOWED}","reason":"MethodNotAllowed","details":{{}},"code":405}}\n', method)
      for path in (M, GROUP, "/apis") for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS")),
    plain(85, "/nope"), plain(85, "/nope", {"Accept": PROTOBUF}), plain(85, "/api"), plain(85, "//apis"), plain(85, "/apisx"),
]


@cases(CASES)
class PathsTest(ConformanceCase):
    metrics = (*ConformanceCase.metrics, *(metric(name, "v:7", namespaces=["default"]) for name in NAMES))

    def test_121_names_are_reviewed_and_served_as_decoded(self):
        for number, name in enumerate(NAMES):
            with self.subTest(name):
                user = f"row-121-{number}"

                answer = self.get(f"{GROUP}/namespaces/default/{urllib.parse.quote(name)}", user=user)

                self.assert_values(answer, "7")
                self.assertEqual(name, answer.json()["items"][0]["metricName"])
                self.assertEqual(listing(name), self.attributes(user))

    def test_122_a_metric_named_status_is_a_subresource_of_the_namespace_in_the_review(self):
        """The configuration refuses such a name, so that the answer is that of any metric that is not there."""
        for name in ("status", "finalize"):
            with self.subTest(name):
                answer = self.get(metric_path("default", name), user="row-122-" + name)

                self.assertEqual(404, answer.status)
                self.assertTrue(answer.json()["message"].startswith(f"metric default/{name} is not configured; "), answer.text)
                self.assertEqual({"verb": "get", "group": GROUP_NAME, "version": "v1beta1", "resource": "namespaces",
                                  "subresource": name, "namespace": "default", "name": "default"},
                                 self.attributes("row-122-" + name))

    def test_methods_but_get_are_405_on_prerendered_documents(self):
        for path in ("/openapi/v2", "/openapi/v3", "/openapi/v3" + GROUP, "/version", "/", "/apis"):
            for method in ("POST", "HEAD", "OPTIONS", "DELETE"):
                with self.subTest(path, method=method):
                    self.assertEqual(405, self.get(path, method=method).status)


if __name__ == "__main__":
    unittest.main()
