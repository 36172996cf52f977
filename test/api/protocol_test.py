"""The API over HTTP: discovery, routes and methods, selectors, names, health."""
import unittest
import urllib.parse

from support import (GROUP, ScriptedServer, ServerTest, Weir, config, metric, vector)

FP = {"X-Remote-User": "alice"}
GROUP_ENTRY = {"name": "external.metrics.k8s.io",
               "versions": [{"groupVersion": "external.metrics.k8s.io/v1beta1", "version": "v1beta1"}],
               "preferredVersion": {"groupVersion": "external.metrics.k8s.io/v1beta1", "version": "v1beta1"}}
NOT_FOUND = "the server could not find the requested resource"
NOT_ALLOWED = "the server does not allow this method on the requested resource"
VALUE_SHAPE = "unable to parse requirement: values[0][{}]: Invalid value: {}: "
NAMES = ["UPPER.case:x", "a b", "p@th", "naïve", "日本", "100", "q;x", "c++", "a=b&c"]


def path_of(name):
    return f"{GROUP}/namespaces/default/{name}"


class ProtocolTest(ServerTest):
    @classmethod
    def setUpClass(cls):
        folder = cls.new_folder()
        cls.backend = cls.start(ScriptedServer(
            lambda turn: turn.answer(vector(turn.request.query if turn.request.query.isdigit() else 9))))
        metrics = [metric("queue-len", "7", namespaces=["default"]),
                   metric("by_label", '"$(a)"', namespaces=["default"], labels={"a": {"pattern": ".*", "default": "x"}}),
                   metric("zzz", "1", namespaces=["other"])]
        metrics += [metric(name, "8", namespaces=["default"]) for name in NAMES]
        cls.weir = cls.start(Weir(folder / "weir", config(cls.backend.url, *metrics)))
        cls.empty = cls.start(Weir(folder / "empty", "metrics: []\n"))

    def get(self, path, method="GET", headers=None):
        return self.weir.get(path, {**FP, **(headers or {})}, method=method)

    def test_discovery_lists_the_group_its_version_and_every_metric(self):
        for path in ("/apis", "/apis/"):
            with self.subTest(path):
                self.assertEqual({"kind": "APIGroupList", "apiVersion": "v1", "groups": [GROUP_ENTRY]},
                                 self.get(path).json())
        for path in ("/apis/external.metrics.k8s.io", "/apis/external.metrics.k8s.io/"):
            with self.subTest(path):
                self.assertEqual({"kind": "APIGroup", "apiVersion": "v1", **GROUP_ENTRY}, self.get(path).json())
        for path in (GROUP, GROUP + "/", GROUP + "?timeout=32s"):
            with self.subTest(path):
                answer = self.get(path)

                self.assertEqual((200, "application/json"), (answer.status, answer.headers["Content-Type"]))
                resource_list = answer.json()
                self.assertEqual(("APIResourceList", "v1", "external.metrics.k8s.io/v1beta1"),
                                 (resource_list["kind"], resource_list["apiVersion"], resource_list["groupVersion"]))
                self.assertEqual(sorted(["queue-len", "by_label", "zzz", "externalmetrics", *map(str.lower, NAMES)], key=str.encode),
                                 [resource["name"] for resource in resource_list["resources"]])
                self.assertEqual({(True, "")}, {(resource["namespaced"], resource["singularName"]) for resource in resource_list["resources"]})
                self.assertEqual({resource["name"]: resource["name"] for resource in resource_list["resources"]} |
                                 {"externalmetrics": "ExternalMetricValue"},
                                 {resource["name"]: resource["kind"] for resource in resource_list["resources"]})
                self.assertEqual([["get"]], [list(verbs) for verbs in {tuple(resource["verbs"]) for resource in resource_list["resources"]}])

    def test_discovery_is_never_empty(self):
        self.assertEqual(["externalmetrics"],
                         [resource["name"] for resource in self.empty.get(GROUP, FP).json()["resources"]])

    def test_a_response_has_the_form_that_clients_parse(self):
        answer = self.get(path_of("queue-len"))

        self.assertEqual((200, "application/json", "no-cache, private", "nosniff"),
                         (answer.status, *(answer.headers[name] for name in
                                           ("Content-Type", "Cache-Control", "X-Content-Type-Options"))))
        self.assertEqual('{"kind":"ExternalMetricValueList","apiVersion":"external.metrics.k8s.io/v1beta1","metadata":{},'
                         '"items":[{"metricName":"queue-len","metricLabels":{},"timestamp":"2026-11-21T00:00:00Z",'
                         '"value":"7"}]}\n', answer.text)

    def test_parameters_without_effect_do_not_change_the_read(self):
        table = ["/", "?watch=false", "?watch=0", "?watch=False", "?foo=bar", "?limit=1", "?limit=500", "?labelSelector=",
                 "?labelSelector=%20%09", "?", "?&&", "?fieldSelector=metadata.name%3Dfoo"]
        for tail in table:
            with self.subTest(tail):
                self.assert_values(self.get(path_of("queue-len") + tail), "7")

    def test_accept_headers_that_clients_send_get_json(self):
        for accept in ("application/json, */*", "*/*", "", "application/json", "application/*"):
            with self.subTest(accept):
                answer = self.get(path_of("queue-len"), headers={"Accept": accept, "Accept-Encoding": "gzip"})

                self.assert_values(answer, "7")
                self.assertEqual("application/json", answer.headers["Content-Type"])

    def test_404_and_405_are_distinguished(self):
        table = [
            ("no namespaces", GROUP + "/queue-len", 404), ("no metric", GROUP + "/namespaces/default", 404),
            ("no namespace", GROUP + "/namespaces//queue-len", 404), ("too deep", path_of("queue-len") + "/x", 404),
            ("another word", GROUP + "/nodes/default/queue-len", 404),
            ("status of the namespace", GROUP + "/namespaces/default/status", 404),
            ("an encoded slash", path_of("queue%2Flen"), 404), ("dots up", path_of("..%2f..%2fqueue-len"), 404),
            ("two slashes", path_of("queue-len") + "//", 404),
        ]
        for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
            for name, path, status in table[:4]:
                with self.subTest(name, method=method):
                    self.assertEqual(status, self.get(path, method).status)
        for name, path, _ in table:
            if name == "status of the namespace":
                continue  # a metric's name as any other: not configured
            with self.subTest(name):
                self.assert_status(self.get(path), 404, "NotFound", NOT_FOUND)
                self.assertEqual({}, self.get(path).json()["details"])
        message = self.get(table[5][1]).json()["message"]
        self.assertTrue(message.startswith("metric default/status is not configured; this namespace has "), message)

    def test_a_query_that_cannot_be_decoded_is_rejected_and_no_selector_is_dropped(self):
        for tail in ("?a;b=c", "?%zz=1", "?labelSelector=q%3Da;x", "?labelSelector=q%3D%zz"):
            with self.subTest(tail):
                self.assertEqual(400, self.get(path_of("queue-len") + tail).status)

    def test_methods_but_get_are_405_on_api_routes(self):
        for path in ("/apis", "/apis/external.metrics.k8s.io", GROUP, path_of("queue-len"), path_of("nowhere")):
            for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
                with self.subTest(path, method=method):
                    answer = self.get(path, method)

                    self.assert_status(answer, 405, "MethodNotAllowed", NOT_ALLOWED)
                    self.assertEqual({}, answer.json()["details"])
            with self.subTest(path, method="HEAD"):
                answer = self.get(path, "HEAD")

                self.assertEqual((405, b""), (answer.status, answer.body))

    def test_watch_is_405(self):
        for value in ("true", "1", "", "yes", "TRUE"):
            with self.subTest(value):
                answer = self.get(path_of("queue-len") + "?watch=" + value)

                self.assert_status(answer, 405, "MethodNotAllowed",
                                   'watch is not supported on resources of kind "*.external.metrics.k8s.io"')
                self.assertEqual({"group": "external.metrics.k8s.io", "kind": "*"}, answer.json()["details"])

    def test_paths_outside_the_group_are_plain_404(self):
        for path in ("/nope", "/api", "/apis/external.metrics.k8s.io/v1", "/apis/apps", "/apis/apps/v1",
                     "/apis/external.metrics.k8s.io/v1/namespaces/default/queue-len", "/apisx", "//apis"):
            with self.subTest(path):
                answer = self.get(path)

                self.assertEqual((404, "404 page not found\n", "text/plain; charset=utf-8", "nosniff"),
                                 (answer.status, answer.text, answer.headers["Content-Type"],
                                  answer.headers["X-Content-Type-Options"]))

    def test_a_selector_of_the_wrong_form_is_400_in_kubernetes_words(self):
        table = [
            ("two words", "a=b c", "found 'c', expected: ',' or 'end of string'"),
            ("a second =", "a=b=c", "found '=', expected: ',' or 'end of string'"),
            ("a leading comma", ",a", "found ',', expected: !, identifier, or 'end of string'"),
            ("a trailing comma", "a,", "found '', expected: identifier after ','"),
            ("in without brackets", "a in b", "unable to parse requirement: found 'b' expected: '('"),
            ("in without an end", "a in (b", "unable to parse requirement: found '', expected: ',' or ')'"),
            ("no operator", "a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"),
            ("! as a value", "a=!b", "unable to parse requirement: found '!', expected: identifier"),
            ("twice !", "!!a", "unable to parse requirement: found '!', expected: identifier"),
            ("no prefix", "/a=b", 'unable to parse requirement: <nil>: Invalid value: "/a": prefix part must be non-empty'),
        ]
        for name, selector, text in table:
            with self.subTest(name):
                answer = self.weir.metric("default", "by_label", selector)

                if name == "no prefix":  # Kubernetes adds what a name looks like
                    self.assertTrue(answer.json()["message"].startswith(text), answer.text)
                else:
                    self.assert_status(answer, 400, "BadRequest", text)
                    self.assertNotIn("details", answer.json())

    def test_a_value_of_the_wrong_form_is_400(self):
        table = [("a dash in front", "a=-b", "-b"), ("a quote", 'a="b"', '\\"b\\"'), ("64 bytes", "a=" + "x" * 64, "x" * 64),
                 ("a pattern", "a=.*", ".*"), ("UTF-8", "a=\u00e4", "\u00e4"), ("a percent sign", "a=b%", "b%"),
                 ("an alternative", "a=b|c", "b|c"), ("a dollar", "a=$a", "$a")]
        for name, selector, query_text in table:
            with self.subTest(name):
                answer = self.weir.metric("default", "by_label", selector)

                self.assertEqual((400, "BadRequest"), (answer.status, answer.json()["reason"]))
                self.assertTrue(answer.json()["message"].startswith(VALUE_SHAPE.format("a", f'"{query_text}"')), answer.text)

    def test_a_value_may_have_63_bytes(self):
        self.assert_values(self.weir.metric("default", "by_label", "a=" + "y" * 63), "9")
        self.assertEqual(f'"{"y" * 63}"', self.backend.requests[-1].query)

    def test_the_first_of_two_selectors_is_used(self):
        base = path_of("by_label")

        self.get(base + "?labelSelector=a%3Dfirst&labelSelector=a%3D-")
        first = self.backend.requests[-1].query
        wrong_first = self.get(base + "?labelSelector=a%3D-&labelSelector=a%3Dsecond")

        self.assertEqual(('"first"', 400), (first, wrong_first.status))

    def test_a_plus_in_a_query_is_a_space(self):
        self.get(path_of("by_label") + "?labelSelector=a+in+%28plus%29")

        self.assertEqual('"plus"', self.backend.requests[-1].query)

    def test_encoded_names_are_served(self):
        for name in NAMES:
            with self.subTest(name):
                answer = self.get(path_of(urllib.parse.quote(name)))

                self.assert_values(answer, "8")
                self.assertEqual(name, answer.json()["items"][0]["metricName"])

    def test_a_hostile_name_is_404_or_400_and_stays_printable(self):
        table = [
            ("encoded dots up", "%2e%2e%2fqueue-len", 404), ("double encoding", "queue%252Dlen", 404),
            ("NUL", "queue-len%00", 400), ("half an escape", "queue-len%2", 400), ("no hex", "%zz", 400),
            ("semicolon", "queue-len;x", 404), ("dot", ".", 404), ("two dots", "..", 404),
            ("newline", "queue%0alen", 404), ("escape sequence", "%1b%5b31m", 404), ("invalid UTF-8", "%ff%fe", 404),
            ("a quote", "%22", 404), ("a tag", "%3Cscript%3E", 404), ("long", "x" * 8000, 404),
        ]
        for name, segment, status in table:
            with self.subTest(name):
                answer = self.get(path_of(segment))

                self.assertEqual(status, answer.status, answer.text[:300])
                self.assertEqual("Failure", answer.json()["status"])
                self.assertNotIn(b"<", answer.body)
                self.assertNotIn(b"\x1b", answer.body)
        self.assert_values(self.get(path_of("queue-len")), "7")


