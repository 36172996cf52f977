"""Conformance: TLS versions, server names, and certificates that change."""
import shutil
import socket
import ssl
import subprocess
import unittest

from support import Weir, config, make_certificates, require
from rig import ConformanceCase


class TlsTest(ConformanceCase):
    """With certificates of its own: it overwrites them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = cls.new_folder()
        cls.own = make_certificates(folder / "certs")
        cls.weir = cls.start(Weir(folder / "weir", config(cls.backend.url, *cls.metrics), cls.own,
                                  kubeconfig=cls.apiserver.kubeconfig(folder)))

    def serving_certificate(self, name=None, version=None):
        """The version agreed on and the certificate shown, as DER; verified against the CA, without regard to its names."""
        context = ssl.create_default_context(cafile=self.own.crt("ca"))
        context.check_hostname = False
        if version:
            context.minimum_version = context.maximum_version = version
        with socket.create_connection(("127.0.0.1", self.weir.port), timeout=5) as bare:
            with context.wrap_socket(bare, server_hostname=name) as connection:
                return connection.version(), connection.getpeercert(binary_form=True)

    def der(self, name):
        return ssl.PEM_cert_to_DER_cert(self.own.crt(name).read_text())

    def test_108_tls_1_2_and_1_3_and_no_older_version(self):
        for version, name in ((ssl.TLSVersion.TLSv1_2, "TLSv1.2"), (ssl.TLSVersion.TLSv1_3, "TLSv1.3")):
            self.assertEqual(name, self.serving_certificate(version=version)[0])
        for flag in ("-tls1", "-tls1_1"):
            run = subprocess.run([require("openssl", "openssl"), "s_client", "-connect", f"127.0.0.1:{self.weir.port}", flag,
                                  "-cipher", "ALL@SECLEVEL=0"], input="", capture_output=True, text=True, timeout=20)
            self.assertIn("alert protocol version", run.stderr)
            self.assertNotEqual(0, run.returncode)

    def test_109_every_server_name_gets_the_configured_certificate(self):
        for name in ("weir.weir-system.svc", "other.example", None):
            with self.subTest(name):
                self.assertEqual(self.der("serving"), self.serving_certificate(name)[1])

    def test_110_a_new_pair_is_used_and_a_mismatched_pair_is_not(self):
        before = self.der("serving")
        self.own.issue("next", "ca", "/CN=next", "serverAuth", "IP:127.0.0.1,DNS:localhost")
        folder = self.own.directory

        shutil.copyfile(folder / "next.crt", folder / "serving.crt")
        self.wait_for(lambda: "serving_certificate_reload_failed" in self.weir.process.log.read_text(), 10)
        self.assertEqual(before, self.serving_certificate()[1])

        shutil.copyfile(folder / "next.key", folder / "serving.key")
        self.wait_for(lambda: self.serving_certificate()[1] == self.der("next"), 10)


if __name__ == "__main__":
    unittest.main()
