"""Callers that try to use another identity or read another tenant's value: smuggled headers, failed reviews, shared names."""
import unittest

from cluster_test import ClusterCase
from support import (ACCESS_REVIEWS, TOKEN_REVIEWS, Refuse, ScriptedServer, ServerTest, Weir, answer_to, config, metric,
                     metric_path, vector)

PATH = metric_path("ml-inference", "up")


class SmuggledHeaderTest(ClusterCase):
    def test_S06_a_user_in_a_trailer_an_extension_or_a_fold_is_never_seen(self):
        first = f"GET {PATH} HTTP/1.1\r\nHost: weir\r\n"
        chunked = first + "Transfer-Encoding: chunked\r\n"
        user = "X-Remote-User: root\r\nX-Remote-Group: system:masters\r\n"
        table = [
            ("a trailer", chunked + "\r\n0\r\n" + user + "\r\n"),
            ("an announced trailer", chunked + "Trailer: X-Remote-User, X-Remote-Group\r\n\r\n0\r\n" + user + "\r\n"),
            ("a trailer behind a chunk", chunked + "\r\n1\r\nx\r\n0\r\n" + user + "\r\n"),
            ("a chunk extension", chunked + "\r\n0;X-Remote-User=root;X-Remote-Group=system:masters\r\n\r\n"),
            ("an extension with line ends", chunked + "\r\n0;a=\"\r\n" + user + "\"\r\n\r\n"),
            ("behind a fold", first + "X-A: b\r\n " + user + "\r\n"),
            ("itself folded", first + "X-Remote-User:\r\n root\r\nX-Remote-Group:\r\n system:masters\r\n\r\n"),
            ("a body", first + f"Content-Length: {len(user)}\r\n\r\n" + user),
        ]
        before = len(self.apiserver.access_reviews), len(self.backend.requests)
        for name, data in table:
            with self.subTest(name):
                answer = answer_to(self.weir, data.encode())

                self.assertTrue(answer.startswith(b"HTTP/1.1 400 "), answer[:200])
                self.assertEqual(1, answer.count(b"HTTP/1.1 "), answer)
                self.assertNotIn(b"root", answer)
        self.assertEqual(before, (len(self.apiserver.access_reviews), len(self.backend.requests)))


class FailedReviewTest(ClusterCase):
    def test_S08_a_token_that_has_expired_is_401(self):
        self.apiserver.users["expired"] = {"authenticated": False, "error": "token has expired",
                                           "user": {"username": "root", "groups": ["system:masters"]}}

        self.assert_status(self.with_token("expired"), 401, "Unauthorized", "Unauthorized")

    def test_S11_reviews_that_only_ever_fail_deny(self):
        for code in (500, 503, 429):
            with self.subTest(code):
                self.apiserver.always = {ACCESS_REVIEWS: Refuse(code), TOKEN_REVIEWS: Refuse(code)}
                before = len(self.backend.requests)

                self.assertEqual(500, self.read(f"S11-only-{code}").status)
                self.assert_status(self.with_token(f"S11-only-{code}"), 401, "Unauthorized", "Unauthorized")
                self.assertEqual(before, len(self.backend.requests))


class SharedNameTest(ServerTest):
    def test_S14_one_name_in_two_namespaces_is_two_values(self):
        values = {"of_a": 1, "of_b": 2, 'x{tenant="a"}': 3, 'x{tenant="b"}': 4}
        backend = self.start_in_test(ScriptedServer(lambda turn: turn.answer(vector(values[turn.request.query]))))
        weir = self.start_in_test(Weir(self.folder() / "weir", config(
            backend.url, metric("depth", "of_a", namespaces=["a"], freshness="10m"),
            metric("depth", "of_b", namespaces=["b"], freshness="10m"),
            metric("own", 'x{tenant="$(namespace)"}', namespaces=["a", "b"], freshness="10m"))))

        for _ in range(2):  # the second time from what is kept
            for namespace, name, value in (("a", "depth", "1"), ("b", "depth", "2"), ("a", "own", "3"), ("b", "own", "4")):
                with self.subTest(namespace, name=name):
                    self.assert_values(weir.metric(namespace, name), value)

        self.assertEqual(list(values), [request.query for request in backend.requests])
        self.assertEqual(404, weir.metric("c", "depth").status)


if __name__ == "__main__":
    unittest.main()
