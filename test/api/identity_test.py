"""The identity of a caller: request headers need the front proxy's certificate; an invalid certificate is never anonymous."""
import unittest

from support import (GROUP, ScriptedServer, ServerTest, Weir, config, metric, metric_path, raw_tls, read_answers,
                     shared_certificates, vector)

PATH = metric_path("ml-inference", "up")
FORBIDDEN = ('up.external.metrics.k8s.io is forbidden: User "{}" cannot list resource "up" in API group '
             '"external.metrics.k8s.io" in the namespace "ml-inference": --standalone serves only callers with a client '
             "certificate or behind the front proxy")
USER = "X-Remote-User"


def request(user, path=PATH, close=False):
    headers = [f"GET {path} HTTP/1.1", "Host: weir"]
    headers += [f"{USER}: {user}"] if user else []
    headers += ["Connection: close"] if close else []
    return ("\r\n".join(headers) + "\r\n\r\n").encode()


class IdentityTest(ServerTest):
    @classmethod
    def setUpClass(cls):
        cls.certificates = shared_certificates()
        cls.make_pairs()
        folder = cls.new_folder()
        cls.backend = cls.start(ScriptedServer(lambda turn: turn.answer(vector(42))))
        cls.text = config(cls.backend.url, metric("up", "up", freshness="1ms"))
        cls.weir = cls.start(Weir(folder / "weir", cls.text))
        cls.open = cls.start(Weir(folder / "open", cls.text, allowed_names=()))

    @classmethod
    def make_pairs(cls):
        make = cls.certificates.issue
        cls.certificates.authority("foreign-ca")
        proxy = "/CN=front-proxy-client"
        make("foreign", "foreign-ca", proxy)
        make("other-name", "front-proxy-ca", "/CN=another-proxy")
        make("no-name", "front-proxy-ca", "/O=nobody")
        make("expired", "front-proxy-ca", proxy, days=(-9, -2))
        make("not-yet", "front-proxy-ca", proxy, days=(2, 9))
        make("server-only", "front-proxy-ca", proxy, usage="serverAuth")
        make("client-expired", "client-ca", "/CN=bob", days=(-9, -2))
        make("client-server-only", "client-ca", "/CN=bob", usage="serverAuth")
        make("client-anonymous", "client-ca", "/CN=system:anonymous")
        make("client-as-proxy", "client-ca", proxy)
        make("client-no-name", "client-ca", "/O=demo-readers")

    def read(self, cert, weir=None, **headers):
        return (weir or self.weir).get(PATH, {name.replace("_", "-"): value for name, value in headers.items()}, cert)

    def test_the_front_proxy_may_name_the_user(self):
        table = [
            ("a user", {USER: "alice"}),
            ("lower-case header", {"x-remote-user": "alice"}),
            ("a service account", {USER: "system:serviceaccount:kube-system:horizontal-pod-autoscaler"}),
            ("a user and groups", {USER: "alice", "X-Remote-Group": "system:masters"}),
            ("UTF-8", {USER: "zo\u00eb".encode()}),
        ]
        for name, headers in table:
            with self.subTest(name):
                self.assert_values(self.weir.get(PATH, headers), "42")

    def test_a_client_certificate_names_the_user_by_itself(self):
        self.assert_values(self.read("client"), "42")

    def test_an_invalid_certificate_is_401_and_reaches_no_backend(self):
        certificates = ["foreign", "other-name", "no-name", "expired", "not-yet", "server-only", "client-expired",
                        "client-server-only"]
        before = len(self.backend.requests)
        for cert in certificates:
            for name, headers in (("with a user", {USER: "alice"}), ("without", {})):
                with self.subTest(cert, headers=name):
                    self.assert_status(self.weir.get(PATH, headers, cert), 401, "Unauthorized", "Unauthorized")
        self.assertEqual(before, len(self.backend.requests))

    def test_a_caller_without_a_valid_identity_is_anonymous_and_403(self):
        table = [
            ("nothing", None, {}),
            ("a header without a certificate", None, {USER: "admin"}),
            ("headers without a certificate", None, {USER: "admin", "X-Remote-Group": "system:masters"}),
            ("a bearer token that nothing can check", None, {"Authorization": "Bearer abc"}),
            ("the front proxy says so", "front-proxy-client", {USER: "system:anonymous"}),
            ("a certificate says so", "client-anonymous", {}),
        ]
        before = len(self.backend.requests)
        for name, cert, headers in table:
            with self.subTest(name):
                answer = self.weir.get(PATH, headers, cert)

                self.assert_status(answer, 403, "Forbidden", FORBIDDEN.format("system:anonymous"))
                self.assertEqual({"group": "external.metrics.k8s.io", "kind": "up"}, answer.json()["details"])
        self.assertEqual(before, len(self.backend.requests))

    def test_request_headers_with_a_client_ca_certificate_are_ignored(self):
        table = [
            ("its own user, not anonymous", "client", {USER: "system:anonymous"}, 200),
            ("anonymous stays anonymous", "client-anonymous", {USER: "admin"}, 403),
            ("the proxy's name from the wrong authority", "client-as-proxy", {USER: "system:anonymous"}, 200),
        ]
        for name, cert, headers, status in table:
            with self.subTest(name):
                self.assertEqual(status, self.weir.get(PATH, headers, cert).status)

    def test_the_front_proxy_without_a_user_is_anonymous(self):
        for name, headers in (("no header", {}), ("an empty one", {USER: ""}), ("groups alone", {"X-Remote-Group": "g"})):
            with self.subTest(name):
                answer = self.weir.get(PATH, headers)

                # The client CA is asked next, and does not know the certificate: 401, as in Kubernetes.
                self.assert_status(answer, 401, "Unauthorized", "Unauthorized")

    def test_a_client_certificate_without_a_name_is_anonymous(self):
        answer = self.read("client-no-name")

        self.assertIn(answer.status, (401, 403), answer.text)

    def test_no_allowed_names_means_any_certificate_of_the_front_proxy_ca(self):
        table = [("front-proxy-client", 200), ("other-name", 200), ("no-name", 200), ("expired", 401), ("foreign", 401),
                 ("server-only", 401)]
        for cert, status in table:
            with self.subTest(cert):
                self.assertEqual(status, self.open.get(PATH, {USER: "alice"}, cert).status)

    def test_two_users_on_one_connection_are_not_mixed(self):
        steps = [("alice", 200), ("system:anonymous", 403), ("alice", 200), (None, 401), ("bob", 200)]
        with raw_tls(self.weir) as connection:
            for user, status in steps:
                with self.subTest(user=user):
                    connection.sendall(request(user))
                    self.assertEqual(status, read_answers(connection, 1)[0][0])

    def test_two_users_in_one_write_are_not_mixed(self):
        with raw_tls(self.weir) as connection:
            connection.sendall(request("alice") + request("system:anonymous") + request("bob", close=True))

            answers = read_answers(connection, 3)

        self.assertEqual([200, 403, 200], [status for status, _ in answers])
        self.assertIn(FORBIDDEN.format("system:anonymous").replace('"', '\\"').encode(), answers[1][1])

    def test_a_forbidden_caller_cannot_see_which_metrics_exist(self):
        table = [
            ("an unknown metric", metric_path("ml-inference", "nowhere"), "list"),
            ("a bad selector", metric_path("ml-inference", "up", "a=-"), "list"),
            ("watch", PATH + "?watch=true", "watch"),
        ]
        for name, path, verb in table:
            with self.subTest(name):
                answer = self.weir.get(path, cert=None)

                self.assertEqual((403, "Forbidden"), (answer.status, answer.json()["reason"]))
                self.assertIn(f'User "system:anonymous" cannot {verb} resource', answer.json()["message"])

    def test_anonymous_sees_the_three_health_paths_and_nothing_else(self):
        table = [("/healthz", 200), ("/livez", 200), ("/readyz", 200), ("/healthz/ping", 403), ("/readyz/shutdown", 403),
                 ("/healthz/", 403), ("/", 403), ("/metrics", 403), ("/version", 403), ("/apis", 403), (GROUP, 403),
                 ("/openapi/v2", 403), ("/nope", 403), ("/readyz/../apis", 403), ("//readyz", 403), ("/READYZ", 403)]
        for path, status in table:
            with self.subTest(path):
                self.assertEqual(status, self.weir.get(path, cert=None).status)

    def test_the_403_of_a_nonresource_path_names_the_path(self):
        answer = self.weir.get("/metrics", cert=None)

        self.assertTrue(answer.json()["message"].startswith(
            'forbidden: User "system:anonymous" cannot get path "/metrics"'), answer.text)
        self.assertEqual({}, answer.json()["details"])

    def test_a_certificate_of_the_serving_ca_does_not_identify_a_caller(self):
        self.certificates.issue("from-serving", "ca", "/CN=front-proxy-client")

        self.assert_status(self.read("from-serving", X_Remote_User="alice"), 401, "Unauthorized", "Unauthorized")


if __name__ == "__main__":
    unittest.main()
