"""weir serve from its start, or its error at the start, to its end by a signal."""
import os
import signal
import socket
import ssl
import subprocess
import threading
import time
import unittest
import urllib.request

from support import (Process, ScriptedServer, ServerTest, Weir, config, free_port, metric, metric_path, raw_tls,
                     read_answers, require, run_weir, shared_certificates, vector, weir_binary)

READ = f"GET {metric_path('ml-inference', 'held')} HTTP/1.1\r\nHost: weir\r\nX-Remote-User: hpa\r\n\r\n".encode()


class StartTest(ServerTest):
    def setUp(self):
        self.path = self.folder()
        self.config = self.path / "weir.yaml"
        self.config.write_text("metrics: []\n")

    def trust(self):
        return "--client-ca-file", shared_certificates().crt("client-ca")

    def serve(self, *flags, address="127.0.0.1"):
        return run_weir("serve", "--config", self.config, "--bind-address", address, *flags, cwd=self.path)

    def serve_standalone(self, *flags, port=None, address="127.0.0.1"):
        return self.serve("--standalone", "--secure-port", port or free_port(), *flags, address=address)

    def test_a_missing_or_invalid_file_ends_it_with_1(self):
        certificates = shared_certificates()
        crt, key = certificates.crt("serving"), certificates.key("serving")
        empty, text = self.path / "empty.crt", self.path / "text.crt"
        empty.touch()
        text.write_text("no PEM\n")
        pair = ("--tls-cert-file", crt, "--tls-private-key-file", key)
        table = [
            ("no certificate", ("--tls-cert-file", "/nowhere.crt", "--tls-private-key-file", key, *self.trust()),
             "cannot use the certificate /nowhere.crt: "),
            ("no key", ("--tls-cert-file", crt, "--tls-private-key-file", "/nowhere.key", *self.trust()),
             f"cannot use the key /nowhere.key of {crt}: "),
            ("another pair's key", ("--tls-cert-file", crt, "--tls-private-key-file", certificates.key("client"), *self.trust()),
             f"cannot use the key {certificates.key('client')} of {crt}: "),
            ("text for a certificate", ("--tls-cert-file", text, "--tls-private-key-file", key, *self.trust()),
             f"cannot use the certificate {text}: "),
            ("no client CA", (*pair, "--client-ca-file", "/nowhere.crt"),
             "--client-ca-file /nowhere.crt: the file cannot be read"),
            ("an empty client CA", (*pair, "--client-ca-file", empty),
             f"--client-ca-file {empty}: it has no PEM certificate"),
            ("text for a front-proxy CA", (*pair, "--requestheader-client-ca-file", text),
             f"--requestheader-client-ca-file {text}: it has no PEM certificate"),
            ("nobody may read", pair, "--standalone cannot authenticate callers without a CA: set --client-ca-file, "
             "--requestheader-client-ca-file, or both."),
        ]
        for name, flags, problem in table:
            with self.subTest(name):
                run = self.serve_standalone(*flags)

                self.assertEqual((1, ""), (run.returncode, run.stdout))
                self.assertIn("weir: " + problem, run.stderr)
                self.assertNotIn("weir] serving", run.stderr)

    def test_a_host_name_is_not_a_valid_bind_address(self):
        run = self.serve_standalone(*self.trust(), address="localhost")

        self.assertEqual(1, run.returncode)
        self.assertIn("weir: --bind-address localhost is not an IP address", run.stderr)

    def test_a_bad_configuration_ends_it_with_1_and_every_problem(self):
        self.config.write_text("metric: []\nbackend: {}\n")

        run = self.serve_standalone(*self.trust())

        self.assertEqual(1, run.returncode)
        self.assertIn('weir.yaml:1:1: unknown key "metric" in a configuration; did you mean "metrics"?', run.stderr)
        self.assertIn('weir.yaml:2:1: unknown key "backend" in a configuration; did you mean "backends"?', run.stderr)
        self.assertIn("weir: 2 problems in the configuration", run.stderr)

    def test_a_port_in_use_ends_it_with_1_and_an_error_that_says_how_to_fix_it(self):
        with socket.create_server(("127.0.0.1", 0)) as holder:
            port = holder.getsockname()[1]

            run = self.serve_standalone(*self.trust(), port=port)

        self.assertEqual(1, run.returncode)
        self.assertIn(f"weir: cannot listen on 127.0.0.1 port {port}: Address already in use; choose another with "
                      "--bind-address and --secure-port", run.stderr)

    def test_a_certificate_folder_that_cannot_be_written_ends_it_with_1(self):
        (self.path / "file").touch()

        run = self.serve_standalone(*self.trust(), "--cert-dir", self.path / "file" / "certs")

        self.assertEqual(1, run.returncode)
        self.assertIn("cannot be written; set --cert-dir to a folder that can be", run.stderr)


