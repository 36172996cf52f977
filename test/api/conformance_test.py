"""The wire contract by its numbered cases: how an answer is negotiated, discovered, refused and marked."""
import concurrent.futures
import contextlib
import re
import threading
import time
import unittest

from support import GROUP, ScriptedServer, ServerTest, Weir, config, metric, metric_path, vector

FP = {"X-Remote-User": "alice"}
M = metric_path("default", "queue-len")
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
AGGREGATED_BETA = "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
PROTOBUF = "application/vnd.kubernetes.protobuf"
JSON, YAML = "application/json", "application/yaml"
OPENAPI_GROUP = "/openapi/v3/apis/external.metrics.k8s.io/v1beta1"
ONLY = "only the following media types are accepted: application/json, application/yaml, " + PROTOBUF
UUID = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
VALUE = '"value":"7"'
ALONE = "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided"

# number, path, headers, status, content type, what stands in the body
CASES = [
    (1, M, {}, 200, JSON, '"kind":"ExternalMetricValueList","apiVersion":"external.metrics.k8s.io/v1beta1","metadata":{}'),
    (25, M + "?limit=1", {}, 200, JSON, VALUE),
    (26, M + "?limit=x", {}, 400, JSON, r'"strconv.ParseInt: parsing \"x\": invalid syntax","reason":"BadRequest","code":400'),
    (26, M + "?timeoutSeconds=1.5", {}, 400, JSON, r'parsing \"1.5\": invalid syntax'),
    (28, M + "?fieldSelector=metadata.name%3Dfoo", {}, 200, JSON, VALUE),
    (29, M + "?fieldSelector=spec.x%3D1", {}, 400, JSON,
     r'"\"spec.x\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\""'),
    (30, M + "?resourceVersionMatch=Exact", {}, 422, JSON, r'"ListOptions.meta.k8s.io \"\" is invalid: ' + ALONE
     + '","reason":"Invalid","details":{"group":"meta.k8s.io","kind":"ListOptions","causes":[{"reason":"FieldValueForbidden"'),
    (30, M + "?sendInitialEvents=true", {}, 422, JSON, "sendInitialEvents is forbidden for list"),
    (36, M + "?pretty=true", {}, 200, JSON, '{\n  "kind": "ExternalMetricValueList",\n  "apiVersion"'),
    (37, M, {"User-Agent": "curl/8.0"}, 200, JSON, '{\n  "kind": "ExternalMetricValueList",\n'),
    (37, M + "?pretty=false", {"User-Agent": "curl/8.0"}, 200, JSON, VALUE),
    (37, M, {"Accept": JSON + ";pretty=1"}, 200, JSON, '\n      "value": "7"\n    }\n  ]\n}'),
    (45, M, {"Accept": YAML}, 200, YAML, '- metricLabels: {}\n  metricName: queue-len\n  timestamp: "2026-11-21T00:00:00Z"\n'
     '  value: "7"\nkind: ExternalMetricValueList\nmetadata: {}\n'),
    (46, M, {"Accept": PROTOBUF}, 200, PROTOBUF, "k8s\0\n:\n\x1fexternal.metrics.k8s.io/v1beta1\x12\x17ExternalMetricValueList"),
    (46, M, {"Accept": PROTOBUF + ", */*"}, 200, PROTOBUF, "queue-len"),
    (48, M, {"Accept": "text/plain"}, 406, JSON, f'"message": "{ONLY}",\n  "reason": "NotAcceptable",\n  "code": 406\n}}'),
    (48, M + "?limit=x", {"Accept": "text/plain"}, 406, JSON, ONLY),
    (49, M, {"Accept": "application/cbor"}, 406, JSON, ONLY),
    (49, M, {"Accept": "application/cbor,application/json"}, 200, JSON, VALUE),
    (50, M, {"Accept": TABLE}, 200, JSON, '{"kind":"Table","apiVersion":"meta.k8s.io/v1","metadata":{},"columnDefinitions":['),
    (50, M, {"Accept": TABLE}, 200, JSON, r'"cells":["queue-len","\u003cnone\u003e","7","2026-11-21T00:00:00Z"],"object":{"kind":'
     '"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":{"name":"queue-len","creationTimestamp":null}}}]}\n'),
    (50, M, {"Accept": TABLE.replace("Table", "PartialObjectMetadataList")}, 406, JSON, ONLY),
    (50, M + "?includeObject=x", {"Accept": TABLE}, 422, JSON, "must be 'Metadata', 'Object', 'None', or empty"),
    (50, M + "?includeObject=x", {}, 200, JSON, VALUE),
    (52, M, {"Accept": "application/json;q=0.1,application/yaml"}, 200, YAML, 'value: "7"'),
    (53, M, {"Accept": ""}, 200, JSON, VALUE),
    (60, GROUP, {}, 200, JSON, '{"name":"queue-len","singularName":"","namespaced":true,"kind":"queue-len","verbs":["get"]}'),
    (62, "/apis", {"Accept": AGGREGATED + "," + AGGREGATED_BETA}, 200, AGGREGATED,
     '"apiVersion":"apidiscovery.k8s.io/v2","metadata":{},"items":[{"metadata":{"name":"external.metrics.k8s.io"},'),
    (62, "/apis", {"Accept": AGGREGATED}, 200, AGGREGATED, '],"freshness":"Current"}]}]}\n'),
    (64, "/apis", {"Accept": AGGREGATED_BETA}, 406, JSON, '"reason": "NotAcceptable"'),
    (64, "/apis", {"Accept": AGGREGATED_BETA + ",application/json"}, 200, JSON, '{"kind":"APIGroupList",'),
    (65, "/apis", {"Accept": JSON}, 200, JSON, '{"kind":"APIGroupList",'),
    (66, "/apis/external.metrics.k8s.io", {"Accept": YAML}, 200, YAML, "kind: APIGroup\nname: external.metrics.k8s.io\n"),
    (68, "/openapi/v2", {"Accept": JSON}, 200, JSON, '"swagger":"2.0"'),
    (70, "/openapi/v2", {"Accept": "text/html"}, 406, None, ""),
    (70, OPENAPI_GROUP, {"Accept": "text/html"}, 406, None, ""),
    (73, OPENAPI_GROUP + "?hash=wrong", {}, 200, JSON, '"openapi":"3.0.0"'),
    (74, OPENAPI_GROUP, {}, 200, JSON, '"openapi":"3.0.0"'),
    (84, "/version", {}, 200, JSON, '{\n  "major": "0",\n'),
    (84, "/", {}, 200, JSON, '{\n  "paths": [\n    "/apis",\n'),
    (84, "/index.html", {}, 200, JSON, '"/version"\n  ]\n}'),
    (85, "/nope", {"Accept": PROTOBUF}, 404, "text/plain; charset=utf-8", "404 page not found\n"),
    (40, GROUP + "/queue-len", {"Accept": YAML}, 404, YAML, "details: {}\nkind: Status\n"),
    (41, GROUP + "/namespaces/default", {"Accept": PROTOBUF}, 404, PROTOBUF, "k8s\0\n\x0c\n\x02v1\x12\x06Status"),
    (32, M + "?watch=true", {"User-Agent": "curl/8.0"}, 405, JSON, '{\n  "kind": "Status",\n'),
    (22, M + "?limit=1&limit=x", {}, 200, JSON, VALUE),
    (34, M + "?timeout=32s", {}, 200, JSON, VALUE),
]


