"""The TLS that Weir negotiates: versions, suites, protocols, names, without session resumption."""
import ssl
import subprocess
import unittest

from support import ServerTest, Weir, raw_tls, read_answers, require

HEALTH = b"GET /livez HTTP/1.1\r\nHost: weir\r\n\r\n"
V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3



class TlsTest(ServerTest):
    @classmethod
    def setUpClass(cls):
        cls.weir = cls.start(Weir(cls.new_folder() / "weir", "metrics: []\n"))

    def s_client(self, *arguments, stdin=""):
        return subprocess.run(
            [require("openssl", "openssl"), "s_client", "-connect", f"127.0.0.1:{self.weir.port}", "-CAfile",
             self.weir.certificates.crt("ca"), "-verify_return_error", *arguments],
            input=stdin, capture_output=True, text=True, timeout=30)

    def test_tls_1_2_and_1_3_are_spoken(self):
        for version, name in ((V12, "TLSv1.2"), (V13, "TLSv1.3")):
            with self.subTest(name), raw_tls(self.weir, versions=(version, version)) as connection:
                connection.sendall(HEALTH)

                self.assertEqual((name, 200), (connection.version(), read_answers(connection, 1)[0][0]))

    def test_versions_before_1_2_are_rejected(self):
        for flag in ("-tls1", "-tls1_1"):
            with self.subTest(flag):
                run = self.s_client(flag, "-cipher", "ALL@SECLEVEL=0")

                self.assertNotEqual(0, run.returncode)
                self.assertIn("alert protocol version", run.stderr)

    def test_only_authenticated_encryption_is_negotiated_in_1_2(self):
        table = [
            ("ECDHE-ECDSA-AES128-GCM-SHA256", True), ("ECDHE-ECDSA-AES256-GCM-SHA384", True),
            ("ECDHE-ECDSA-CHACHA20-POLY1305", True), ("ECDHE-ECDSA-AES128-SHA256", False),
            ("ECDHE-ECDSA-AES256-SHA384", False), ("ECDHE-ECDSA-AES128-SHA", False), ("ECDHE-ECDSA-AES256-SHA", False),
            ("ECDHE-ECDSA-AES128-CCM", False), ("AES128-SHA", False), ("AES128-GCM-SHA256", False),
            ("DHE-RSA-AES128-GCM-SHA256", False), ("ECDHE-ECDSA-NULL-SHA", False), ("AECDH-AES128-SHA", False),
            ("PSK-AES128-GCM-SHA256", False),
        ]
        for suite, is_ok in table:
            with self.subTest(suite):
                run = self.s_client("-tls1_2", "-cipher", suite + ":@SECLEVEL=0", *(("-psk", "00") if "PSK" in suite else ()))

                self.assertEqual(is_ok, run.returncode == 0, run.stderr)
                if is_ok:
                    self.assertIn(f"Cipher is {suite}\n", run.stdout)
                else:
                    self.assertIn("alert handshake failure", run.stderr)

    def test_renegotiation_is_rejected(self):
        run = self.s_client("-tls1_2", stdin="R\n")

        self.assertIn("RENEGOTIATING", run.stdout + run.stderr)
        self.assertIn("no renegotiation", run.stderr)
        self.assertEqual(200, self.weir.get("/livez", cert=None).status)

    def test_nothing_is_compressed_and_no_session_is_resumed(self):
        for version in (V12, V13):
            with self.subTest(version.name), raw_tls(self.weir, versions=(version, version)) as connection:
                connection.sendall(HEALTH)
                read_answers(connection, 1)

                self.assertIsNone(connection.compression())
                self.assertFalse(connection.session and connection.session.has_ticket)
        run = self.s_client("-tls1_2", "-reconnect")
        self.assertIn("New, TLSv1.2", run.stdout)
        self.assertNotIn("Reused", run.stdout)

    def test_http_1_1_is_chosen_where_a_client_offers_protocols(self):
        table = [("http/1.1", ["http/1.1"], "http/1.1"), ("h2 first", ["h2", "http/1.1"], "http/1.1"),
                 ("unknown first", ["spdy/3", "http/1.1", "h2"], "http/1.1"), ("none", None, None)]
        for name, offered, protocol in table:
            with self.subTest(name), raw_tls(self.weir, alpn=offered) as connection:
                connection.sendall(HEALTH)

                self.assertEqual((protocol, 200), (connection.selected_alpn_protocol(), read_answers(connection, 1)[0][0]))

    def test_a_client_without_http_1_1_is_rejected(self):
        for offered in (["h2"], ["http/0.9"], ["http/1.0", "h2c"], ["grpc-exp"]):
            with self.subTest(offered):
                with self.assertRaises(ssl.SSLError) as error, raw_tls(self.weir, alpn=offered):
                    pass
                self.assertIn("alert no application protocol", str(error.exception))

    def test_every_server_name_gets_the_configured_certificate(self):
        for name in ("weir.weir-system.svc", "other.example", None):
            with self.subTest(name):
                run = self.s_client(*(["-servername", name] if name else ["-noservername"]))

                self.assertIn("subject=CN = weir.weir-system.svc", run.stdout)
                self.assertIn("Verification: OK", run.stdout)

    def test_a_client_certificate_is_requested_with_both_cas_as_hints(self):
        run = self.s_client()

        self.assertIn("Acceptable client certificate CA names", run.stdout)
        for name in ("Weir development front-proxy CA", "Weir development client CA"):
            self.assertIn(f"CN = {name}", run.stdout)


if __name__ == "__main__":
    unittest.main()
