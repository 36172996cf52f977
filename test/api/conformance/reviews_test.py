"""Conformance: the reviews of tokens and access that the kube-apiserver gets, and the effect of its verdicts."""
import time
import unittest

from support import TOKEN_REVIEWS, Refuse
from rig import AGGREGATED, ANONYMOUS, GROUP, JSON, ConformanceCase, M, listing, metric, metric_path

KEPT_SECONDS = 10


class ReviewsTest(ConformanceCase):
    metrics = (*ConformanceCase.metrics, metric("everywhere", "v:7", namespaces=["a", "b"], freshness="10m"))

    def with_token(self, token, path=M):
        return self.weir.get(path, {"Authorization": "Bearer " + token}, None)

    def reviews_of_token(self, token):
        return [spec for spec in self.apiserver.token_reviews if spec["token"] == token]

    def test_086_an_anonymous_reader_is_reviewed_and_denied(self):
        answer = self.weir.get(M, cert=None)

        self.assert_status(answer, 403, "Forbidden", 'queue-len.external.metrics.k8s.io is forbidden: User "system:anonymous" '
                           'cannot list resource "queue-len" in API group "external.metrics.k8s.io" in the namespace "default"')
        self.assertEqual({"group": "external.metrics.k8s.io", "kind": "queue-len"}, answer.json()["details"])
        self.assertIn({"user": ANONYMOUS, "groups": ["system:unauthenticated"], "resourceAttributes": listing("queue-len")},
                      self.reviews_of(ANONYMOUS))

    def test_094_a_token_is_its_user_or_401_and_reviewed_without_audiences(self):
        self.apiserver.users["good-94"] = {"authenticated": True, "user": {
            "username": "row-94", "uid": "u-1", "groups": ["g"], "extra": {"scopes": ["x", "y"]}}}

        self.assert_values(self.with_token("good-94"), "7")
        self.assert_status(self.with_token("bad-94"), 401, "Unauthorized", "Unauthorized")

        self.assertEqual([[{"token": "good-94"}], [{"token": "bad-94"}]],
                         [self.reviews_of_token(token) for token in ("good-94", "bad-94")])
        self.assertEqual([{"user": "row-94", "uid": "u-1", "groups": ["g", "system:authenticated"],
                           "extra": {"scopes": ["x", "y"]}, "resourceAttributes": listing("queue-len")}], self.reviews_of("row-94"))

    def test_096_a_token_review_that_fails_twice_is_sent_again(self):
        self.apiserver.users["t-96"] = {"authenticated": True, "user": {"username": "row-96"}}
        self.apiserver.trouble[TOKEN_REVIEWS] = [Refuse(500), Refuse(500)]

        self.assert_values(self.with_token("t-96"), "7")

        self.assertEqual([], self.apiserver.trouble[TOKEN_REVIEWS])
        self.assertEqual(1, len(self.reviews_of_token("t-96")))

    def test_100_system_masters_is_not_reviewed(self):
        self.apiserver.allow = lambda spec: False

        self.assert_values(self.get(M, {"X-Remote-Group": "system:masters"}, user="row-100"), "7")

        self.assertEqual([], self.reviews_of("row-100"))

    def test_101_a_403_contains_the_reason(self):
        self.apiserver.allow = lambda spec: (False, "no")

        answer = self.get(M, user="row-101")

        self.assert_status(answer, 403, "Forbidden", 'queue-len.external.metrics.k8s.io is forbidden: User "row-101" cannot '
                           'list resource "queue-len" in API group "external.metrics.k8s.io" in the namespace "default": no')
        self.assertEqual({"group": "external.metrics.k8s.io", "kind": "queue-len"}, answer.json()["details"])

    def test_102_a_verdict_is_cached_for_ten_seconds_and_no_longer(self):
        users = {"row-102-good": 200, "row-102-bad": 403}
        self.apiserver.allow = lambda spec: spec["user"] == "row-102-good"
        begin = time.monotonic()
        for user, code in users.items():
            self.assertEqual([code] * 2, [self.get(M, user=user).status for _ in range(2)])
            self.assertEqual(1, len(self.reviews_of(user)))

        for user, code in users.items():
            self.wait_for(lambda: (self.get(M, user=user).status, len(self.reviews_of(user))) == (code, 2), KEPT_SECONDS + 5)
            self.assertGreaterEqual(time.monotonic() - begin, KEPT_SECONDS - 0.5)

    def test_124_no_permission_for_a_namespace_is_403_before_any_backend_is_queried(self):
        self.apiserver.allow = lambda spec: (spec["user"] == "row-124-boss"
                                             or spec.get("resourceAttributes", {}).get("namespace") == "a")
        request_count = len(self.backend.requests)

        for path in (metric_path("b", "everywhere"), metric_path("b", "everywhere", "x=-"), metric_path("b", "nowhere"),
                     metric_path("b", "everywhere") + "?limit=x", GROUP + "/nope", "/nope", "/version", "/openapi/v2"):
            for accept in (JSON, "text/plain", AGGREGATED):
                with self.subTest(path, accept=accept):
                    answer = self.get(path, {"Accept": accept}, user="row-124")
                    self.assertEqual((403, "Forbidden"), (answer.status, answer.json()["reason"]))
        self.assertEqual(request_count, len(self.backend.requests))

        self.assert_values(self.get(metric_path("b", "everywhere"), user="row-124-boss"), "7")
        self.assertEqual((403, 200), tuple(self.get(metric_path(namespace, "everywhere"), user="row-124").status
                                           for namespace in ("b", "a")))


if __name__ == "__main__":
    unittest.main()
