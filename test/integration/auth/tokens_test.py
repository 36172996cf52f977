"""Bearer tokens of OAuth 2.0, Entra ID and Google: fetched once, renewed in time, sent to the backend alone."""
import base64
import json
import os
import unittest

from support import ScriptedServer, WallClock, Weir, config, metric, prometheus_backend, run_weir, shared_certificates, vector
from support.identities import (EntraServer, GoogleStsServer, MetadataServer, OAuth2Server, PodIdentityAgent, StsServer,
                                make_jwt)
from support.identities.case import TokenTest
from support.rotation import gauge

FRONT = "metric ml-inference/{0}: prometheus {0}: "


class OAuth2Test(TokenTest):
    """Client credentials."""

    def test_a_secret_is_sent_in_the_header_or_in_the_body(self):
        for place in ("header", "body"):
            with self.subTest(place):
                provider = self.start_in_test(OAuth2Server())
                weir = self.weir(self.guard(provider), self.oauth2(provider, secretIn=place, audience="prom"))

                self.assert_values(weir.metric("ml-inference", "x"), "42")
                request = provider.requests[-1]
                self.assertEqual(place == "header", "authorization" in request.headers)
                self.assertEqual(place == "body", "client_secret" in request.body)

    def test_an_assertion_replaces_the_secret(self):
        provider = self.start_in_test(OAuth2Server())
        auth = {"oauth2": {"tokenUrl": provider.url + "/token", "scope": provider.scope,
                           "assertion": self.file("jwt", make_jwt(provider.audience))}}

        self.assert_values(self.weir(self.guard(provider), auth).metric("ml-inference", "x"), "42")

    def test_another_audience_and_scope_are_refused_in_the_words_of_the_provider(self):
        for settings, text in (({"audience": "other"}, "(HTTP 403): access_denied: Service not enabled within domain: other"),
                               ({"scope": "write"}, "(HTTP 400): invalid_scope: unknown scope write")):
            with self.subTest(settings):
                provider = self.start_in_test(OAuth2Server())
                answer = self.weir(self.guard(provider), self.oauth2(provider, **settings)).metric("ml-inference", "x")

                self.assert_status(answer, 503, "ServiceUnavailable", FRONT.format("x") +
                                   "no credentials: the token endpoint refuses the login " + text)

    def test_a_provider_with_its_own_authority_is_verified(self):
        certificates = shared_certificates()
        provider = OAuth2Server()
        provider.server.tls = certificates.crt("serving"), certificates.key("serving")
        self.start_in_test(provider)
        for ca, status in (("ca", 200), ("client-ca", 503)):
            with self.subTest(ca):
                auth = self.oauth2(provider, tls={"ca": str(certificates.crt(ca))})
                answer = self.weir(self.guard(provider), auth).metric("ml-inference", "x")

                self.assertEqual(status, answer.status, answer.text)
        self.assertEqual(FRONT.format("x") + "no credentials: the token endpoint: TLS failed: unable to get local issuer "
                         "certificate", self.message_of(answer))

    def test_many_reads_need_one_token(self):
        provider = self.start_in_test(OAuth2Server())
        weir = self.weir(self.guard(provider), self.oauth2(provider))

        with weir.persistent_reader() as read:
            for _ in range(20):
                self.assert_values(read("ml-inference", "x"), "42")

        self.assertEqual(1, provider.granted)

    def test_a_token_is_renewed_before_it_ends(self):
        provider = self.start_in_test(OAuth2Server(lives=2))
        weir = self.weir(self.guard(provider), self.oauth2(provider))

        def renewed():
            self.assert_values(weir.metric("ml-inference", "x"), "42")
            return provider.granted > 3

        self.wait_for(renewed, 30)

    def test_the_old_token_serves_while_the_provider_is_down(self):
        provider = self.start_in_test(OAuth2Server(lives=15))
        server = self.guard(provider)
        weir = self.weir(server, self.oauth2(provider))
        self.assert_values(weir.metric("ml-inference", "x"), "42")
        provider.fault = ("503 Service Unavailable", "maintenance")

        def ended():
            answer = weir.metric("ml-inference", "x")
            return answer if answer.status != 200 else None

        served = len(server.requests)
        self.wait_for(lambda: self.reads_while_refused(weir), 30)
        answer = self.wait_for(ended, 30)
        self.assertGreater(len(server.requests), served)
        self.assertGreater(len(provider.requests), 1)
        self.assert_status(answer, 503, "ServiceUnavailable", FRONT.format("x") +
                           "no credentials: the token endpoint returned an error (HTTP 503): maintenance")
        provider.fault = None
        self.wait_for(lambda: weir.metric("ml-inference", "x").status == 200, 20)
        self.wait_for(lambda: "backend_credentials_accepted" in weir.process.log.read_text())
        self.assertEqual(0, self.refused(weir))

    def reads_while_refused(self, weir):
        """A number while the log and the gauge say that the login fails."""
        answer = weir.metric("ml-inference", "x")
        event = ('backend_credentials_refused backend="x" reason="no credentials: the token endpoint returned an error '
                 '(HTTP 503): maintenance"')
        return answer.status == 200 and event in weir.process.log.read_text() and self.refused(weir) == 1

    def refused(self, weir):
        return gauge(weir, "weir_backend_credentials_refused", backend="x")

    def test_a_changed_secret_ends_a_refusal_at_once(self):
        provider = self.start_in_test(OAuth2Server())
        auth = self.oauth2(provider)
        self.file("secret", "wrong")
        weir = self.weir(self.guard(provider), auth)
        self.assert_status(weir.metric("ml-inference", "x"), 503, "ServiceUnavailable", FRONT.format("x") + "no credentials: "
                           "the token endpoint refuses the login (HTTP 401): invalid_client: Client authentication failed")

        self.file("secret", provider.secret)

        self.wait_for(lambda: weir.metric("ml-inference", "x").status == 200, 10)  # not 30 s

    def test_a_provider_that_hangs_ends_the_read_at_its_deadline(self):
        hung = self.start_in_test(ScriptedServer(lambda turn: turn.hang()))
        auth = {"oauth2": {"tokenUrl": hung.url + "/token", "clientId": "a", "clientSecret": self.file("secret", "s")}}
        weir = self.weir(self.guard(self.start_in_test(OAuth2Server())), auth)

        answer = weir.metric("ml-inference", "x")

        self.assert_status(answer, 503, "ServiceUnavailable",
                           FRONT.format("x") + "no credentials: the login did not get a response in time")


