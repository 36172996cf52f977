"""Client certificates made to be expensive: each costs Weir a bounded time and memory, and proves nothing."""
import ssl
import subprocess
import unittest
from pathlib import Path

from support import ServerTest, Weir, frugal_environment, metric_path, raw_tls, read_answers, require

HANDSHAKES = 10
# CPU of a handshake and a request together, in those of a usual certificate in the same run. The dearest, a chain of 30,
# takes 6; to verify 100 links would take 17.
BOUND_RATIO = 10
REQUEST = f"GET {metric_path('ml-inference', 'up')} HTTP/1.1\r\nHost: weir\r\nX-Remote-User: alice\r\n\r\n".encode()


class CertificateCostTest(ServerTest):
    @classmethod
    def setUpClass(cls):
        folder = cls.new_folder()
        cls.weir = cls.start(Weir(folder / "weir", "metrics: []\n", env=frugal_environment()))
        cls.out = cls.weir.certificates

    def openssl(self, *arguments):
        subprocess.run([require("openssl", "openssl"), *map(str, arguments)], check=True, capture_output=True,
                       stdin=subprocess.DEVNULL, timeout=120)

    def key(self, name, kind):
        if kind == "RSA-15636":
            self.mersenne_key(name, 11213, 4423)
            return
        self.openssl("genpkey", "-algorithm", "EC", "-pkeyopt", f"ec_paramgen_curve:{kind}", "-out", self.out.key(name))

    def mersenne_key(self, name, *exponents):
        """An RSA key of known primes: to find ones of this size takes minutes."""
        p, q = (2 ** exponent - 1 for exponent in exponents)
        d = pow(65537, -1, (p - 1) * (q - 1))
        numbers = [0, p * q, 65537, d, p, q, d % (p - 1), d % (q - 1), pow(q, -1, p)]
        text = "asn1 = SEQUENCE:key\n[key]\n" + "".join(f"n{at} = INTEGER:{number:#x}\n" for at, number in enumerate(numbers))
        config, der = (self.out.directory / f"{name}.{end}" for end in ("asn1", "der"))
        config.write_text(text)
        self.openssl("asn1parse", "-genconf", config, "-noout", "-out", der)
        self.openssl("rsa", "-inform", "DER", "-in", der, "-out", self.out.key(name))

    def sign(self, name, signer=None, extensions="", kind="P-521", key=None):
        """The pair `name`, signed by the pair `signer` or by itself, with the key of the pair `key` or a new one."""
        if key:
            self.out.key(name).write_bytes(self.out.key(key).read_bytes())
        else:
            self.key(name, kind)
        config = self.out.directory / f"{name}.cnf"
        config.write_text(f"[req]\ndistinguished_name = dn\n[dn]\n[x]\nextendedKeyUsage = clientAuth\n{extensions}\n")
        request = self.out.directory / f"{name}.csr"
        self.openssl("req", "-new", "-key", self.out.key(name), "-subj", f"/CN={name}", "-config", config, "-out", request)
        by = (("-CA", self.out.crt(signer), "-CAkey", self.out.key(signer), "-set_serial", "7") if signer
              else ("-signkey", self.out.key(name)))
        self.openssl("x509", "-req", "-in", request, *by, "-days", "2", "-extfile", config, "-extensions", "x", "-out",
                     self.out.crt(name))

    def processor_seconds(self):
        """Of all its threads, to the nanosecond."""
        tasks = Path(f"/proc/{self.weir.process.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9

    def cost_of(self, cert):
        """CPU seconds of a connection with this certificate and a request on it, and the last answer's status."""
        began = self.processor_seconds()
        for _ in range(HANDSHAKES):
            status = self.status_with(cert)
        return (self.processor_seconds() - began) / HANDSHAKES, status

    def status_with(self, cert):
        """None: the handshake failed."""
        try:
            with raw_tls(self.weir, cert) as connection:
                connection.sendall(REQUEST)
                return read_answers(connection, 1)[0][0]
        except OSError:
            return None

    def resident(self):
        return int(Path(f"/proc/{self.weir.process.pid}/statm").read_text().split()[1]) * 4096

    def check(self, cert, expected_status=401):
        usual, _ = self.cost_of("front-proxy-client")
        self.cost_of(cert)
        before = self.resident()
        cost, status = self.cost_of(cert)

        self.assertEqual(expected_status, status)
        self.assertLess(cost / usual, BOUND_RATIO)
        self.assertLess(self.resident() - before, 4 << 20)
        self.assertEqual(200, self.weir.get("/readyz", cert=None).status)

    def test_S33_a_long_chain_is_verified_in_time_and_a_chain_of_100_ends_the_handshake(self):
        authority = "basicConstraints = critical, CA:TRUE"
        self.sign("link-0", None, authority)
        for n in range(1, 99):
            self.sign(f"link-{n}", f"link-{n - 1}", authority, key="link-0")
        for count, expected_status in ((30, 401), (100, None)):
            with self.subTest(count):
                name = f"chain-of-{count}"
                self.sign(name, f"link-{count - 2}")
                chain = [name, *(f"link-{n}" for n in range(count - 2, -1, -1))]
                self.out.crt(name).write_text("".join(self.out.crt(pair).read_text() for pair in chain))

                self.assertEqual(count, self.out.crt(name).read_text().count("BEGIN"))
                self.check(name, expected_status)

    def test_S33_a_certificate_of_16_KiB_is_verified_in_time(self):
        names = ",".join(f"DNS:{n:04}.a-name-that-takes-room.example" for n in range(440))
        self.sign("large", None, f"subjectAltName = {names}")

        self.assertGreater(len(ssl.PEM_cert_to_DER_cert(self.out.crt("large").read_text())), 16 << 10)
        self.check("large")

    def test_S33_a_large_key_is_used_in_time(self):
        for kind in ("P-521", "RSA-15636"):
            with self.subTest(kind):
                self.sign(kind, kind=kind)
                self.check(kind)


if __name__ == "__main__":
    unittest.main()