class SelfSignedTest(ServerTest):
    def start_weir(self, folder, port):
        argv = [weir_binary(), "serve", "--standalone", "--config", folder / "weir.yaml", "--bind-address", "127.0.0.1",
                "--secure-port", port, "--cert-dir", folder / "deep" / "certs",
                "--client-ca-file", shared_certificates().crt("client-ca")]
        process = Process("weir", argv, folder / "weir.log")
        self.enterContext(process)
        process.wait_ready(lambda: self.is_up(folder, port))
        return process

    def is_up(self, folder, port):
        pair = folder / "deep" / "certs" / "apiserver.crt"
        if not pair.exists():
            return False
        context = ssl.create_default_context(cafile=pair)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
        return opener.open(f"https://127.0.0.1:{port}/readyz", timeout=5).read() == b"ok"

    def test_without_a_certificate_it_creates_a_pair_and_uses_it_again(self):
        folder, port = self.folder(), free_port()
        (folder / "weir.yaml").write_text("metrics: []\n")

        first = self.start_weir(folder, port)
        crt, key = (folder / "deep" / "certs" / name for name in ("apiserver.crt", "apiserver.key"))
        first_pair = crt.read_text(), key.read_text()
        text = subprocess.run([require("openssl", "openssl"), "x509", "-in", crt, "-noout", "-text"],
                              capture_output=True, text=True, check=True).stdout
        first.stop()
        self.start_weir(folder, port)

        self.assertEqual(0o600, os.stat(key).st_mode & 0o777)
        self.assertIn("NIST CURVE: P-256", text)
        self.assertIn("DNS:localhost, IP Address:127.0.0.1", text)
        self.assertEqual(first_pair, (crt.read_text(), key.read_text()))


class DrainTest(ServerTest):
    """A backend that answers when the test says so keeps a read in flight."""

    def setUp(self):
        self.released = threading.Event()
        self.addCleanup(self.released.set)
        self.server = self.start_in_test(ScriptedServer(self.hold))
        self.weir = self.start_in_test(Weir(self.folder() / "weir", config(
            self.server.url, metric("held", "held", deadline="20s"), metric("brief", "held", deadline="20s"))))

    def hold(self, turn):
        self.released.wait(15)
        turn.answer(vector(42))

    def log(self):
        return self.weir.process.log.read_text()

    def signal(self, number):
        self.weir.process.signal(number)
        self.wait_for(lambda: " draining " in self.log())

    def test_sigterm_lets_the_read_in_flight_finish_and_ends_with_0(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number.name), raw_tls(self.weir) as busy, raw_tls(self.weir) as idle:
                idle.sendall(b"GET /livez HTTP/1.1\r\nHost: weir\r\n\r\n")
                read_answers(idle, 1)
                request_count = len(self.server.requests)
                busy.sendall(READ)
                self.server.wait_for_requests(request_count + 1)

                self.signal(number)
                idle_end = idle.recv(1)
                with self.assertRaises(OSError):
                    self.weir.get("/livez", cert=None)
                still_runs = self.weir.process.running
                self.released.set()
                status, body = read_answers(busy, 1)[0]
                busy.close()
                code = self.weir.process.wait(5)

                self.assertEqual((b"", True), (idle_end, still_runs))
                self.assertEqual((200, True, 0), (status, b'"value":"42"' in body, code))
                self.assertIn(" stopped", self.log())
            self.released.clear()
            self.weir.process.log.unlink()
            self.weir.start()

    def test_a_second_signal_ends_at_once(self):
        with raw_tls(self.weir) as busy:
            busy.sendall(READ)
            self.server.wait_for_requests(1)
            self.signal(signal.SIGTERM)

            start_time = time.monotonic()
            self.weir.process.signal(signal.SIGTERM)
            code = self.weir.process.wait(5)
            took = time.monotonic() - start_time

        self.assertEqual(0, code)
        self.assertLess(took, 1)

    def test_sigterm_with_nothing_to_do_ends_at_once(self):
        self.weir.process.signal(signal.SIGTERM)

        self.assertEqual(0, self.weir.process.wait(2))

    def test_a_caller_that_disconnects_before_its_response_does_not_end_the_process(self):
        with raw_tls(self.weir) as connection:
            connection.sendall(READ)
            self.server.wait_for_requests(1)
        self.released.set()  # its reader has gone: writing to it must not be the end

        self.assert_values(self.wait_for(lambda: self.weir.metric("ml-inference", "held")), "42")


if __name__ == "__main__":
    unittest.main()