class FailuresTest(TokenTest):
    """Providers that grant nothing: each has a text of its own, and the backend is asked nothing."""
    PAGE = "<!doctype html><html><head><title>Sign in to your account</title></head></html>"
    TABLE = (
        ("rate", ("429 Too Many Requests", '{"error":"slow_down"}'),
         "the token endpoint limits the rate of logins (HTTP 429): slow_down"),
        ("broken", ("500 Internal Server Error", '{"error":"server_error"}'),
         "the token endpoint returned an error (HTTP 500): server_error"),
        ("page", ("200 OK", PAGE), "the token endpoint responds with a web page in place of a token (HTTP 200); is its url right?: "
         "Sign in to your account"),
        ("lost", ("404 Not Found", PAGE), "the token endpoint responds with a web page in place of a token (HTTP 404); is its url "
         "right?: Sign in to your account"),
        ("moved", ("302 Found", ""), "the token endpoint redirects to another url (HTTP 302), which is not followed; write the "
         "final url"),
        ("empty", ("200 OK", "{}"), "the token endpoint responds without a token (HTTP 200)"),
        ("type", ("200 OK", '{"access_token":"a","token_type":"mac"}'),
         "the token endpoint responds with a token of another type than Bearer: mac"),
        ("dead", ("200 OK", '{"access_token":"a","expires_in":-1}'),
         "the token endpoint responds with a token that has no life left (expires_in)"),
        ("huge", ("200 OK", '"' + "x" * 300_000 + '"'), "the token endpoint: the response is over 256 KiB; is this the url of a "
         "token endpoint?"),
        ("split", ("200 OK", '{"access_token":"a\\r\\nX-Scope-OrgID: b"}'),
         "the token endpoint responds with a token that contains a control character"),
    )

    def test_each_failure_has_its_text(self):
        backend = self.start_in_test(ScriptedServer(lambda turn: turn.answer(vector(42))))
        backends = {}
        for name, fault, _ in self.TABLE:
            provider = self.start_in_test(OAuth2Server())
            provider.fault = fault
            backends[name] = prometheus_backend(backend.url, auth=self.oauth2(provider))
        metrics = [metric(name, "up", backend=name) for name in backends]
        weir = self.start_in_test(Weir(self.folder() / "weir", config(backends, *metrics)))

        for name, _, text in self.TABLE:
            with self.subTest(name):
                self.assert_status(weir.metric("ml-inference", name), 503, "ServiceUnavailable",
                                   FRONT.format(name) + "no credentials: " + text)
        self.assertEqual([], backend.requests)

    def test_a_failure_is_not_repeated_for_each_read(self):
        provider = self.start_in_test(OAuth2Server(secret="other"))
        auth = self.oauth2(provider)
        self.file("secret", "wrong")
        weir = self.weir(self.guard(provider), auth)

        for _ in range(10):
            self.assertEqual(503, weir.metric("ml-inference", "x").status)

        self.assertEqual(1, len(provider.requests))


