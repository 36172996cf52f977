"""The CAs that the cluster's ConfigMap trusts, and their changes; Weir's connection to the kube-apiserver, and its behavior without."""
import base64
import json
import subprocess
import unittest

from support import (CONFIG_MAPS, CLOSE, HANG, KubeApiserver, MakesPairs, Raw, Refuse, ScriptedServer, ServerTest,
                     Weir, cluster_config, config, free_port, metric, metric_path, raw_tls, read_answers, require, run_weir,
                     shared_certificates, vector)

PATH = metric_path("ml-inference", "up")
USER = "X-Remote-User"


class TrustCase(MakesPairs, ServerTest):
    @classmethod
    def setUpClass(cls):
        cls.certificates = shared_certificates()
        cls.backend = cls.start(ScriptedServer(lambda turn: turn.answer(vector(42))))
        cls.text = config(cls.backend.url, metric("up", "up", freshness="10m"))

    def new_cluster(self, token="the-token", **changed):
        self.apiserver = KubeApiserver(token)
        if changed:
            self.apiserver.data = cluster_config(self.certificates, **changed)
        self.addCleanup(lambda: self.assertEqual([], self.apiserver.mistakes))
        return self.start_in_test(self.apiserver)

    def new_weir(self, *flags, user=None, is_awaited=True):
        folder = self.folder()
        self.weir = Weir(folder / "weir", self.text, flags=flags, is_awaited=is_awaited,
                         kubeconfig=self.apiserver.kubeconfig(folder, **(user or {})))
        return self.start_in_test(self.weir)

    def code(self, cert="front-proxy-client", user="alice"):
        return self.weir.get(PATH, {USER: user} if user else {}, cert).status

    def wait_for_code(self, code, cert="front-proxy-client", user="alice"):
        self.wait_for(lambda: self.code(cert, user) == code, 10)

    def wait_for_log(self, text):
        self.wait_for(lambda: text in self.log(), 10)

    def log(self):
        return self.weir.process.log.read_text()


