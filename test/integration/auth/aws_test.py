"""Signed requests (Signature Version 4): verified by another implementation in front of a real Prometheus."""
import json
import os
import unittest

from support import Prometheus, ScriptedServer, ServerTest, WallClock, Weir, config, metric, prometheus_backend, run_weir
from support.identities import PodIdentityAgent, StsServer, guarded, make_jwt, signature_problem

REGION, WORKSPACE = "eu-west-1", "/workspaces/ws-0a1b"
FRONT = "metric ml-inference/{0}: prometheus {0}: "
KEY, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
TEMPORARY = "ASIDEXAMPLE", "tem/porary+key", "IQoJb3JpZ2lu//////////wEaCWV1+w=="
# Each is 42, whatever its matchers select.
QUERIES = {
    "plain": "vector(42)",
    "blanks": "vector( 40 ) + vector( 2 )",
    "quotes": """sum(jobs{a="it's \\"so\\"", b='x'} or vector(42))""",
    "plus": 'sum(jobs{a="a+b&c=d;e%20f#g?h/i"} or vector(41 + 1))',
    "non_ascii": 'sum(jobs{a="é 日本"} or vector(42))',
    "pattern": 'sum(jobs{a=~"ml\\\\.[a-z]+|(x|y)*",b!~"^$",c!="~-_.!*()"} or vector(42))',
    "lines": "vector(\n\t42 # the answer\n)",
}


class AwsTest(ServerTest):
    """A Prometheus that answers only requests with a valid signature."""

    @classmethod
    def setUpClass(cls):
        cls.folder_ = cls.new_folder()
        cls.prometheus = cls.start(Prometheus(cls.folder_ / "prometheus"))
        cls.keys = {KEY: (SECRET, None), TEMPORARY[0]: TEMPORARY[1:]}

    def file(self, name, text):
        beside = self.folder_ / f"{name}.new"
        beside.write_text(text)
        beside.replace(self.folder_ / name)
        return {"file": str(self.folder_ / name)}

    def workspace(self, keys=None):
        """A server of a workspace; `keys` is a function when they change."""
        def problem(request):
            text = signature_problem(request, keys() if keys else self.keys, REGION, "aps")
            return ("403 Forbidden", json.dumps({"message": text})) if text else None
        return self.start_in_test(ScriptedServer(guarded(self.prometheus, problem, WORKSPACE)))

    def files(self, key=KEY, secret=SECRET, token=None):
        pair = {"accessKeyId": self.file("id", key), "secretAccessKey": self.file("secret", secret + "\n")}
        return pair | ({"sessionToken": self.file("session", token)} if token else {})

    def backend(self, server, aws, **settings):
        return prometheus_backend(server.url + WORKSPACE, auth={"aws": {"region": REGION, **aws}}, **settings)

    def weir(self, backends, *metrics, **options):
        metrics = metrics or [metric(name, "vector(42)", backend=name, freshness="1ms") for name in backends]
        return self.start_in_test(Weir(self.folder() / "weir", config(backends, *metrics), **options))


