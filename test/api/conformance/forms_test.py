"""Conformance: the media type and form of a response, by Accept, User-Agent and pretty."""
import unittest

from rig import (GROUP, JSON, ONLY, PROTOBUF, TABLE, VALUE, YAML, ConformanceCase, M, Row, cases, metric)

CURL = {"User-Agent": "curl/8.0"}
INDENTED = '{\n  "kind": "ExternalMetricValueList",\n  "apiVersion": "external.metrics.k8s.io/v1beta1",\n  "metadata": {},'
LAST = '\n      "value": "7"\n    }\n  ]\n}'
IN_YAML = ('apiVersion: external.metrics.k8s.io/v1beta1\nitems:\n- metricLabels: {}\n  metricName: queue-len\n'
           '  timestamp: "2026-11-21T00:00:00Z"\n  value: "7"\nkind: ExternalMetricValueList\nmetadata: {}\n')
NOT_ACCEPTABLE = f'"message": "{ONLY}",\n  "reason": "NotAcceptable",\n  "code": 406\n}}'
PARTIAL = TABLE.replace("Table", "PartialObjectMetadataList")

CASES = [
    Row(37, M, CURL, 200, JSON, INDENTED),
    Row(37, M, {"User-Agent": "Wget/1.2"}, 200, JSON, INDENTED),
    Row(37, M, {"User-Agent": "Mozilla/5.0 (X11)"}, 200, JSON, INDENTED),
    Row(37, M + "?pretty=false", CURL, 200, JSON, VALUE),
    Row(37, M, {"Accept": JSON + ";pretty=1"}, 200, JSON, LAST),
    Row(37, M + "?watch=true", CURL, 405, JSON, '{\n  "kind": "Status",\n'),
    Row(45, M, {"Accept": YAML}, 200, YAML, IN_YAML),
    Row(45, GROUP + "/queue-len", {"Accept": YAML}, 404, YAML, "details: {}\nkind: Status\n"),
    Row(48, M, {"Accept": "text/plain"}, 406, JSON, NOT_ACCEPTABLE),
    Row(48, M, {"Accept": "text/plain;q=0.3, image/png"}, 406, JSON, NOT_ACCEPTABLE),
    Row(49, M, {"Accept": "application/cbor"}, 406, JSON, NOT_ACCEPTABLE),
    Row(49, M, {"Accept": "application/cbor,application/json"}, 200, JSON, VALUE),
    Row(50, M, {"Accept": TABLE}, 200, JSON,
        '{"kind":"Table","apiVersion":"meta.k8s.io/v1","metadata":{},"columnDefinitions":['),
    Row(50, M, {"Accept": TABLE}, 200, JSON, r'"cells":["queue-len","\u003cnone\u003e","7","2026-11-21T00:00:00Z"],"object":'
        '{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":{"name":"queue-len",'
        '"creationTimestamp":null}}}]}\n'),
    Row(50, M, {"Accept": PARTIAL}, 406, JSON, NOT_ACCEPTABLE),
    Row(50, M + "?includeObject=x", {"Accept": TABLE}, 422, JSON, "must be 'Metadata', 'Object', 'None', or empty"),
    Row(50, M + "?includeObject=x", {}, 200, JSON, VALUE),
    Row(52, M, {"Accept": "application/json;q=0.1,application/yaml"}, 200, YAML, IN_YAML),
    Row(52, M, {"Accept": "application/yaml;q=0.1,application/json;q=0.2"}, 200, JSON, VALUE),
    *(Row(53, M, {"Accept": accept}, 200, JSON, VALUE) for accept in ("", "*/*", "application/json, */*", "application/*")),
]


@cases(CASES)
class FormsTest(ConformanceCase):
    def test_036_indented_json_has_the_same_content_and_no_line_end(self):
        plain = self.get(M)
        for value in ("1", "true"):
            with self.subTest(value):
                pretty = self.get(M + "?pretty=" + value)

                self.assertEqual(plain.json(), pretty.json())
                self.assertTrue(pretty.text.startswith(INDENTED) and pretty.text.endswith(LAST), pretty.text)
        self.assertTrue(plain.text.endswith("}\n"))

    def test_046_protobuf_is_what_kubernetes_writes(self):
        for accept in (PROTOBUF, PROTOBUF + ", */*", PROTOBUF + "," + JSON):
            with self.subTest(accept):
                answer = self.get(M, {"Accept": accept})

                self.assertEqual((200, PROTOBUF), (answer.status, answer.headers["Content-Type"]))
                self.assertEqual(
                    "6b3873000a3a0a1f65787465726e616c2e6d6574726963732e6b38732e696f2f763162657461311217"
                    "45787465726e616c4d657472696356616c75654c69737412240a060a0012001a00121a0a0971756575652d6c656e"
                    "1a080880be83d80610002a030a01371a002200", answer.body.hex())

    def test_an_error_is_protobuf_when_protobuf_comes_first(self):
        for cert, status, reason in ((None, 403, b"Forbidden"), ("serving", 401, b"Unauthorized"),
                                     ("front-proxy-client", 404, b"NotFound")):
            with self.subTest(status):
                answer = self.get(GROUP + "/namespaces/default", {"Accept": PROTOBUF + ", */*"}, cert)

                self.assertEqual((status, PROTOBUF), (answer.status, answer.headers["Content-Type"]))
                self.assertTrue(answer.body.startswith(b"k8s\0\n\x0c\n\x02v1\x12\x06Status") and reason in answer.body)


class LargeTest(ConformanceCase):
    metrics = tuple(metric(f"metric-{n:04}", "v:7", namespaces=["default"]) for n in range(1500))

    def test_129_a_large_response_is_whole_and_uncompressed(self):
        answer = self.get(GROUP, {"Accept-Encoding": "gzip"})

        self.assertGreater(len(answer.body), 128 * 1024)
        self.assertEqual(str(len(answer.body)), answer.headers["Content-Length"])
        self.assertIsNone(answer.headers["Content-Encoding"])
        self.assertEqual(1501, len(answer.json()["resources"]))


if __name__ == "__main__":
    unittest.main()
