"""Permissions in a cluster: the kube-apiserver's decisions about tokens and access, and Weir's behavior without a decision."""
import threading
import time
import unittest

from support import (ACCESS_REVIEWS, CLOSE, GROUP, HANG, TOKEN_REVIEWS, KubeApiserver, Raw, Refuse, ScriptedServer, ServerTest,
                     Weir, config, metric, metric_path, raw_tls, read_answers, shared_certificates, vector)

PATH = metric_path("ml-inference", "up")
USER = "X-Remote-User"
LIST_UP = {"group": "external.metrics.k8s.io", "version": "v1beta1", "namespace": "ml-inference", "resource": "up",
           "verb": "list"}


def status(user, **fields):
    return {"authenticated": True, "user": {"username": user, **fields}}


class ClusterCase(ServerTest):
    """One kube-apiserver, one backend and one Weir a class; each test takes user names of its own."""
    flags = ()

    @classmethod
    def setUpClass(cls):
        cls.certificates = shared_certificates()
        cls.apiserver = cls.start(KubeApiserver())
        folder = cls.new_folder()
        cls.backend = cls.start(ScriptedServer(lambda turn: turn.answer(vector(42))))
        text = config(cls.backend.url, metric("up", "up", freshness="10m", namespaces=("*",)))
        cls.weir = cls.start(Weir(folder / "weir", text, kubeconfig=cls.apiserver.kubeconfig(folder), flags=cls.flags))

    def setUp(self):
        self.apiserver.trouble.clear()
        self.apiserver.always.clear()
        self.apiserver.allow = lambda spec: True

    def tearDown(self):
        self.assertEqual([], self.apiserver.mistakes)

    def read(self, user, path=PATH, **headers):
        return self.weir.get(path, {USER: user, **{name.replace("_", "-"): value for name, value in headers.items()}})

    def with_token(self, token, path=PATH, cert=None):
        return self.weir.get(path, {"Authorization": f"Bearer {token}"}, cert)

    def reviews_of(self, user):
        return [spec for spec in self.apiserver.access_reviews if spec.get("user") == user]

    def reviews_of_token(self, token):
        return len([spec for spec in self.apiserver.token_reviews if spec["token"] == token])


