"""Credentials and TLS between Weir and a Prometheus that checks them, or a scripted server where Prometheus cannot."""
import base64
import json
import unittest
import urllib.error
import urllib.parse
import urllib.request

from support import (Prometheus, ScriptedServer, ServerTest, Weir, config, metric, prometheus_backend, run_weir,
                     shared_certificates, vector)

USER, PASSWORD = "scraper", "correct horse"
FRONT = "metric ml-inference/{0}: prometheus {0}: "
SENT_PARAMETERS = [("namespace", "team-a"), ("dedup", "false"), ("extra_label", 'team="a b"'), ("extra_label", "env=é&x")]
PARAMETERS = {"namespace": "team-a", "dedup": False, "extra_label": ['team="a b"', "env=é&x"]}


def parameters_of(request):
    """Those of the url, without the ones that are Weir's own for a GET."""
    pairs = urllib.parse.parse_qsl(urllib.parse.urlsplit(request.target).query, keep_blank_values=True)
    return [(name, value) for name, value in pairs if name not in ("query", "timeout", "state")]


class BasicAuthTest(ServerTest):
    """Prometheus requires a password over HTTPS, and a client certificate."""

    @classmethod
    def setUpClass(cls):
        folder = cls.new_folder()
        certificates = shared_certificates()
        cls.prometheus = cls.start(Prometheus(folder / "prometheus", tls=certificates, users={USER: PASSWORD}))
        cls.strict = cls.start(Prometheus(folder / "strict", tls=certificates, client_ca="client-ca"))
        cls.files = {"user": USER, "right": PASSWORD, "wrong": "guess", "rotated": "guess", "away": PASSWORD, "ended": PASSWORD + "\r\n"}
        for name, text in cls.files.items():
            (folder / name).write_text(text)
        cls.folder_ = folder
        paths = {name: {"file": str(folder / name)} for name in cls.files}
        ca, other = str(certificates.crt("ca")), str(certificates.crt("client-ca"))
        pair = {name: {"certificate": str(certificates.crt(name)), "key": str(certificates.key(name))}
                for name in ("client", "front-proxy-client")}

        def basic(password, **tls):
            return prometheus_backend(cls.prometheus.url, username=paths["user"], password=paths[password],
                                      tls={"ca": ca, **tls})
        backends = {
            "right": basic("right"), "line_end": basic("ended"), "wrong": basic("wrong"), "rotated": basic("rotated"),
            "away": basic("away"),
            "pinned": basic("right", ca=str(certificates.crt("serving"))),
            "nobody": prometheus_backend(cls.prometheus.url, tls={"ca": ca}),
            "other_ca": prometheus_backend(cls.prometheus.url, tls={"ca": other}),
            "system_roots": prometheus_backend(cls.prometheus.url),
            "plain": prometheus_backend(cls.prometheus.url.replace("https", "http")),
            "shown": prometheus_backend(cls.strict.url, tls={"ca": ca, **pair["client"]}),
            "none_shown": prometheus_backend(cls.strict.url, tls={"ca": ca}),
            "foreign_shown": prometheus_backend(cls.strict.url, tls={"ca": ca, **pair["front-proxy-client"]}),
        }
        metrics = [metric(name, "vector(42)", backend=name, freshness="1ms") for name in backends]
        cls.weir = cls.start(Weir(folder / "weir", config(backends, *metrics)))

    def test_the_right_credentials_read_the_number(self):
        for name in ("right", "line_end", "shown", "pinned"):
            with self.subTest(name):
                self.assert_values(self.weir.metric("ml-inference", name), "42")

    def test_wrong_credentials_are_an_error_that_an_operator_understands(self):
        for name in ("wrong", "nobody"):
            with self.subTest(name):
                self.assert_status(self.weir.metric("ml-inference", name), 503, "ServiceUnavailable",
                                   FRONT.format(name) + "the credentials are refused (HTTP 401): Unauthorized")

    def test_a_failed_handshake_is_a_tls_error(self):
        table = [
            ("other_ca", "TLS failed: unable to get local issuer certificate"),
            ("system_roots", "TLS failed: unable to get local issuer certificate"),
        ]
        for name, text in table:
            with self.subTest(name):
                self.assert_status(self.weir.metric("ml-inference", name), 503, "ServiceUnavailable",
                                   FRONT.format(name) + text)

    def test_a_server_that_wants_another_client_certificate_gives_an_error_and_no_number(self):
        for name in ("none_shown", "foreign_shown"):
            with self.subTest(name):
                answer = self.weir.metric("ml-inference", name)

                self.assertEqual((503, "ServiceUnavailable"), (answer.status, answer.json()["reason"]), answer.text)
                self.assertTrue(answer.json()["message"].startswith(FRONT.format(name)), answer.text)

    def test_http_to_an_https_port_is_an_error(self):
        answer = self.weir.metric("ml-inference", "plain")

        self.assert_status(answer, 503, "ServiceUnavailable",
                           FRONT.format("plain") + "HTTP 400 without a query result: Client sent an HTTP request to an HTTPS server.")

    def test_a_rotated_password_is_used_without_a_restart(self):
        error = self.weir.metric("ml-inference", "rotated")
        beside = self.folder_ / "rotated.new"
        beside.write_text(PASSWORD)
        beside.replace(self.folder_ / "rotated")

        def reads_again():
            answer = self.weir.metric("ml-inference", "rotated")
            return answer if answer.status == 200 else None

        self.assertEqual(503, error.status)
        self.assert_values(self.wait_for(reads_again, 3), "42")  # an error is kept for about a second

    def test_a_removed_credential_file_is_named_in_the_log_alone(self):
        (self.folder_ / "away").unlink()

        answer = self.weir.metric("ml-inference", "away")

        self.assert_status(answer, 503, "ServiceUnavailable", FRONT.format("away") +
                           "a credential file cannot be read: No such file or directory; the log of Weir names the file")
        self.wait_for(lambda: f"the credential file {self.folder_ / 'away'} cannot be read: No such file or directory"
                      in self.weir.process.log.read_text())