class ConfigMapTest(TrustCase):
    def test_case_88_89_93_S03_S04_a_certificate_that_the_config_map_does_not_trust_is_401(self):
        self.new_cluster()
        self.new_weir()
        self.authority("foreign-cluster-ca")
        self.apiserver.allow = lambda spec: spec["user"] != "system:anonymous"

        table = [("trusted", "front-proxy-client", 200), ("nobody", None, 403), ("S02: its own user", "client", 200),
                 ("case 88", self.pair("cluster-foreign", "foreign-cluster-ca"), 401),
                 ("case 89", self.pair("cluster-other", "front-proxy-ca", "/CN=other"), 401),
                 ("case 93: expired", self.pair("cluster-old", "front-proxy-ca", days=(-9, -2)), 401),
                 ("case 93: serverAuth", self.pair("cluster-server", "front-proxy-ca", usage="serverAuth"), 401)]
        for name, cert, code in table:
            with self.subTest(name):
                self.assertEqual(code, self.code(cert))
        self.assertIn("demo-admin", [spec["user"] for spec in self.apiserver.access_reviews])

    def test_case_90_no_allowed_names_is_any_certificate_of_the_front_proxy_ca(self):
        self.new_cluster(requestheader_allowed_names="[]")
        self.new_weir()

        self.assertEqual(200, self.code(self.pair("cluster-other", "front-proxy-ca", "/CN=other")))

    def test_the_headers_are_those_of_the_config_map(self):
        self.new_cluster(requestheader_username_headers='["X-A", "X-B"]', requestheader_uid_headers='["X-Remote-Uid"]')
        self.new_weir()

        self.weir.get(PATH, {"x-b": "zoe", USER: "alice", "X-Remote-Uid": "7"})

        self.assertEqual([("zoe", "7")], [(spec["user"], spec.get("uid")) for spec in self.apiserver.access_reviews])

    def test_case_104_a_new_ca_is_used_on_new_and_open_connections(self):
        self.new_cluster()
        self.new_weir()
        later_ca = self.authority("later-proxy-ca")
        cert = self.pair("later-proxy", "later-proxy-ca")
        question = f"GET {PATH} HTTP/1.1\r\nHost: weir\r\n{USER}: alice\r\n\r\n".encode()
        both = cluster_config(self.certificates)["requestheader-client-ca-file"] + later_ca
        with raw_tls(self.weir, cert) as connection:
            connection.sendall(question)
            self.assertEqual(401, read_answers(connection, 1)[0][0])

            self.apiserver.write_config(cluster_config(self.certificates, requestheader_client_ca_file=both))
            self.wait_for_code(200, cert)
            connection.sendall(question)
            self.assertEqual(200, read_answers(connection, 1)[0][0])

            self.assertEqual(200, self.code())
            self.assertIn("later-proxy-ca", self.acceptable())
            self.apiserver.write_config(cluster_config(self.certificates))
            self.wait_for_code(401, cert)
            connection.sendall(question)
            self.assertEqual(401, read_answers(connection, 1)[0][0])
        self.assertNotIn("later-proxy-ca", self.acceptable())

    def acceptable(self):
        """What Weir tells clients of the authorities it takes."""
        run = subprocess.run([require("openssl", "openssl"), "s_client", "-connect", f"127.0.0.1:{self.weir.port}"],
                             input="", capture_output=True, text=True, timeout=20)
        return run.stdout

    def test_a_new_rule_applies_at_once(self):
        self.new_cluster()
        self.new_weir()

        self.apiserver.write_config(cluster_config(self.certificates, requestheader_allowed_names='["somebody-else"]'))
        self.wait_for_code(401)
        self.apiserver.write_config(cluster_config(self.certificates))
        self.wait_for_code(200)

    def test_case_105_an_invalid_part_does_not_replace_the_last_valid_values(self):
        table = [
            ("deleted", None, "the ConfigMap does not exist"),
            ("emptied", cluster_config(self.certificates, client_ca_file="", requestheader_client_ca_file=" "),
             "client-ca-file is empty; requestheader-client-ca-file is empty"),
            ("no PEM", cluster_config(self.certificates, client_ca_file="x", requestheader_client_ca_file="y"),
             "client-ca-file: it has no PEM certificate; requestheader-client-ca-file: it has no PEM certificate"),
            ("malformed JSON", cluster_config(self.certificates, requestheader_allowed_names='["a'),
             "requestheader-allowed-names is not a JSON array of strings"),
            ("no array", cluster_config(self.certificates, requestheader_username_headers='"X-Remote-User"'),
             "requestheader-username-headers is not a JSON array of strings"),
            ("no data", {}, None),
        ]
        self.new_cluster()
        self.new_weir()
        for name, data, reason in table:
            with self.subTest(name):
                self.apiserver.write_config(data)
                self.apiserver.write_config(data)
                self.wait_for_log(f'reason="{reason}"' if reason else "")

                self.assertEqual((200, 200), (self.code(), self.code("client")))
        self.assertEqual(1, self.log().count('reason="the ConfigMap does not exist"'))
        self.apiserver.write_config(cluster_config(self.certificates, requestheader_allowed_names='["somebody-else"]'))
        self.wait_for_code(401)

    def test_an_invalid_half_does_not_affect_the_other(self):
        self.new_cluster(requestheader_client_ca_file="x")
        self.new_weir()

        self.assertEqual((200, 401), (self.code("client"), self.code()))

    def test_without_a_config_map_at_the_start_no_certificate_is_trusted(self):
        self.new_cluster()
        self.apiserver.data = None
        self.apiserver.users["t"] = {"authenticated": True, "user": {"username": "u"}}
        self.apiserver.allow = lambda spec: spec["user"] != "system:anonymous"
        self.new_weir()

        self.assertEqual(403, self.code())
        self.assertEqual(200, self.weir.get(PATH, {"Authorization": "Bearer t"}, None).status)
        self.apiserver.write_config(cluster_config(self.certificates))
        self.wait_for_code(200)

    def test_a_watch_that_ends_is_started_again(self):
        table = [
            ("closed", self.close_watches), ("too old", lambda: self.send({"type": "ERROR", "object": {"code": 410}})),
            ("an error", lambda: self.send({"type": "ERROR", "object": {"code": 500}})),
            ("no JSON", lambda: self.apiserver.send_line("gibberish")),
            ("a line without end", lambda: self.apiserver.send_line("x" * (5 << 20))),
            ("refused once", self.refuse_one_watch),
        ]
        names = ["front-proxy-client", "somebody-else"]
        self.new_cluster()
        self.new_weir()
        self.wait_for(lambda: self.apiserver.watches > 0)
        for turn, (name, disturb) in enumerate(table):
            with self.subTest(name):
                before = self.apiserver.watches
                disturb()
                self.wait_for(lambda: self.apiserver.watches > before, 10)
                self.apiserver.write_config(cluster_config(
                    self.certificates, requestheader_allowed_names=json.dumps([names[(turn + 1) % 2]])))
                self.wait_for_code(401 if turn % 2 == 0 else 200)
        self.assertEqual(0, self.weir.stop())

    def close_watches(self):
        self.apiserver.close_watches()

    def refuse_one_watch(self):
        self.apiserver.trouble[CONFIG_MAPS] = [Refuse(410), CLOSE, Raw("[]")]
        self.apiserver.close_watches()

    def send(self, event):
        self.apiserver.send_line(json.dumps(event))

    def test_a_bookmark_changes_nothing(self):
        self.new_cluster()
        self.new_weir()
        self.send({"type": "BOOKMARK", "object": {"kind": "ConfigMap", "metadata": {"resourceVersion": "100000"}}})

        self.apiserver.write_config(cluster_config(self.certificates, requestheader_allowed_names='["x"]'))

        self.wait_for_code(401)
        self.assertEqual((1, 1), (self.apiserver.lists, self.apiserver.watches))