class AzureTest(TokenTest):
    """Workload identity of Entra ID."""

    def setUp(self):
        self.entra = self.start_in_test(EntraServer())
        self.env = {"AZURE_CLIENT_ID": EntraServer.CLIENT, "AZURE_TENANT_ID": EntraServer.TENANT,
                    "AZURE_AUTHORITY_HOST": self.entra.url + "/",
                    "AZURE_FEDERATED_TOKEN_FILE": self.file("jwt", make_jwt(EntraServer.AUDIENCE))["file"]}

    def read(self, env=None, azure=None):
        return self.weir(self.guard(self.entra), {"azure": azure or {}}, env=env or self.env).metric("ml-inference", "x")

    def test_the_variables_of_the_pod_are_enough(self):
        self.assert_values(self.read(), "42")

    def test_settings_may_name_the_identity(self):
        azure = {"clientId": EntraServer.CLIENT, "tenantId": EntraServer.TENANT, "authority": self.entra.url,
                 "assertion": self.file("jwt", make_jwt(EntraServer.AUDIENCE))}

        self.assert_values(self.read({"AZURE_CLIENT_ID": "other"}, azure), "42")

    def test_refusals_have_the_words_of_entra(self):
        refuses = FRONT.format("x") + "no credentials: Entra ID refuses the login (HTTP {}): {}"
        other = self.file("other", make_jwt("api://other"))["file"]
        cases = (
            ("audience", {"AZURE_FEDERATED_TOKEN_FILE": other},
             refuses.format(401, "invalid_client: AADSTS700212: No matching federated identity record found.")),
            ("tenant", {"AZURE_TENANT_ID": "other"}, refuses.format(400, "invalid_request: AADSTS90002: Tenant not found.")),
        )
        for name, env, message in cases:
            with self.subTest(name):
                self.assert_status(self.read(self.env | env), 503, "ServiceUnavailable", message)

    def test_an_expired_assertion_is_named(self):
        old = self.file("old", make_jwt(EntraServer.AUDIENCE, lives=60, issued=-7260))["file"]

        answer = self.read(self.env | {"AZURE_FEDERATED_TOKEN_FILE": old})

        self.assertEqual(503, answer.status)
        self.assertIn("no credentials: the assertion expired 2 h ago (its file is not renewed any more, or Weir's clock is wrong): "
                      "Entra ID refuses the login (HTTP 401): invalid_client: AADSTS700024", self.message_of(answer))

    def test_the_provider_decides_about_an_assertion_that_has_expired_by_a_wrong_clock(self):
        clock = self.enterContext(WallClock(self.folder(), 7200))
        file = self.folder() / "weir.yaml"
        backend = prometheus_backend(self.guard(self.entra).url, auth={"azure": {}})
        file.write_text(config({"x": backend}, metric("x", "up", backend="x")))

        done = run_weir("get", "--config", file, "ml-inference/x", env=os.environ | self.env | clock.env)

        self.assertIn("the assertion expired 60 min ago", done.stderr)
        self.assertEqual(0, done.returncode, done.stderr)

    def test_what_is_missing_is_named(self):
        answer = self.read({"AZURE_TENANT_ID": "t"})

        self.assert_status(answer, 503, "ServiceUnavailable", FRONT.format("x") + "azure has no workload identity, because there "
                           "is no clientId (AZURE_CLIENT_ID), assertion (AZURE_FEDERATED_TOKEN_FILE); label the pod "
                           'azure.workload.identity/use: "true", or write the settings')


