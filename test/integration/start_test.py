"""A missing credential, CA or key file is an error of its backend alone, from the start until the file appears."""
import json
import unittest

from support import (Redis, ScriptedServer, ServerTest, Weir, run_weir, shared_certificates, vector)
from support.rotation import gauge, log_of

RECOVERED = 5  # seconds, from the appearance of a file
NAMED = "; the log of Weir names the file"


class StartTest(ServerTest):
    def setUp(self):
        self.place = self.folder()
        self.files = self.place / "files"
        self.files.mkdir()
        self.prometheus = self.start_in_test(ScriptedServer(lambda turn: turn.answer(vector(1))))
        self.redis = self.start_in_test(Redis(self.place / "redis", users={"reader": "on >secret ~* +@all"},
                                              tls=shared_certificates()))

    def file(self, name):
        return {"file": str(self.files / name)}

    def start_weir(self):
        path = str(self.files / "ca.crt")
        pair = {"certificate": str(self.files / "tls.crt"), "key": str(self.files / "tls.key")}
        authority = str(shared_certificates().crt("ca"))
        backends = {"good": {"prometheus": {"url": self.prometheus.url}},
                    "token": {"prometheus": {"url": self.prometheus.url, "token": self.file("token")}},
                    "basic": {"prometheus": {"url": self.prometheus.url, "username": self.file("user"),
                                             "password": self.file("word")}},
                    "password": {"redis": {"url": self.redis.url, "username": self.file("reader"),
                                           "password": self.file("password")}},
                    "ca": {"redis": {"url": self.redis.tls_url, "tls": {"ca": path}}},
                    "pair": {"redis": {"url": self.redis.tls_url, "tls": {"ca": authority, **pair}}},
                    "url": {"redis": {"url": self.file("uri")}},
                    "url_http": {"prometheus": {"url": self.file("url")}}}
        metrics = [{"name": name, "namespaces": ["ml-inference"], "freshness": "1ms",
                    **({"redis": {"backend": name, "key": "jobs"}} if "redis" in block
                       else {"prometheus": {"backend": name, "query": "up"}})} for name, block in backends.items()]
        return self.start_in_test(Weir(self.place / "weir", json.dumps({"backends": backends, "metrics": metrics})))

    def test_every_other_metric_is_read_and_each_backend_recovers_with_its_file(self):
        weir = self.start_weir()
        missing = "cannot be read: No such file or directory" + NAMED
        tls = "cannot be used: No such file or directory" + NAMED
        self.assert_values(weir.metric("ml-inference", "good"), "1")
        for name, kind, text in (("token", "prometheus", f"a credential file {missing}"),
                                 ("basic", "prometheus", f"a credential file {missing}"),
                                 ("password", "redis", f"a credential file {missing}"),
                                 ("ca", "redis", f"the CA bundle {tls}"),
                                 ("pair", "redis", f"the certificate {tls}"),
                                 ("url", "redis", f"the file of its url is missing or not valid{NAMED}"),
                                 ("url_http", "prometheus", f"the file of its url is missing or not valid{NAMED}")):
            with self.subTest(name):
                self.assert_status(weir.metric("ml-inference", name), 503, "ServiceUnavailable",
                                   f"metric ml-inference/{name}: {kind} {name}: {text}")
                self.wait_for(lambda each=name: f' backend_files_unusable backend="{each}"' in log_of(weir))
                self.assertEqual(1, gauge(weir, "weir_backend_files_unusable", backend=name))
        self.assertEqual(0, gauge(weir, "weir_backend_files_unusable", backend="good"))
        for name in ("token", "user", "reader", "password", "ca.crt", "tls.crt", "uri", "url"):
            self.assertIn(str(self.files / name), log_of(weir))
        checked = run_weir("check", weir.config_file)
        self.assertEqual(1, checked.returncode)
        self.assertIn(f"the credential file {self.files / 'token'} cannot be read: No such file or directory", checked.stderr)
        self.assertIn("weir: 10 problems in the configuration", checked.stderr)
        # The other metrics can be read on the command line, too.
        self.assertEqual(0, run_weir("get", "--config", weir.config_file, "ml-inference/good").returncode)

        host = self.prometheus.url.removeprefix("http://")
        certificates = shared_certificates()
        for name, contents in (("token", {"token": "t"}), ("basic", {"user": "u", "word": "w"}),
                               ("password", {"reader": "reader", "password": "secret"}),
                               ("ca", {"ca.crt": certificates.crt("ca").read_text()}),
                               ("pair", {"tls.key": certificates.key("client").read_text(),
                                         "tls.crt": certificates.crt("client").read_text()}),
                               ("url", {"uri": self.redis.url + "/0"}),
                               ("url_http", {"url": f"http://me:secret@{host}/"})):
            for file, text in contents.items():
                (self.files / file).write_text(text)
        for name in ("token", "basic", "password", "ca", "pair", "url", "url_http"):
            with self.subTest(name, where="recovered"):
                self.wait_for(lambda each=name: weir.metric("ml-inference", each).status == 200, RECOVERED)
                self.wait_for(lambda each=name: f' backend_files_usable backend="{each}"' in log_of(weir))
                self.wait_for(lambda each=name: gauge(weir, "weir_backend_files_unusable", backend=each) == 0)
        self.assertIn("Basic bWU6c2VjcmV0", [request.headers.get("authorization") for request in self.prometheus.requests])

    def test_a_url_of_a_file_beside_a_user_or_password_is_an_error(self):
        config = self.place / "both.yaml"
        for kind, scheme in (("redis", "redis"), ("rabbitmq", "amqp"), ("prometheus", "http")):
            with self.subTest(kind):
                (self.files / "uri").write_text(f"{scheme}://me:secret@h:6379/0")
                config.write_text(json.dumps({"backends": {"b": {kind: {
                    "url": self.file("uri"), "username": self.file("uri"), "password": self.file("uri")}}}}))

                checked = run_weir("check", config)

                self.assertEqual(1, checked.returncode)
                for key in ("username", "password"):
                    self.assertIn(f"url: {{file: PATH}} has the user and the password in the url; remove {key}\n",
                                  checked.stderr)
                self.assertNotIn("secret", checked.stderr)


if __name__ == "__main__":
    unittest.main()