class SentTest(ServerTest):
    """What a backend is sent, looked at by the backend itself."""

    @classmethod
    def setUpClass(cls):
        folder = cls.new_folder()
        cls.server = cls.start(ScriptedServer(lambda turn: turn.answer(vector(42))))
        for name, text in {"token": "abc.def\n", "user": "us er", "password": "pä ss", "tenant": "team-a"}.items():
            (folder / name).write_text(text)

        def file(name):
            return {"file": str(folder / name)}
        url = cls.server.url
        backends = {
            "bearer": prometheus_backend(url, token=file("token")),
            "basic": prometheus_backend(url, username=file("user"), password=file("password")),
            "headers": prometheus_backend(url, headers={"X-Scope-OrgID": file("tenant"), "X-Plain": "as written"}),
            "prefix": prometheus_backend(url + "/select/0/prometheus/"),
            "post": prometheus_backend(url, method="POST"),
            "tenant": prometheus_backend(url + "/x", parameters=PARAMETERS),
            "tenant_post": prometheus_backend(url + "/x", method="POST", parameters=PARAMETERS),
        }
        metrics = [metric(name, f'x{{from="{name}"}} + 1', backend=name, deadline="2s", freshness="1ms") for name in backends]
        cls.weir = cls.start(Weir(folder / "weir", config(backends, *metrics)))

    def recorded_request(self, name):
        before = len(self.server.requests)
        self.assert_values(self.weir.metric("ml-inference", name), "42")
        self.assertEqual(before + 1, len(self.server.requests))
        return self.server.requests[-1]

    def test_a_bearer_token_is_sent_without_the_files_line_end(self):
        self.assertEqual("Bearer abc.def", self.recorded_request("bearer").headers["authorization"])

    def test_a_user_and_a_password_are_sent_as_basic_authentication(self):
        header = self.recorded_request("basic").headers["authorization"]

        self.assertEqual("us er:pä ss", base64.b64decode(header.removeprefix("Basic ")).decode())

    def test_further_headers_come_from_the_configuration_and_from_files(self):
        headers = self.recorded_request("headers").headers

        self.assertEqual(("team-a", "as written"), (headers["x-scope-orgid"], headers["x-plain"]))

    def test_a_backend_without_credentials_gets_no_credentials(self):
        self.assertNotIn("authorization", self.recorded_request("prefix").headers)

    def test_the_query_is_sent_whole_and_with_the_remaining_time(self):
        for name, method, path in (("prefix", "GET", "/select/0/prometheus/api/v1/query"),
                                   ("post", "POST", "/api/v1/query")):
            with self.subTest(name):
                request = self.recorded_request(name)

                self.assertEqual((method, path), (request.method, request.target.partition("?")[0]))
                self.assertEqual(f'x{{from="{name}"}} + 1', request.query)
                self.assertRegex(request.form["timeout"], r"^(1\d\d\d|2000)ms$")

    def test_report_12_query_parameters_are_in_the_url_for_both_methods(self):
        for name, method in (("tenant", "GET"), ("tenant_post", "POST")):
            with self.subTest(name):
                request = self.recorded_request(name)

                self.assertEqual((method, f'x{{from="{name}"}} + 1'), (request.method, request.query))
                self.assertEqual(SENT_PARAMETERS, parameters_of(request))