class GoogleTest(TokenTest):
    """The metadata server, and workload identity federation."""

    def test_the_metadata_server_of_the_node_is_asked(self):
        metadata = self.start_in_test(MetadataServer())
        env = {"GCE_METADATA_HOST": metadata.url.removeprefix("http://")}

        answer = self.weir(self.guard(metadata), {"google": {}}, env=env).metric("ml-inference", "x")

        self.assert_values(answer, "42")

    def federation(self, sts, **more):
        return {"type": "external_account", "audience": GoogleStsServer.AUDIENCE, "token_url": sts.url + "/v1/token",
                "subject_token_type": "urn:ietf:params:oauth:token-type:jwt", **more}

    def test_a_token_is_exchanged_and_may_be_that_of_an_account(self):
        jwt = make_jwt(GoogleStsServer.AUDIENCE)
        plain = {"file": self.file("jwt", jwt)["file"]}
        in_json = {"file": self.file("json", json.dumps({"id_token": jwt}))["file"],
                   "format": {"type": "json", "subject_token_field_name": "id_token"}}
        for name, source, is_account in (("text", plain, False), ("json", in_json, False), ("account", plain, True)):
            with self.subTest(name):
                sts = self.start_in_test(GoogleStsServer())
                more = {"service_account_impersonation_url": sts.url + GoogleStsServer.ACCOUNT} if is_account else {}
                file = self.file(name + "-wif", json.dumps(self.federation(sts, credential_source=source, **more)))
                env = {"GOOGLE_APPLICATION_CREDENTIALS": file["file"]}

                answer = self.weir(self.guard(sts), {"google": {}}, env=env).metric("ml-inference", "x")

                self.assert_values(answer, "42")
                self.assertEqual(2 if is_account else 1, sts.granted)

    def test_refusals_and_files_of_another_kind_are_named(self):
        sts = self.start_in_test(GoogleStsServer())
        source = {"file": self.file("other", make_jwt("other"))["file"]}
        cases = (
            ("audience", self.federation(sts, credential_source=source),
             "Google's token service refuses the login (HTTP 400): invalid_grant: ID Token: Incorrect token audience"),
            ("key", {"type": "service_account", "private_key": "k"},
             'the file of google\'s credentials is not one of workload identity federation ("type": "external_account"); keys '
             "of service accounts are not supported, because they never expire"),
        )
        for name, text, message in cases:
            with self.subTest(name):
                auth = {"google": {"credentials": self.file(name, json.dumps(text))}}

                answer = self.weir(self.guard(sts), auth).metric("ml-inference", "x")

                self.assert_status(answer, 503, "ServiceUnavailable", FRONT.format("x") + "no credentials: " + message)


