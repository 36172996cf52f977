"""Conformance: the ConfigMap with the trusted CAs, when it changes, is invalid or cannot be read."""
import unittest

from support import CONFIG_MAPS, Refuse, cluster_config, raw_tls, read_answers
from rig import GROUP, USER, ConformanceCase, M

QUESTION = f"GET {M} HTTP/1.1\r\nHost: weir\r\n{USER}: alice\r\n\r\n".encode()


class TrustTest(ConformanceCase):
    def code(self, cert="front-proxy-client"):
        return self.get(M, None, cert).status

    def test_104_a_new_ca_is_used_without_a_restart_on_new_and_open_connections(self):
        later_ca = self.authority("row-104-ca")
        cert = self.pair("row-104", "row-104-ca")
        both = cluster_config(self.certificates)["requestheader-client-ca-file"] + later_ca
        with raw_tls(self.weir, cert) as connection:
            connection.sendall(QUESTION)
            self.assertEqual(401, read_answers(connection, 1)[0][0])

            self.apiserver.write_config(cluster_config(self.certificates, requestheader_client_ca_file=both))
            self.wait_for(lambda: self.code(cert) == 200)

            connection.sendall(QUESTION)
            self.assertEqual(200, read_answers(connection, 1)[0][0])
        self.assertEqual(200, self.code())

    def test_105_an_invalid_part_does_not_replace_the_last_valid_values(self):
        table = [
            ("deleted", None, "the ConfigMap does not exist"),
            ("malformed JSON", cluster_config(self.certificates, requestheader_allowed_names='["a'),
             "requestheader-allowed-names is not a JSON array of strings"),
            ("emptied", cluster_config(self.certificates, client_ca_file="", requestheader_client_ca_file=""),
             "client-ca-file is empty; requestheader-client-ca-file is empty"),
            ("no PEM", cluster_config(self.certificates, client_ca_file="x"), "client-ca-file: it has no PEM certificate"),
        ]
        for name, data, reason in table:
            with self.subTest(name):
                self.apiserver.write_config(data)
                self.wait_for(lambda: f'reason="{reason}"' in self.weir.process.log.read_text())

                self.assertEqual((200, 200), (self.code(), self.code("client")))
        self.apiserver.write_config(cluster_config(self.certificates, requestheader_allowed_names='["somebody-else"]'))
        self.wait_for(lambda: self.code() == 401)
        self.apiserver.write_config(cluster_config(self.certificates))
        self.wait_for(lambda: self.code() == 200)

    def test_106_with_an_unreadable_config_map_it_runs_unready_and_denies_access(self):
        self.apiserver.always[CONFIG_MAPS] = Refuse(403)
        self.addCleanup(self.apiserver.always.clear)
        weir = self.new_weir((), *self.metrics, is_awaited=False)

        codes = [weir.get(path, cert=None).status for path in ("/livez", "/readyz", GROUP, "/apis", M)]
        proxied = [self.get(path, {"X-Remote-Group": "system:masters"}, weir=weir).status for path in (GROUP, "/apis", M)]
        self.apiserver.always.clear()
        self.wait_for(lambda: weir.get("/readyz", cert=None).status == 200, 10)

        self.assertEqual(([200, 500, 403, 403, 403], [403] * 3), (codes, proxied))
        self.assertEqual(200, self.get(M, weir=weir).status)


if __name__ == "__main__":
    unittest.main()