class ConformanceTest(ServerTest):
    @classmethod
    def setUpClass(cls):
        folder = cls.new_folder()
        cls.backend = cls.start(ScriptedServer(lambda turn: turn.answer(vector(7))))
        never = threading.Event()
        cls.held = cls.start(ScriptedServer(lambda turn: never.wait(30)))
        cls.addClassCleanup(never.set)
        metrics = [metric("queue-len", "7", namespaces=["default"])]
        cls.weir = cls.start(Weir(folder / "weir", config(cls.backend.url, *metrics)))
        many = [metric(f"metric-{n:04}", "7", namespaces=["default"], deadline="2s") for n in range(1500)]
        cls.many = cls.start(Weir(folder / "many", config(cls.held.url, *many)))

    def get(self, path, headers=None, weir=None, **options):
        return (weir or self.weir).get(path, {**FP, **(headers or {})}, **options)

    def test_the_cases(self):
        for number, path, headers, status, content_type, text in CASES:
            with self.subTest(case=number, path=path, headers=headers):
                answer = self.get(path, headers)

                self.assertEqual((status, content_type), (answer.status, answer.headers["Content-Type"]), answer.text)
                self.assertIn(text.encode("latin-1"), answer.body)
                self.assertEqual(not text, not answer.body)
                self.assertEqual("nosniff", answer.headers["X-Content-Type-Options"])
                self.assertNotIn("Retry-After", answer.headers)

    def test_36_indented_json_says_the_same_and_has_no_line_end(self):
        plain, pretty = self.get(M), self.get(M + "?pretty=1")

        self.assertEqual(plain.json(), pretty.json())
        self.assertTrue(plain.text.endswith("}\n") and pretty.text.endswith("\n}"))

    def test_46_protobuf_is_what_kubernetes_writes(self):
        answer = self.get(M, {"Accept": PROTOBUF})

        self.assertEqual("6b3873000a3a0a1f65787465726e616c2e6d6574726963732e6b38732e696f2f763162657461311217"
                         "45787465726e616c4d657472696356616c75654c69737412240a060a0012001a00121a0a0971756575652d6c656e"
                         "1a080880be83d80610002a030a01371a002200", answer.body.hex())

    def test_61_discovery_is_quick_while_every_backend_hangs(self):
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            reads = [pool.submit(self.get, metric_path("default", f"metric-{n:04}"), None, self.many) for n in range(20)]
            self.held.wait_asked(1)
            started = time.monotonic()
            answers = [self.many.get(path, {"X-Remote-User": "system:kube-aggregator", "X-Remote-Group": "system:masters"})
                       for path in [GROUP] * 10 + ["/apis"] * 10]
            took = time.monotonic() - started
            self.assertEqual({504}, {read.result().status for read in reads})

        self.assertEqual({200}, {answer.status for answer in answers})
        self.assertLess(took, 1.5)

    def test_62_aggregated_discovery_is_conditional(self):
        for accept in (AGGREGATED, AGGREGATED + "," + AGGREGATED_BETA + ",application/json", AGGREGATED + ";profile=nopeer"):
            with self.subTest(accept):
                whole = self.get("/apis", {"Accept": accept})
                again = self.get("/apis", {"Accept": accept, "If-None-Match": whole.headers["ETag"]})

                self.assertRegex(whole.headers["ETag"], '^"[0-9A-F]{32}"$')
                self.assertEqual((304, b""), (again.status, again.body))
                for answer in (whole, again):
                    self.assertEqual(("Accept", "public", [whole.headers["ETag"]]),
                                     (answer.headers["Vary"], answer.headers["Cache-Control"], answer.headers.get_all("ETag")))
        other = self.get("/apis", {"Accept": AGGREGATED}, self.many)
        self.assertNotEqual(whole.headers["ETag"], other.headers["ETag"])

    def test_69_openapi_is_conditional(self):
        tags = set()
        for path in ("/openapi/v2", "/openapi/v3", OPENAPI_GROUP):
            with self.subTest(path):
                whole = self.get(path, {"Accept": JSON})
                again = self.get(path, {"Accept": JSON, "If-None-Match": whole.headers["ETag"]})

                self.assertEqual((200, 304, b""), (whole.status, again.status, again.body))
                self.assertEqual(("Accept", "Accept"), (whole.headers["Vary"], again.headers["Vary"]))
                tags.add(whole.headers["ETag"])
        self.assertEqual(3, len(tags))

    def test_a_304_leaves_the_connection_in_step(self):
        tag = self.get("/openapi/v2").headers["ETag"]
        with contextlib.closing(self.weir.connection()) as it:
            for headers, status in (({"If-None-Match": tag}, 304), ({}, 200), ({"If-None-Match": tag}, 304)):
                it.request("GET", "/openapi/v2", headers={**FP, **headers})
                answer = it.getresponse()
                self.assertEqual((status, status == 200), (answer.status, bool(answer.read())))

    def test_72_openapi_of_the_group_by_its_hash_never_changes(self):
        root = self.get("/openapi/v3").json()
        self.assertEqual(["apis/external.metrics.k8s.io/v1beta1"], list(root["paths"]))
        url = root["paths"]["apis/external.metrics.k8s.io/v1beta1"]["serverRelativeURL"]

        exact, bare = self.get(url), self.get(OPENAPI_GROUP)

        self.assertEqual((200, "public, immutable"), (exact.status, exact.headers["Cache-Control"]))
        self.assertIn("Expires", exact.headers)
        self.assertEqual((bare.body, "no-cache, private", None),
                         (exact.body, bare.headers["Cache-Control"], bare.headers["Expires"]))
        self.assertEqual(f'{OPENAPI_GROUP}?hash={exact.headers["ETag"][1:-1]}', url)

    def test_118_an_audit_id_is_echoed_or_made(self):
        for path, cert in ((M, "front-proxy-client"), ("/nope", "front-proxy-client"), ("/readyz", None), (M, None)):
            with self.subTest(path, cert=cert):
                given = self.get(path, {"Audit-ID": "abc-1"}, cert=cert)
                made = [self.get(path, headers, cert=cert).headers["Audit-Id"]
                        for headers in ({}, {}, {"Audit-ID": "x" * 65}, {"Audit-ID": "a b"})]

                self.assertEqual(["abc-1"], given.headers.get_all("Audit-Id"))
                self.assertEqual(4, len(set(made)))
                self.assertEqual([True] * 4, [bool(UUID.fullmatch(one)) for one in made])

    def test_a_bad_timeout_is_400_before_anybody_is_asked_who_they_are(self):
        text = 'invalid timeout specified in the request URL - time: invalid duration "abc"'
        for cert in ("front-proxy-client", None, "serving"):
            for path in (M, "/nope", GROUP):
                with self.subTest(path, cert=cert):
                    self.assert_status(self.weir.get(path + "?timeout=abc", FP, cert), 400, "BadRequest", text)

    def test_a_timeout_ends_a_read_earlier(self):
        started = time.monotonic()

        answer = self.get(metric_path("default", "metric-0042") + "?timeout=300ms", weir=self.many)

        self.assertEqual((504, "Timeout"), (answer.status, answer.json()["reason"]))
        self.assertLess(time.monotonic() - started, 1.5)

    def test_124_whoever_may_not_read_learns_nothing_in_any_form(self):
        before = len(self.backend.asked)
        for path in (M, M + "?limit=x", GROUP + "/nope", "/version", "/", "/openapi/v2", "/openapi/v3"):
            for accept in (JSON, "text/plain", AGGREGATED):
                with self.subTest(path, accept=accept):
                    answer = self.weir.get(path, {"Accept": accept}, cert=None)

                    self.assertEqual((403, "Forbidden"), (answer.status, answer.json()["reason"]))
        self.assertEqual(before, len(self.backend.asked))

    def test_a_refusal_is_protobuf_when_protobuf_comes_first(self):
        for cert, status, reason in ((None, 403, b"Forbidden"), ("serving", 401, b"Unauthorized")):
            with self.subTest(status):
                answer = self.weir.get(M, {"Accept": PROTOBUF + ", */*"}, cert)

                self.assertEqual((status, PROTOBUF), (answer.status, answer.headers["Content-Type"]))
                self.assertTrue(answer.body.startswith(b"k8s\0") and reason in answer.body)

    def test_129_a_large_answer_is_whole(self):
        answer = self.get(GROUP, {"Accept-Encoding": "gzip"}, self.many)

        self.assertGreater(len(answer.body), 128 * 1024)
        self.assertIsNone(answer.headers["Content-Encoding"])
        self.assertEqual(1501, len(answer.json()["resources"]))

    def test_methods_but_get_are_405_on_what_is_answered_from_bytes(self):
        for path in ("/openapi/v2", "/openapi/v3", OPENAPI_GROUP, "/version", "/", "/apis"):
            for method in ("POST", "HEAD", "OPTIONS", "DELETE"):
                with self.subTest(path, method=method):
                    self.assertEqual(405, self.get(path, method=method).status)


if __name__ == "__main__":
    unittest.main()