class UnreadableTest(TrustCase):
    def test_case_106_with_an_unreadable_config_map_it_runs_unready_and_denies_access(self):
        for name, trouble in (("forbidden", Refuse(403)), ("failing", Refuse(500)), ("lost", CLOSE), ("no list", Raw("{}"))):
            with self.subTest(name):
                self.new_cluster()
                self.apiserver.always[CONFIG_MAPS] = trouble
                self.apiserver.allow = lambda spec: spec["user"] != "system:anonymous"
                self.new_weir(is_awaited=False)

                ready = self.weir.get("/readyz?verbose", cert=None)
                self.assertEqual(500, ready.status)
                self.assertIn("[-]authentication-config failed: reason withheld", ready.text)
                self.assertEqual((200, 403), (self.weir.get("/livez", cert=None).status, self.code()))
                self.apiserver.always.clear()
                self.wait_for(lambda: self.weir.get("/readyz", cert=None).status == 200, 10)
                self.assertEqual(200, self.code())
                self.assertEqual(1, self.log().count("authentication_config_unreadable"))

    def test_without_a_reachable_kube_apiserver_it_runs_unready(self):
        self.new_cluster()
        self.apiserver.stop()
        self.new_weir(is_awaited=False)

        self.wait_for_log('authentication_config_unreadable code="unreachable" reason="cannot connect (Connection refused)"')
        self.assertEqual(500, self.weir.get("/readyz", cert=None).status)
        self.assertEqual(0, self.weir.stop())

    def test_a_hanging_kube_apiserver_does_not_delay_the_shutdown(self):
        self.new_cluster()
        self.apiserver.always[CONFIG_MAPS] = HANG
        self.new_weir(is_awaited=False)

        self.assertEqual(500, self.weir.get("/readyz", cert=None).status)
        self.assertEqual(0, self.weir.stop())

    def test_it_stays_ready_when_the_kube_apiserver_becomes_unreachable(self):
        self.new_cluster()
        self.new_weir()
        self.apiserver.stop()
        self.wait_for_log("authentication_config_unreadable")

        self.assertEqual(200, self.weir.get("/readyz", cert=None).status)
        self.assertEqual(500, self.code())

    def test_tolerate_lookup_failure_is_ready_and_retries(self):
        self.new_cluster()
        self.apiserver.trouble[CONFIG_MAPS] = [Refuse(403)]
        self.new_weir("--authentication-tolerate-lookup-failure")

        self.wait_for_code(200)

    def test_skip_lookup_and_flags_for_both_cas_read_no_config_map(self):
        both = ("--client-ca-file", self.certificates.crt("client-ca"),
                "--requestheader-client-ca-file", self.certificates.crt("front-proxy-ca"))
        for name, flags, code in (("skipped", ("--authentication-skip-lookup",), 403), ("both given", both, 200)):
            with self.subTest(name):
                self.new_cluster()
                self.apiserver.allow = lambda spec: spec["user"] != "system:anonymous"
                self.new_weir(*flags)

                self.assertEqual(code, self.code())
                self.assertEqual(0, self.apiserver.lists)
                self.assertNotIn("authentication-config", self.weir.get("/readyz?verbose", cert=None).text)

    def test_a_flag_overrides_its_half_of_the_config_map(self):
        self.new_cluster(client_ca_file=None)
        self.authority("flag-ca")
        cert = self.pair("flag-client", "flag-ca", "/CN=flagged")
        self.new_weir("--client-ca-file", self.certificates.crt("flag-ca"))
        self.apiserver.write_config(cluster_config(self.certificates, requestheader_allowed_names='["x"]'))
        self.wait_for_code(401)

        self.assertEqual((200, 401), (self.code(cert), self.code("client")))


