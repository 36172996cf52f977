"""Conformance: OpenAPI v2 and v3, conditional, never a redirect."""
import contextlib
import email.utils
import time
import unittest

from rig import GROUP, JSON, ConformanceCase, Row, cases

V3 = "/openapi/v3" + GROUP
KEY = "apis/external.metrics.k8s.io/v1beta1"


@cases([Row(70, path, {"Accept": "text/html"}, 406, None, "") for path in ("/openapi/v2", V3)])
class OpenApiTest(ConformanceCase):
    def test_068_v2_is_swagger_of_our_group_for_a_caller_without_groups(self):
        self.apiserver.allow = lambda spec: "system:authenticated" in spec["groups"]

        answer = self.get("/openapi/v2", {"Accept": JSON}, user="system:aggregator")

        self.assertEqual((200, JSON, "Accept"), (answer.status, answer.headers["Content-Type"], answer.headers["Vary"]))
        self.assertRegex(answer.headers["ETag"], '^".+"$')
        self.assertEqual("2.0", answer.json()["swagger"])
        self.assertEqual([], [path for path in answer.json()["paths"] if not path.startswith(GROUP + "/")])
        self.assertEqual([{"user": "system:aggregator", "groups": ["system:authenticated"],
                           "nonResourceAttributes": {"path": "/openapi/v2", "verb": "get"}}],
                         self.reviews_of("system:aggregator"))

    def test_069_the_current_tag_is_304(self):
        tags = set()
        for path in ("/openapi/v2", "/openapi/v3", V3):
            with self.subTest(path):
                whole = self.get(path, {"Accept": JSON})
                again = self.get(path, {"Accept": JSON, "If-None-Match": whole.headers["ETag"]})
                other = self.get(path, {"Accept": JSON, "If-None-Match": '"other"'})

                self.assertEqual((200, 304, b"", 200), (whole.status, again.status, again.body, other.status))
                self.assertEqual(("Accept", "Accept"), (whole.headers["Vary"], again.headers["Vary"]))
                tags.add(whole.headers["ETag"])
        self.assertEqual(3, len(tags))

    def test_072_v3_names_only_our_group_with_a_constant_hash(self):
        root = self.get("/openapi/v3").json()
        self.assertEqual([KEY], list(root["paths"]))
        url = root["paths"][KEY]["serverRelativeURL"]

        answer = self.get(url)

        self.assertEqual((200, "public, immutable"), (answer.status, answer.headers["Cache-Control"]))
        self.assertGreater(email.utils.parsedate_to_datetime(answer.headers["Expires"]).timestamp(), time.time() + 300 * 86400)
        self.assertEqual(f'{V3}?hash={answer.headers["ETag"][1:-1]}', url)

    def test_073_a_wrong_hash_gets_the_current_document_without_a_redirect(self):
        wrong, bare = self.get(V3 + "?hash=wrong"), self.get(V3)

        self.assertEqual((200, bare.body, None), (wrong.status, wrong.body, wrong.headers["Location"]))
        self.assertNotIn("immutable", wrong.headers["Cache-Control"])

    def test_074_without_a_hash_the_document_may_change(self):
        answer = self.get(V3)

        self.assertEqual((200, "no-cache, private", None),
                         (answer.status, answer.headers["Cache-Control"], answer.headers["Expires"]))
        self.assertEqual("3.0.0", answer.json()["openapi"])

    def test_after_a_304_the_connection_is_usable(self):
        tag = self.get("/openapi/v2").headers["ETag"]
        with contextlib.closing(self.weir.connection()) as it:
            for headers, status in (({"If-None-Match": tag}, 304), ({}, 200), ({"If-None-Match": tag}, 304)):
                it.request("GET", "/openapi/v2", headers={"X-Remote-User": "alice", **headers})
                answer = it.getresponse()
                self.assertEqual((status, status == 200), (answer.status, bool(answer.read())))


if __name__ == "__main__":
    unittest.main()
