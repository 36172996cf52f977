"""Conformance: the identity of a caller, from certificates and request headers."""
import hashlib
import ssl
import unittest

from support import cluster_config, raw_tls, read_answers
from rig import GROUP_NAME, USER, ConformanceCase, M, listing

PROXY = "/CN=front-proxy-client"


class IdentityTest(ConformanceCase):
    def test_088_a_certificate_of_an_unknown_ca_is_401_whatever_its_headers_say(self):
        self.authority("row-88-ca")
        self.pair("row-88", "row-88-ca", PROXY)
        before = len(self.apiserver.access_reviews), len(self.backend.requests)

        self.assert_status(self.get(M, {"X-Remote-Group": "system:masters"}, "row-88"), 401, "Unauthorized", "Unauthorized")

        self.assertEqual(before, (len(self.apiserver.access_reviews), len(self.backend.requests)))

    def test_089_a_proxy_certificate_of_another_name_is_401(self):
        self.assert_status(self.get(M, None, self.pair("row-89", "front-proxy-ca", "/CN=another")), 401, "Unauthorized",
                           "Unauthorized")

    def test_092_a_client_certificate_is_its_name_groups_and_credential(self):
        self.pair("row-92", "client-ca", "/CN=row-92-bob/O=g1/O=g2")
        der = ssl.PEM_cert_to_DER_cert(self.certificates.crt("row-92").read_text())

        self.assert_values(self.weir.get(M, {USER: "somebody-else"}, "row-92"), "7")

        self.assertEqual([{"user": "row-92-bob", "groups": ["g1", "g2", "system:authenticated"],
                           "extra": {"authentication.kubernetes.io/credential-id":
                                     ["X509SHA256=" + hashlib.sha256(der).hexdigest()]},
                           "resourceAttributes": listing("queue-len")}], self.reviews_of("row-92-bob"))
        self.assertEqual([], self.reviews_of("somebody-else"))

    def test_093_an_expired_certificate_and_a_server_certificate_are_401(self):
        for authority in ("front-proxy-ca", "client-ca"):
            for name, settings in (("old", {"days": (-9, -2)}), ("early", {"days": (2, 9)}), ("server", {"usage": "serverAuth"})):
                with self.subTest(name, authority=authority):
                    cert = self.pair(f"row-93-{name}-{authority}", authority, PROXY, **settings)

                    self.assert_status(self.get(M, None, cert), 401, "Unauthorized", "Unauthorized")

    def test_097_all_groups_that_are_not_empty_count(self):
        self.read_with_headers("row-97", "X-Remote-Group: a", "X-Remote-Group:", "X-Remote-Group: b", "x-remote-group: c")

        self.assertEqual(["a", "b", "c", "system:authenticated"], self.reviews_of("row-97")[0]["groups"])

    def test_098_an_extra_key_is_in_lower_case_and_decoded(self):
        self.read_with_headers("row-98", "X-Remote-Extra-Foo%2FBar: v", "X-Remote-Extra-Foo%2FBar: w", "X-Remote-Uid: not-trusted")

        self.assertEqual([{"user": "row-98", "groups": ["system:authenticated"], "extra": {"foo/bar": ["v", "w"]},
                           "resourceAttributes": listing("queue-len")}], self.reviews_of("row-98"))

    def read_with_headers(self, user, *headers):
        with raw_tls(self.weir) as connection:
            connection.sendall("\r\n".join([f"GET {M} HTTP/1.1", "Host: weir", f"{USER}: {user}", *headers, "", ""]).encode())
            self.assertEqual(200, read_answers(connection, 1)[0][0])

    def test_113_users_on_one_connection_are_not_mixed(self):
        self.apiserver.allow = lambda spec: spec["user"] in ("row-113-good", "row-113-better")
        steps = [("row-113-good", 200), ("row-113-bad", 403), ("row-113-better", 200), ("", 401), ("row-113-good", 200)]
        with self.connection() as connection:
            for user, status in steps:
                with self.subTest(user):
                    connection.request("GET", M, headers={USER: user})
                    answer = connection.getresponse()
                    body = answer.read().decode()

                    self.assertEqual(status, answer.status)
                    self.assertEqual(status == 403, f'User \\"{user}\\" cannot list' in body)
        self.assertEqual({"good": 1, "bad": 1, "better": 1},
                         {name: len(self.reviews_of("row-113-" + name)) for name in ("good", "bad", "better")})
        self.assertEqual(GROUP_NAME, self.attributes("row-113-bad")["group"])


class AnyNameTest(ConformanceCase):
    def test_090_without_allowed_names_any_name_is_allowed(self):
        self.apiserver.data = cluster_config(self.certificates, requestheader_allowed_names="[]")
        weir = self.new_weir((), *self.metrics)

        self.assertEqual(200, self.get(M, None, self.pair("row-90", "front-proxy-ca", "/CN=another"), weir=weir).status)
        self.authority("row-90-ca")
        self.assertEqual(401, self.get(M, None, self.pair("row-90-foreign", "row-90-ca"), weir=weir).status)


if __name__ == "__main__":
    unittest.main()