class KeysTest(AwsTest):
    """Keys from files."""

    def test_every_query_is_signed_whatever_its_text_is(self):
        server = self.workspace()
        parameters = {"dedup": False, "extra_label": ['team="a b"', "env=é&x"], "Z": "1"}
        for method in ("GET", "POST"):
            for name, settings in (("keys", {}), ("parameters", {"parameters": parameters})):
                with self.subTest(f"{method} {name}"):
                    backend = self.backend(server, self.files(), method=method, **settings)
                    weir = self.weir({"prom": backend}, *(metric(name, query) for name, query in QUERIES.items()))
                    for query in QUERIES:
                        self.assert_values(weir.metric("ml-inference", query), "42")

    def test_temporary_keys_have_their_token_signed(self):
        weir = self.weir({"prom": self.backend(self.workspace(), self.files(*TEMPORARY))}, metric("x", "vector(42)"))

        self.assert_values(weir.metric("ml-inference", "x"), "42")

    def test_explain_and_the_age_of_data_sign_their_requests(self):
        server = self.workspace()
        file = self.folder() / "weir.yaml"
        file.write_text(config({"prom": self.backend(server, self.files())}, metric("none", "sum(jobs_waiting)"),
                               metric("aged", "vector(1)", kind={"maxAge": "1m", "ageOf": "jobs_waiting"})))

        explained = run_weir("explain", "--config", file, "ml-inference/none", "-o", "json")
        aged = run_weir("get", "--config", file, "ml-inference/aged")

        self.assertEqual('no series "jobs_waiting" exists, and Prometheus has no target to scrape',
                         json.loads(explained.stdout)["queries"][0]["diagnosis"]["cause"])
        self.assertIn("ageOf matches no series", aged.stderr)
        pages = {request.target.removeprefix(WORKSPACE).partition("?")[0] for request in server.requests}
        self.assertLessEqual({"/api/v1/query", "/api/v1/targets", "/api/v1/label/__name__/values"}, pages)

    def test_changed_keys_are_used_without_a_restart(self):
        weir = self.weir({"prom": self.backend(self.workspace(), self.files(secret="old"))},
                         metric("x", "vector(42)", freshness="1ms"))
        refused = weir.metric("ml-inference", "x")
        self.files()

        self.assert_status(refused, 503, "ServiceUnavailable", "metric ml-inference/x: prometheus prom: the credentials are "
                           "refused (HTTP 403): The request signature we calculated does not match the signature you "
                           "provided. Check your AWS Secret Access Key and signing method.")
        self.wait_for(lambda: weir.metric("ml-inference", "x").status == 200)

    def test_another_region_is_refused_with_the_words_of_aws(self):
        server = self.workspace()
        backend = prometheus_backend(server.url, auth={"aws": {"region": "us-east-1", **self.files()}})

        answer = self.weir({"x": backend}).metric("ml-inference", "x")

        self.assertEqual(503, answer.status)
        self.assertIn("(HTTP 403): Credential should be scoped to a valid region.", self.message_of(answer))

    def test_a_clock_that_is_off_is_named(self):
        server = self.workspace()
        for offset, text in ((-3600, "60 min behind"), (900, "15 min ahead of")):
            with self.subTest(text):
                clock = self.enterContext(WallClock(self.folder(), offset))
                file = self.folder() / "weir.yaml"
                file.write_text(config({"x": self.backend(server, self.files())}, metric("x", "vector(42)", backend="x")))

                done = run_weir("get", "--config", file, "ml-inference/x", env=os.environ | clock.env)

                self.assertIn(f"the credentials are refused (HTTP 403); Weir's clock is {text} that of the server; correct "
                              "the clock of its node: Signature ", done.stderr)


class RoleTest(AwsTest):
    """Temporary keys of a role by STS (IRSA)."""

    def setUp(self):
        self.sts = self.start_in_test(StsServer())
        self.server = self.workspace(lambda: self.sts.keys)
        self.jwt = self.file("jwt", make_jwt(StsServer.AUDIENCE))["file"]
        self.env = {"AWS_ROLE_ARN": StsServer.ROLE, "AWS_WEB_IDENTITY_TOKEN_FILE": self.jwt}

    def read(self, aws=None, env=None):
        weir = self.weir({"x": self.backend(self.server, {"stsUrl": self.sts.url, **(aws or {})})}, env=env or self.env)
        return weir.metric("ml-inference", "x")

    def test_the_variables_of_the_pod_are_enough(self):
        self.assert_values(self.read(), "42")

    def test_settings_may_name_the_role(self):
        aws = {"roleArn": StsServer.ROLE, "webIdentityToken": {"file": self.jwt}}

        self.assert_values(self.read(aws, {"AWS_ROLE_ARN": "arn:aws:iam::1:role/other"}), "42")

    def test_backends_with_equal_settings_ask_once(self):
        backends = {name: self.backend(self.server, {"stsUrl": self.sts.url}) for name in ("a", "b", "c")}
        weir = self.weir(backends, env=self.env)

        for name in backends:
            self.assert_values(weir.metric("ml-inference", name), "42")

        self.assertEqual(1, self.sts.granted)

    def test_a_reload_keeps_the_keys(self):
        backend = self.backend(self.server, {"stsUrl": self.sts.url})
        weir = self.weir({"prom": backend}, metric("x", "vector(42)", freshness="1ms"), env=self.env)
        self.assert_values(weir.metric("ml-inference", "x"), "42")

        weir.write_config(config({"prom": backend}, metric("y", "vector(43)", freshness="1ms")))
        self.wait_for(lambda: weir.metric("ml-inference", "y").status == 200, 10)

        self.assertEqual(1, self.sts.granted)

    def test_keys_are_renewed_before_they_end(self):
        self.sts.lives = 5
        weir = self.weir({"x": self.backend(self.server, {"stsUrl": self.sts.url})}, env=self.env)

        def renewed():
            self.assert_values(weir.metric("ml-inference", "x"), "42")
            return self.sts.granted > 2

        self.wait_for(renewed, 30)

    def test_a_refusal_has_the_words_of_sts(self):
        refuses = FRONT.format("x") + "no credentials: STS refuses the login (HTTP {}): {}"
        other = self.file("other", make_jwt("https://kubernetes.default.svc"))["file"]
        cases = (
            ("the role", {"AWS_ROLE_ARN": "arn:aws:iam::1:role/other"},
             refuses.format(403, "AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity")),
            ("the audience", {"AWS_WEB_IDENTITY_TOKEN_FILE": other},
             refuses.format(400, "InvalidIdentityToken: Incorrect token audience")),
        )
        for name, env, message in cases:
            with self.subTest(name):
                self.assert_status(self.read(env=self.env | env), 503, "ServiceUnavailable", message)
        self.assertEqual([], self.server.requests)

    def test_an_expired_token_is_named_at_check_and_at_the_read(self):
        path = self.file("expired", make_jwt(StsServer.AUDIENCE, lives=60, issued=-3 * 3600 - 60))["file"]
        env = self.env | {"AWS_WEB_IDENTITY_TOKEN_FILE": path}
        expired = "the assertion expired 3 h ago (its file is not renewed any more, or Weir's clock is wrong)"
        file = self.folder() / "weir.yaml"
        file.write_text(config({"x": self.backend(self.server, {})}))

        weir = self.weir({"x": self.backend(self.server, {"stsUrl": self.sts.url})}, env=env)
        answer = weir.metric("ml-inference", "x")
        check = run_weir("check", file, env=os.environ | env)

        self.assertEqual(503, answer.status)
        self.wait_for(lambda: "backend_files_unusable" in weir.process.log.read_text(), 20)
        line, = (one for one in weir.process.log.read_text().splitlines() if "backend_files_unusable" in one)
        self.assertRegex(line, f'backend="x" reason="the file {path}: the assertion expired at 20..-..-..T..:..:..Z \\(its file')
        self.assertIn(FRONT.format("x") + f"no credentials: {expired}: STS refuses the login (HTTP 400): ExpiredTokenException: "
                      "Token expired", self.message_of(answer))
        self.assertEqual(1, check.returncode)
        self.assertIn(f"the file {path}: {expired}", check.stdout + check.stderr)
        self.assertEqual([], self.server.requests)