class AccessTest(ClusterCase):
    def test_case_86_an_anonymous_reader_is_reviewed_and_denied(self):
        self.apiserver.allow = lambda spec: spec["user"] != "system:anonymous"

        answer = self.weir.get(PATH, cert=None)

        self.assert_status(answer, 403, "Forbidden", 'up.external.metrics.k8s.io is forbidden: User "system:anonymous" '
                           'cannot list resource "up" in API group "external.metrics.k8s.io" in the namespace "ml-inference"')
        self.assertIn({"user": "system:anonymous", "groups": ["system:unauthenticated"], "resourceAttributes": LIST_UP},
                      self.reviews_of("system:anonymous"))

    def test_case_97_98_user_groups_and_extra_reach_the_review(self):
        with raw_tls(self.weir) as connection:
            connection.sendall((f"GET {PATH} HTTP/1.1\r\nHost: weir\r\n{USER}: case97\r\nX-Remote-Group: a\r\n"
                                "X-Remote-Group:\r\nX-Remote-Group: b\r\nX-Remote-Extra-Foo%2FBar: v\r\n"
                                "X-Remote-Extra-Foo%2FBar: w\r\nX-Remote-Uid: not-trusted\r\n\r\n").encode())
            self.assertEqual(200, read_answers(connection, 1)[0][0])

        self.assertEqual([{"user": "case97", "groups": ["a", "b", "system:authenticated"], "extra": {"foo/bar": ["v", "w"]},
                           "resourceAttributes": LIST_UP}], self.reviews_of("case97"))

    def test_case_92_a_client_certificate_reaches_the_review_with_its_groups_and_credential_id(self):
        self.certificates.issue("bob-92", "client-ca", "/CN=bob-92/O=g1/O=g2")

        self.assert_values(self.weir.get(PATH, cert="bob-92"), "42")

        spec = self.reviews_of("bob-92")[0]
        self.assertEqual(["g1", "g2", "system:authenticated"], spec["groups"])
        self.assertRegex(spec["extra"]["authentication.kubernetes.io/credential-id"][0], "^X509SHA256=[0-9a-f]{64}$")

    def test_case_68_a_nonresource_path_is_reviewed_as_a_path_and_groups_are_completed(self):
        self.assertEqual(200, self.read("system:aggregator", "/apis?timeout=5s").status)

        self.assertEqual([{"user": "system:aggregator", "groups": ["system:authenticated"],
                           "nonResourceAttributes": {"path": "/apis", "verb": "get"}}], self.reviews_of("system:aggregator"))

    def test_case_100_system_masters_needs_no_review(self):
        self.apiserver.allow = lambda spec: False

        self.assert_values(self.read("root", X_Remote_Group="system:masters"), "42")

        self.assertEqual([], self.reviews_of("root"))

    def test_case_101_a_403_contains_the_reason(self):
        self.apiserver.allow = lambda spec: (False, "no <way>")

        answer = self.read("case101")

        self.assertEqual(403, answer.status)
        self.assertTrue(answer.json()["message"].endswith('in the namespace "ml-inference": no <way>'), answer.text)
        self.assertEqual({"group": "external.metrics.k8s.io", "kind": "up"}, answer.json()["details"])

    def test_case_102_a_review_is_sent_once_while_its_decision_is_cached(self):
        for is_allowed, code in ((True, 200), (False, 403)):
            user = f"case102-{code}"
            self.apiserver.allow = lambda spec: is_allowed
            with self.subTest(code):
                self.assertEqual([code] * 3, [self.read(user).status for _ in range(3)])
                self.assertEqual(1, len(self.reviews_of(user)))

    def test_case_102_another_user_verb_or_group_is_another_review(self):
        for path in (PATH, PATH + "?watch=true", metric_path("other", "up"), metric_path("ml-inference", "down")):
            self.read("other-question", path)
        self.read("other-question", X_Remote_Group="g")

        self.assertEqual(5, len(self.reviews_of("other-question")))

    def test_simultaneous_reviews_are_joined(self):
        self.apiserver.trouble[ACCESS_REVIEWS] = [Refuse(500)]
        answers = []

        threads = [threading.Thread(target=lambda: answers.append(self.read("joined").status)) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        self.assertEqual([200] * 5, answers)
        self.assertEqual(1, len(self.reviews_of("joined")))

    def test_case_124_S13_no_permission_for_a_namespace_is_403_also_where_the_value_is_cached(self):
        self.apiserver.allow = lambda spec: spec["user"] == "boss" or spec["resourceAttributes"]["namespace"] == "a"
        self.assert_values(self.read("boss", metric_path("b", "up")), "42")
        request_count = len(self.backend.requests)

        allowed_read, denied_read = self.read("case124", metric_path("a", "up")), self.read("case124", metric_path("b", "up"))
        unknown = self.read("case124", metric_path("b", "nowhere", "a=-"))

        self.assertEqual((200, 403, 403), (allowed_read.status, denied_read.status, unknown.status))
        self.assertLessEqual(len(self.backend.requests), request_count + 1)

    def test_S14_the_permission_of_one_tenant_does_not_apply_to_another(self):
        self.apiserver.allow = lambda spec: spec["user"] == "tenant-a"

        self.assertEqual([200, 403], [self.read(user).status for user in ("tenant-a", "tenant-b")])

    def test_S11_an_invalid_review_response_denies_with_500_and_is_not_cached(self):
        table = [
            ("garbage", Raw("not JSON"), "SubjectAccessReview: the response is not a SubjectAccessReview"),
            ("an empty object", Raw("{}"), "SubjectAccessReview: the response is not a SubjectAccessReview"),
            ("no status", Raw('{"kind":"SubjectAccessReview"}'),
             "SubjectAccessReview: the response is a SubjectAccessReview without a status"),
            ("a verdict in words", Raw('{"kind":"SubjectAccessReview","status":{"allowed":"true"}}'),
             "SubjectAccessReview: the SubjectAccessReview's allowed or denied is not a boolean"),
            ("both", Raw('{"kind":"SubjectAccessReview","status":{"allowed":true,"denied":true}}'),
             "SubjectAccessReview: the SubjectAccessReview both allows and denies"),
            ("forbidden", Refuse(403), "SubjectAccessReview: Weir's account has no permission to create reviews (403); bind its "
             "service account to the ClusterRole system:auth-delegator"),
            ("its own account unknown for a moment", Refuse(401), "SubjectAccessReview: the kube-apiserver rejected the "
             "credentials of Weir's account (401); check its token or client certificate"),
            ("not found", Refuse(404), "SubjectAccessReview: the kube-apiserver responded with HTTP 404"),
        ]
        for name, trouble, text in table:
            with self.subTest(name):
                self.apiserver.trouble[ACCESS_REVIEWS] = [trouble]

                answer = self.read(f"S11-{name}")

                self.assertEqual((500, f'Internal Server Error: "{PATH}": {text}\n'), (answer.status, answer.text))
                self.assertEqual("text/plain; charset=utf-8", answer.headers["Content-Type"])
                self.assert_values(self.read(f"S11-{name}"), "42")

    def test_S11_a_review_that_hangs_denies_in_time_and_names_no_host(self):
        self.apiserver.always[ACCESS_REVIEWS] = HANG
        begin = time.monotonic()

        answer = self.read("S11-hang")

        self.assertLess(time.monotonic() - begin, 4)
        self.assertEqual((500, f'Internal Server Error: "{PATH}": SubjectAccessReview: the kube-apiserver did not respond '
                         'in time\n'), (answer.status, answer.text))

    def test_S11_a_lost_connection_and_a_5xx_are_retried(self):
        for name, trouble in (("lost", [CLOSE]), ("500 twice", [Refuse(500), Refuse(500)]), ("429", [Refuse(429)])):
            with self.subTest(name):
                self.apiserver.trouble[ACCESS_REVIEWS] = trouble

                self.assert_values(self.read(f"again-{name}"), "42")

    def test_case_113_two_users_on_one_connection_are_reviewed_separately(self):
        self.apiserver.allow = lambda spec: spec["user"] == "case113-good"
        with raw_tls(self.weir) as connection:
            for user, code in (("case113-good", 200), ("case113-bad", 403), ("case113-good", 200), ("", 401)):
                connection.sendall(f"GET {PATH} HTTP/1.1\r\nHost: weir\r\n{USER}: {user}\r\n\r\n".encode())
                self.assertEqual(code, read_answers(connection, 1)[0][0])

    def test_S12_health_is_open_and_sends_no_review(self):
        before = len(self.apiserver.access_reviews)
        self.apiserver.allow = lambda spec: False

        codes = [self.weir.get(path, cert=None).status for path in ("/livez", "/readyz", "/healthz", "/readyz/ping", GROUP)]

        self.assertEqual([200, 200, 200, 403, 403], codes)
        self.assertLessEqual(len(self.apiserver.access_reviews), before + 2)

    def test_S07_only_headers_with_the_proxys_certificate_are_used(self):
        self.apiserver.allow = lambda spec: False
        self.certificates.issue("second-proxy", "client-ca", "/CN=front-proxy-client")

        codes = [self.weir.get(PATH, {USER: "x", "X-Remote-Group": "system:masters"}, cert).status
                 for cert in (None, "client", "second-proxy")]

        self.assertEqual([403] * 3, codes)

    def test_S16_S17_a_selector_is_bound_or_rejected_after_the_review(self):
        for selector in ("__name__=up", "model=.*"):
            with self.subTest(selector):
                self.assertEqual(400, self.read("selector", metric_path("ml-inference", "up", selector)).status)


class TokenTest(ClusterCase):
    def test_case_94_a_good_token_identifies_its_user(self):
        self.apiserver.users["t94"] = status("carol", uid="u-1", groups=["g"], extra={"scopes": ["x", "y"]})

        self.assert_values(self.with_token("t94"), "42")

        self.assertEqual([{"user": "carol", "uid": "u-1", "groups": ["g", "system:authenticated"],
                           "extra": {"scopes": ["x", "y"]}, "resourceAttributes": LIST_UP}], self.reviews_of("carol"))
        self.assertEqual([{"token": "t94"}], [spec for spec in self.apiserver.token_reviews if spec["token"] == "t94"])

    def test_case_94_S08_a_bad_token_is_401_and_never_anonymous(self):
        before = len(self.apiserver.access_reviews)

        for path in (PATH, "/apis", "/metrics"):
            self.assert_status(self.with_token("bad", path), 401, "Unauthorized", "Unauthorized")

        self.assertEqual(before, len(self.apiserver.access_reviews))
        self.assertEqual(1, self.reviews_of_token("bad"))

    def test_case_96_a_review_that_fails_twice_is_sent_again(self):
        self.apiserver.users["t96"] = status("dave")
        self.apiserver.trouble[TOKEN_REVIEWS] = [Refuse(500), Refuse(500)]

        self.assert_values(self.with_token("t96"), "42")

    def test_S11_a_failed_review_is_401_and_not_cached(self):
        table = [("garbage", Raw("[]")), ("no user", Raw('{"kind":"TokenReview","status":{"authenticated":true}}')),
                 ("in words", Raw('{"kind":"TokenReview","status":{"authenticated":"true","user":{"username":"u"}}}')),
                 ("an access review", Raw('{"kind":"SubjectAccessReview","status":{"authenticated":true,'
                                          '"user":{"username":"u"}}}')),
                 ("forbidden", Refuse(403))]
        for name, trouble in table:
            with self.subTest(name):
                token = f"S11-{name.replace(' ', '-')}"
                self.apiserver.users[token] = status("erin")
                self.apiserver.trouble[TOKEN_REVIEWS] = [trouble]

                self.assert_status(self.with_token(token), 401, "Unauthorized", "Unauthorized")
                self.assert_values(self.with_token(token), "42")

    def test_S11_a_review_that_hangs_is_401_in_time(self):
        self.apiserver.always[TOKEN_REVIEWS] = HANG
        begin = time.monotonic()

        self.assert_status(self.with_token("hang"), 401, "Unauthorized", "Unauthorized")

        self.assertLess(time.monotonic() - begin, 4)

    def test_S09_verdicts_of_tokens_with_a_common_part_are_separate(self):
        long = "x" * 4000
        self.apiserver.users[long + "a"] = status("frank")

        codes = [self.with_token(token).status for token in (long + "a", long + "b", long, long + "a", long + "b")]

        self.assertEqual([200, 401, 401, 200, 401], codes)
        self.assertEqual([1, 1, 1], [self.reviews_of_token(token) for token in (long + "a", long + "b", long)])

    def test_a_certificate_precedes_a_token_and_a_token_is_used_after_an_invalid_certificate(self):
        self.apiserver.users["after"] = status("grace")
        self.certificates.authority("foreign-token-ca")
        self.certificates.issue("foreign-token", "foreign-token-ca", "/CN=x")

        self.assert_values(self.with_token("never-asked", cert="client"), "42")
        self.assert_values(self.with_token("after", cert="foreign-token"), "42")

        self.assertEqual((0, 1), (self.reviews_of_token("never-asked"), self.reviews_of_token("after")))

    def test_the_log_contains_no_token(self):
        self.apiserver.users["leaky-token-1"] = {"error": "cannot parse leaky-token-1"}

        self.with_token("leaky-token-1")

        self.assertNotIn("leaky-token-1", self.weir.process.log.read_text())


class RepeatsTest(ClusterCase):
    def test_a_rejected_token_is_a_log_line_and_further_tokens_a_count(self):
        weir = self.start_in_test(Weir(self.folder() / "weir", config(self.backend.url, metric("up", "up")),
                                       kubeconfig=self.apiserver.kubeconfig(self.folder())))
        for number in range(5):
            self.assertEqual(401, weir.get(PATH, {"Authorization": f"Bearer bad-{number}"}, None).status)

        weir.stop()

        lines = [line.split("weir] ")[1] for line in weir.process.log.read_text().splitlines() if "token_refused" in line]
        self.assertEqual(2, len(lines), lines)
        self.assertEqual([lines[0], lines[0] + ' repeated="4"'], lines)


class ShortCacheTest(ClusterCase):
    flags = ("--authentication-token-webhook-cache-ttl", "1ms", "--authorization-webhook-cache-authorized-ttl", "1ms",
             "--authorization-webhook-cache-unauthorized-ttl", "0", "--api-audiences", "weir,other",
             "--authorization-always-allow-paths", "/apis*")

    def test_case_102_an_old_decision_is_reviewed_again(self):
        verdicts = [True, False, True, (False, "gone")]
        self.apiserver.allow = lambda spec: verdicts[len(self.reviews_of("case102"))]

        codes = []
        for _ in verdicts:
            codes.append(self.read("case102").status)
            time.sleep(0.002)

        self.assertEqual([200, 403, 200, 403], codes)

    def test_S08_a_token_for_other_audiences_is_401(self):
        self.apiserver.users.update(ours={**status("u"), "audiences": ["x", "weir"]}, all=status("u"),
                                    theirs={**status("u"), "audiences": ["vault"]})

        codes = [self.with_token(token).status for token in ("ours", "all", "theirs")]

        self.assertEqual([200, 200, 401], codes)
        self.assertEqual({("weir", "other")}, {tuple(spec["audiences"]) for spec in self.apiserver.token_reviews})

    def test_the_always_allowed_paths_are_those_of_the_flag(self):
        self.apiserver.allow = lambda spec: False

        codes = [self.weir.get(path, cert=None).status for path in ("/apis", GROUP, PATH, "/version")]

        self.assertEqual([200, 200, 403, 403], codes)


if __name__ == "__main__":
    unittest.main()