class ParametersTest(ServerTest):
    """A Prometheus behind a proxy that forwards only requests with the parameters of the backend."""

    def test_every_request_of_a_backend_has_them(self):
        """As OpenShift's tenancy port needs them: also those of the age, of a diagnosis and of explain."""
        folder = self.folder()
        prometheus = self.start_in_test(Prometheus(folder / "prometheus"))

        def forward(turn):
            request = turn.request
            if parameters_of(request) != SENT_PARAMETERS:
                turn.answer("the parameters are missing", "403 Forbidden")
                return
            if request.method == "POST":
                posted = urllib.request.Request(prometheus.url + request.target.partition("?")[0], request.body.encode())
            else:
                posted = urllib.request.Request(prometheus.url + request.target)
            try:
                with urllib.request.urlopen(posted, timeout=5) as reply:
                    turn.answer(reply.read())
            except urllib.error.HTTPError as error:
                turn.answer(error.read(), f"{error.code} {error.reason}")
        for method in ("GET", "POST"):
            with self.subTest(method):
                proxy = self.start_in_test(ScriptedServer(forward))
                backend = prometheus_backend(proxy.url, method=method, parameters=PARAMETERS)
                text = config({"prom": backend}, metric("one", "vector(42)"),
                              metric("aged", "vector(1)", kind={"maxAge": "1m", "ageOf": "jobs_waiting"}),
                              metric("none", "sum(jobs_waiting)"))
                file = folder / f"{method}.yaml"
                file.write_text(text)

                value = run_weir("get", "--config", file, "ml-inference/one")
                aged = run_weir("get", "--config", file, "ml-inference/aged")
                explained = run_weir("explain", "--config", file, "ml-inference/none", "-o", "json")

                self.assertEqual(0, value.returncode, value.stderr)
                self.assertIn("ageOf matches no series", aged.stderr)
                query = json.loads(explained.stdout)["queries"][0]
                self.assertEqual('sum(jobs_waiting); parameters: namespace=team-a, dedup=false, '
                                 'extra_label=team="a b", extra_label=env=é&x', query["query"])
                self.assertEqual('no series "jobs_waiting" exists, and Prometheus has no target to scrape',
                                 query["diagnosis"]["cause"])
                pages = {urllib.parse.urlsplit(request.target).path for request in proxy.requests}
                self.assertLessEqual({"/api/v1/query", "/api/v1/targets", "/api/v1/label/__name__/values"}, pages)
                for request in proxy.requests:
                    self.assertEqual(SENT_PARAMETERS, parameters_of(request), request.target)


class ServerCertificateTest(ServerTest):
    """A backend whose certificate must not be accepted."""

    @classmethod
    def setUpClass(cls):
        folder = cls.new_folder()
        certificates = shared_certificates()
        cls.table = [
            ("expired", certificates.issue("backend-old", "ca", "/CN=old", "serverAuth", "IP:127.0.0.1", (-9, -2)),
             "certificate has expired"),
            ("not_yet_valid", certificates.issue("backend-new", "ca", "/CN=new", "serverAuth", "IP:127.0.0.1", (2, 9)),
             "certificate is not yet valid"),
            ("wrong_name", certificates.issue("backend-name", "ca", "/CN=127.0.0.1", "serverAuth", "DNS:elsewhere"),
             "IP address mismatch"),
            ("client_only", certificates.issue("backend-use", "ca", "/CN=use", "clientAuth", "IP:127.0.0.1"),
             "unsuitable certificate purpose"),
            ("unknown_ca", certificates.issue("backend-ca", "client-ca", "/CN=ca", "serverAuth", "IP:127.0.0.1"),
             "unable to get local issuer certificate"),
        ]
        backends, metrics = {}, []
        for name, pair, _ in cls.table:
            server = cls.start(ScriptedServer(lambda turn: turn.answer(vector(42)), tls=pair))
            backends[name] = prometheus_backend(server.url, tls={"ca": str(certificates.crt("ca"))})
            metrics.append(metric(name, "vector(42)", backend=name))
        cls.weir = cls.start(Weir(folder / "weir", config(backends, *metrics)))

    def test_a_server_certificate_that_does_not_verify_is_a_tls_error(self):
        for name, _, text in self.table:
            with self.subTest(name):
                answer = self.weir.metric("ml-inference", name)

                self.assertEqual((503, "ServiceUnavailable"), (answer.status, answer.json()["reason"]), answer.text)
                message = answer.json()["message"]
                self.assertTrue(message.startswith(FRONT.format(name) + "TLS failed: "), message)
                self.assertIn(text, message)


if __name__ == "__main__":
    unittest.main()