class HealthTest(ServerTest):
    @classmethod
    def setUpClass(cls):
        cls.weir = cls.start(Weir(cls.new_folder() / "weir", "metrics: []\n"))

    def test_health_endpoints_respond_like_a_kubernetes_server(self):
        table = [
            ("healthz", "/healthz", 200, "ok"), ("livez", "/livez", 200, "ok"), ("readyz", "/readyz", 200, "ok"),
            ("verbose", "/readyz?verbose", 200, "[+]ping ok\n[+]shutdown ok\nreadyz check passed\n"),
            ("verbose with a value", "/livez?verbose=true", 200, "[+]ping ok\nlivez check passed\n"),
            ("verbose healthz", "/healthz?verbose", 200, "[+]ping ok\nhealthz check passed\n"),
            ("excluded", "/readyz?exclude=ping&verbose", 200,
             "[+]ping excluded: ok\n[+]shutdown ok\nreadyz check passed\n"),
            ("two excluded", "/readyz?exclude=ping&exclude=shutdown&verbose", 200,
             "[+]ping excluded: ok\n[+]shutdown excluded: ok\nreadyz check passed\n"),
            ("unknown excluded", "/readyz?exclude=x&verbose", 200,
             '[+]ping ok\n[+]shutdown ok\nwarn: some health checks cannot be excluded: no matches for "x"\n'
             "readyz check passed\n"),
        ]
        for name, path, status, text in table:
            with self.subTest(name):
                answer = self.weir.get(path, cert=None)

                self.assertEqual((status, text, "text/plain; charset=utf-8", "nosniff"),
                                 (answer.status, answer.text, answer.headers["Content-Type"],
                                  answer.headers["X-Content-Type-Options"]))

    def test_one_check_needs_an_identity(self):
        table = [("/healthz/ping", 200, "ok"), ("/readyz/shutdown", 200, "ok"), ("/livez/shutdown", 404, None),
                 ("/readyz/nope", 404, None), ("/healthz/ping/x", 404, None)]
        for path, status, text in table:
            with self.subTest(path):
                answer = self.weir.get(path, FP)

                self.assertEqual((status, text or "404 page not found\n"), (answer.status, answer.text))
                self.assertEqual(403, self.weir.get(path, cert=None).status)

    def test_health_needs_no_valid_certificate(self):
        self.assertEqual(200, self.weir.get("/readyz", cert="serving").status)

    def test_health_endpoints_accept_every_method(self):
        for method in ("HEAD", "POST", "PUT", "DELETE"):
            with self.subTest(method):
                self.assertEqual(200, self.weir.get("/livez", cert=None, method=method).status)


if __name__ == "__main__":
    unittest.main()