class ProvidersTest(TokenTest):
    """The faults that every provider may have."""
    PAGE = "<html><title>Sorry</title></html>"
    FAULTS = ((("429 Too Many Requests", "slow down"), "{} limits the rate of logins (HTTP 429): slow down"),
              (("500 Internal Server Error", "oops"), "{} returned an error (HTTP 500): oops"),
              (("200 OK", PAGE), "{} responds with a web page in place of a token (HTTP 200); is its url right?: Sorry"))

    def test_a_rate_limit_an_error_and_a_page_are_named_for_each(self):
        providers = {"STS": StsServer(), "the Pod Identity agent": PodIdentityAgent(), "Entra ID": EntraServer(),
                     "Google's metadata server": MetadataServer()}
        for provider in providers.values():
            self.start_in_test(provider)
        sts, agent, entra, metadata = providers.values()
        jwt = self.file("jwt", make_jwt("any"))
        role = {"region": "eu-west-1", "roleArn": "r", "webIdentityToken": jwt, "stsUrl": sts.url}
        kinds = {"sts": {"aws": role}, "agent": {"aws": {"region": "eu-west-1"}}, "entra": {"azure": {}},
                 "metadata": {"google": {}}}
        env = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": agent.url + "/v1/credentials", "AZURE_CLIENT_ID": "c",
               "AZURE_TENANT_ID": "t", "AZURE_AUTHORITY_HOST": entra.url, "AZURE_FEDERATED_TOKEN_FILE": jwt["file"],
               "GCE_METADATA_HOST": metadata.url.removeprefix("http://")}
        backend = self.start_in_test(ScriptedServer(lambda turn: turn.answer(vector(42))))
        backends = {name: prometheus_backend(backend.url, auth=auth) for name, auth in kinds.items()}
        text = config(backends, *(metric(name, "up", backend=name) for name in backends))
        for fault, words in self.FAULTS:
            for provider in providers.values():
                provider.fault = fault
            weir = self.start_in_test(Weir(self.folder() / "weir", text, env=env))
            for who, name in zip(providers, backends):
                with self.subTest(who, fault=fault[0]):
                    self.assert_status(weir.metric("ml-inference", name), 503, "ServiceUnavailable",
                                       FRONT.format(name) + "no credentials: " + words.format(who))
        self.assertEqual([], backend.requests)


class HiddenTest(TokenTest):
    """Neither a token nor what it is asked with is in anything that Weir writes."""

    def test_no_output_has_a_secret(self):
        provider = self.start_in_test(OAuth2Server())
        secrets = [provider.secret, "oauth2server-token-", base64.b64encode(b"weir:").decode()[:6]]

        def echo(turn):
            turn.answer(json.dumps({"message": f"bad {turn.request.headers.get('authorization')}"}), "403 Forbidden")
        for name, script in (("good", lambda turn: turn.answer(vector(42))), ("echo", echo)):
            server = self.start_in_test(ScriptedServer(script))
            for fault in (None, ("400 Bad Request", json.dumps({"error": f"secret {provider.secret}"}))):
                with self.subTest(f"{name} {fault}"):
                    provider.fault = fault
                    text = config({"x": prometheus_backend(server.url, auth=self.oauth2(provider))},
                                  metric("x", "up", backend="x", freshness="1ms"))
                    weir = self.start_in_test(Weir(self.folder() / "weir", text, flags=["-v", "10"]))
                    outputs = [weir.metric("ml-inference", "x").text, weir.get("/metrics").text,
                               weir.process.log.read_text()]
                    for words in (("get", "ml-inference/x"), ("explain", "ml-inference/x", "--verbose"),
                                  ("check", "--live")):
                        command, *rest = words
                        arguments = [weir.config_file, *rest] if command == "check" else ["--config", weir.config_file, *rest]
                        done = run_weir(command, *arguments)
                        outputs.append(done.stdout + done.stderr)
                    for output in outputs:
                        for secret in secrets:
                            self.assertNotIn(secret, output)


if __name__ == "__main__":
    unittest.main()