class PodIdentityTest(AwsTest):
    """Temporary keys of the agent of EKS Pod Identity."""

    def setUp(self):
        self.agent = self.start_in_test(PodIdentityAgent())
        self.server = self.workspace(lambda: self.agent.keys)
        self.env = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": self.agent.url + "/v1/credentials",
                    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": self.file("jwt", make_jwt(PodIdentityAgent.AUDIENCE))["file"]}

    def read(self, env):
        return self.weir({"x": self.backend(self.server, {})}, env=env).metric("ml-inference", "x")

    def test_the_variables_of_the_pod_are_enough(self):
        self.assert_values(self.read(self.env), "42")

    def test_a_renewed_token_file_is_sent(self):
        self.agent.lives = 5
        weir = self.weir({"x": self.backend(self.server, {})}, env=self.env)
        self.assert_values(weir.metric("ml-inference", "x"), "42")
        token = make_jwt(PodIdentityAgent.AUDIENCE, lives=7200)
        self.file("jwt", token)

        def renewed():
            self.assert_values(weir.metric("ml-inference", "x"), "42")
            return self.agent.requests[-1].headers["authorization"] == token

        self.wait_for(renewed, 30)

    def test_a_refusal_has_the_words_of_the_agent(self):
        token = self.file("other", make_jwt("sts.amazonaws.com"))["file"]

        answer = self.read(self.env | {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": token})

        self.assert_status(answer, 503, "ServiceUnavailable", FRONT.format("x") + "no credentials: the Pod Identity agent refuses "
                           "the login (HTTP 400): [r]: (InvalidTokenException): Incorrect token audience")

    def test_the_token_is_sent_to_agents_alone(self):
        far = "http://127.0.0.1.example.com/v1/credentials"
        for url in (far, "http://10.0.0.1/v1", "http://169.254.169.254/v1", "http://[fd00:ec2::24]/v1"):
            with self.subTest(url):
                answer = self.read(self.env | {"AWS_CONTAINER_CREDENTIALS_FULL_URI": url})

                self.assert_status(answer, 503, "ServiceUnavailable", FRONT.format("x") + "the variable "
                                   "AWS_CONTAINER_CREDENTIALS_FULL_URI is neither https:// nor the address of an agent "
                                   "(169.254.170.23, [fd00:ec2::23], 169.254.170.2, loopback), so it gets no token")

    def test_a_pod_without_an_identity_is_told_so(self):
        answer = self.read({})

        self.assertEqual(503, answer.status)
        self.assertIn(FRONT.format("x") + "aws has no credentials: the pod has no AWS_CONTAINER_CREDENTIALS_FULL_URI (Pod "
                      "Identity) and no AWS_ROLE_ARN with AWS_WEB_IDENTITY_TOKEN_FILE (IRSA)", self.message_of(answer))


if __name__ == "__main__":
    unittest.main()