class AccountTest(TrustCase):
    def test_a_rotated_token_file_is_used_at_the_next_request(self):
        self.new_cluster("first")
        token = self.folder() / "token"
        token.write_text("first\n")
        self.new_weir(user={"tokenFile": str(token)})
        self.assertEqual(200, self.code(user="before"))

        self.apiserver.tokens = {"second"}
        self.assertEqual(500, self.code(user="refused"))
        token.write_text("second\n")

        self.assertEqual(200, self.code(user="after"))

    def test_a_client_certificate_by_file_or_in_the_kubeconfig_is_the_account(self):
        crt, key = self.certificates.crt("client"), self.certificates.key("client")
        data = {"client-certificate-data": base64.b64encode(crt.read_bytes()).decode(),
                "client-key-data": base64.b64encode(key.read_bytes()).decode()}
        for name, user in (("files", {"client-certificate": str(crt), "client-key": str(key)}), ("data", data)):
            with self.subTest(name):
                self.new_cluster(None)
                self.new_weir(user=user)

                self.assertEqual(200, self.code())

    def test_a_server_with_another_certificate_gets_no_request(self):
        self.new_cluster()
        self.apiserver.allow = lambda spec: self.fail("asked")
        folder = self.folder()
        path = self.apiserver.kubeconfig(folder)
        path.write_text(path.read_text().replace("/ca.crt", "/client-ca.crt"))
        self.weir = self.start_in_test(Weir(folder / "weir", self.text, kubeconfig=path, is_awaited=False))

        self.wait_for_log('authentication_config_unreadable code="tls"')
        self.assertEqual(0, self.apiserver.lists)

    def test_two_kubeconfigs_are_two_accounts(self):
        self.new_cluster("reader")
        reviews = self.start_in_test(KubeApiserver("reviewer"))
        folder = self.folder()
        self.weir = self.start_in_test(Weir(folder / "weir", self.text, kubeconfig=self.apiserver.kubeconfig(folder),
                                            flags=("--authorization-kubeconfig", reviews.kubeconfig(self.folder()))))

        self.assertEqual(200, self.code())

        self.assertEqual((1, 0, 0, 1), (self.apiserver.lists, len(self.apiserver.access_reviews), reviews.lists,
                                        len(reviews.access_reviews)))

    def test_without_access_to_the_cluster_it_names_the_flags_to_set(self):
        folder = self.folder()
        (folder / "weir.yaml").write_text(self.text)

        run = run_weir("serve", "--config", folder / "weir.yaml", "--secure-port", free_port(), "--cert-dir", folder / "certs")

        self.assertEqual((1, ""), (run.returncode, run.stdout))
        self.assertIn("weir: there is no kubeconfig and this process does not run in a pod", run.stderr)
        self.assertIn("set --kubeconfig, or --authentication-kubeconfig and --authorization-kubeconfig; or add --standalone",
                      run.stderr)


if __name__ == "__main__":
    unittest.main()
