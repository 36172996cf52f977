"""Faults of every kind with planted secrets: none may reach a Status, a log line or a command's output."""
import base64
import json
import re
import unittest
import urllib.parse

from support import (HPA_USER, ScriptedServer, ServerTest, Weir, config, metric, metric_path, prometheus_backend, refusal,
                     run_weir, shared_certificates, vector)

USER, PASSWORD, TOKEN, TENANT = "planted-user-k3", "planted password %&=+/ x9", "planted.token-q7_z", "planted-tenant-t5"
CALLER = "planted-caller-token-w2"
QUERY = 'planted_query{job="planted-job"} / 2'
HOST = "planted-host-" + "h" * 64  # over 63 bytes: no resolver asks anyone for it


def secret_text(turn):
    """What it was sent, as a careless server could write it into an error."""
    host = turn.request.headers["host"]
    kind, _, credentials = turn.request.headers["authorization"].partition(" ")
    secret = base64.b64decode(credentials).decode() if kind == "Basic" else credentials
    return (f"{turn.request.method} http://{host}/api/v1/query failed for {secret} ({secret.partition(':')[2] or secret}) "
            f"of {turn.request.headers['x-scope-orgid']}: query={turn.request.query} dial tcp {host}: connection refused, "
            f"http://{secret}@{host}/ and https://planted.example:8443/x, lookup {host.split(':')[0]} on [::1]:53")


def unauthorized(turn):
    turn.answer(refusal("unauthorized", secret_text(turn)), "401 Unauthorized", WWW_Authenticate="Basic")


def plain_500(turn):
    turn.answer(secret_text(turn), "500 Internal Server Error")


def json_error(kind, status):
    return lambda turn: turn.answer(refusal(kind, secret_text(turn)), status)


def error_type(turn):
    turn.answer(refusal(secret_text(turn), "boom"), "422 Unprocessable Entity")


def warning(turn):
    turn.answer(json.dumps({**json.loads(vector(1)), "warnings": [secret_text(turn)]}))


def many_series(turn):
    host = turn.request.headers["host"]
    turn.answer(json.dumps({"status": "success", "data": {"resultType": "vector", "result": [
        {"metric": {"instance": f"http://{host}/{n}"}, "value": [1, "1"]} for n in range(3)]}}))


def garbage(turn):
    turn.send(f"{USER} {PASSWORD} {TOKEN} {turn.request.headers['host']}\r\n\r\n".encode())
    turn.close()


def redirect(turn):
    turn.answer(secret_text(turn), "302 Found", Location=f"http://{USER}:{TOKEN}@{turn.request.headers['host']}/")


SCRIPTS = {
    "unauthorized": unauthorized, "plain_401": lambda turn: turn.answer(secret_text(turn), "401 Unauthorized"),
    "forbidden": json_error("forbidden", "403 Forbidden"), "too_many": json_error("limit", "429 Too Many Requests"),
    "plain_500": plain_500,
    "bad_data": json_error("bad_data", "400 Bad Request"), "execution": json_error("execution", "422 Unprocessable Entity"),
    "there_late": json_error("timeout", "503 Service Unavailable"), "error_type": error_type, "warning": warning,
    "many_series": many_series, "garbage": garbage, "redirect": redirect,
    "not_json": lambda turn: turn.answer(secret_text(turn)), "hang": lambda turn: turn.hang(), "reset": lambda turn: turn.reset(),
    "not_found": lambda turn: turn.answer(secret_text(turn), "404 Not Found"),
}
# Those whose text comes through, with the planted taken out.
TELLING = ["unauthorized", "forbidden", "too_many", "plain_500", "bad_data", "execution", "there_late", "error_type",
           "warning"]


def without_addresses(log):
    """The log may say where a backend that is down should be; a Status may not."""
    return re.sub(r'address(=|":)"[^"]*"', "", log)


class SecretsTest(ServerTest):
    @classmethod
    def setUpClass(cls):
        folder = cls.new_folder()
        for name, text in {"user": USER, "password": PASSWORD, "token": TOKEN, "tenant": TENANT}.items():
            (folder / name).write_text(text + "\n")
        cls.certificates = shared_certificates()
        tls = {"ca": str(cls.certificates.crt("ca"))}
        serving = cls.certificates.crt("serving"), cls.certificates.key("serving")
        foreign = cls.certificates.issue("secrets-foreign", "client-ca", "/CN=x", "serverAuth", "IP:127.0.0.1")
        other_name = cls.certificates.issue("secrets-named", "ca", "/CN=x", "serverAuth", "DNS:elsewhere")
        cls.ports, cls.backends, cls.servers = [], {}, {}
        for name, script in SCRIPTS.items():
            cls.add(name, ScriptedServer(script), folder)
        cls.add("foreign_ca", ScriptedServer(plain_500, tls=foreign), folder, tls=tls)
        cls.add("wrong_name", ScriptedServer(plain_500, tls=other_name), folder, tls=tls)
        cls.add("plain_for_tls", ScriptedServer(raw=lambda connection: connection.sendall(b"hello")), folder, tls=tls)
        cls.add("tls_500", ScriptedServer(plain_500, tls=serving), folder, tls=tls)
        no_server = cls.add("gone", ScriptedServer(plain_500), folder)
        no_server.stop()
        for way in ("_basic", "_bearer"):
            cls.backends["no_host" + way] = cls.settings(folder, way, f"http://{HOST}:23456")
        cls.ports.append(23456)
        metrics = [metric(name, QUERY, backend=name, deadline="600ms") for name in cls.backends]
        cls.text = config(cls.backends, *metrics)
        cls.weir = cls.start(Weir(folder / "weir", cls.text, flags=("-v=10",)))
        cls.json = cls.start(Weir(folder / "json", cls.text, flags=("-v=10", "--logging-format", "json")))

    @classmethod
    def add(cls, name, server, folder, **settings):
        cls.start(server)
        cls.ports.append(server.port)
        cls.servers[name] = server
        url = server.url.replace("http://", "https://") if "tls" in settings and not server.tls else server.url
        for way in ("_basic", "_bearer"):
            cls.backends[name + way] = cls.settings(folder, way, url, **settings)
        return server

    @classmethod
    def settings(cls, folder, way, url, **settings):
        def file(name):
            return {"file": str(folder / name)}
        credentials = ({"username": file("user"), "password": file("password")} if way == "_basic"
                       else {"token": file("token")})
        return prometheus_backend(url, headers={"X-Scope-OrgID": file("tenant")}, **credentials, **settings)

    def leaks(self, text):
        """What of the planted, or where a backend is, is in `text`, as a list of words."""
        return (self.secrets(text) + [word for word in ("127.0.0.1",) if word in text]
                + [port for port in self.ports if re.search(rf"(?<!\d){port}(?!\d)", text)])

    def secrets(self, text):
        """What of the planted is in `text`, as it is or written by JSON, as base64 or percent-encoded."""
        words = [USER, PASSWORD, TOKEN, TENANT, QUERY, HOST, "planted.example", "planted-job", CALLER]
        coded = [base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode(), urllib.parse.quote(PASSWORD),
                 urllib.parse.quote_plus(PASSWORD), urllib.parse.quote(QUERY), json.dumps(QUERY)[1:-1]]
        return [word for word in words + coded if word in text]

    def test_no_response_log_line_or_command_shows_a_planted_secret(self):
        for name in self.backends:
            with self.subTest(name, where="Status"):
                # Named by its caller: an id of Weir's own may hold a port's digits by chance.
                answer = self.weir.get(metric_path("ml-inference", name),
                                       {"X-Remote-User": HPA_USER, "Audit-ID": name})

                self.assertIn(answer.status, (400, 429, 503, 504), answer.text)
                self.assertTrue(answer.json()["message"].startswith(f"metric ml-inference/{name}: prometheus {name}: "))
                self.assertEqual([], self.leaks(answer.json()["message"]), answer.text)
                if name.rpartition("_")[0] in TELLING:
                    self.assertGreaterEqual(answer.text.count("[hidden]"), 6, answer.text)
                self.assertEqual([], self.leaks(str(answer.headers)))
        for name in SCRIPTS:
            with self.subTest(name, where="asked"):
                headers = [request.headers["authorization"] for request in self.servers[name].requests]

                self.assertIn(f"Bearer {TOKEN}", headers)
                self.assertIn("Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode(), headers)
        lines = [line.partition(" weir] ")[2] for line in self.weir.process.log.read_text().splitlines()]
        self.assertTrue([line for line in lines if line.startswith("backend_down ")], lines)
        for line in lines:
            with self.subTest(line, where="log"):
                self.assertEqual([], self.secrets(without_addresses(line)))
                # Weir's own address; ids and times of any digits; where a backend is, which the log may say.
                if not line.startswith(("serving ", "request ", "backend_down ")):
                    self.assertEqual([], self.leaks(line))

    def test_S27_at_the_highest_verbosity_neither_log_nor_metrics_contain_a_secret(self):
        for weir in (self.weir, self.json):
            for name in self.backends:
                self.assertNotEqual(200, weir.metric("ml-inference", name).status)
            for headers in ({"Authorization": f"Bearer {CALLER}"}, {"Authorization": "Basic " + CALLER},
                            {"X-Remote-User": "alice", "Cookie": CALLER, "X-Remote-Extra-Token": CALLER}):
                for path in ("/apis", metric_path("ml-inference", "gone_basic", f"a={CALLER}"), "/nope?token=" + CALLER):
                    self.assertNotIn(CALLER, str(weir.get(path, headers).headers))
            page = weir.get("/metrics", {"X-Remote-User": "alice"})
            log = weir.process.log.read_text()

            self.assertEqual(200, page.status)
            self.assertIn('weir_queries_total{', page.text)
            self.assertEqual([], self.secrets(page.text))
            self.assertGreater(log.count("request"), len(self.backends))
            self.assertGreater(log.count("backend_down"), 5)
            self.assertEqual([], self.secrets(without_addresses(log)))

    def test_check_live_shows_no_secret_but_the_address_on_the_operators_own_terminal(self):
        run = run_weir("check", self.weir.config_file, "--live")

        self.assertEqual(3, run.returncode, run.stderr)
        self.assertEqual(1 + len(self.backends), len(run.stdout.splitlines()))
        for line in (run.stdout + run.stderr).splitlines():
            with self.subTest(line):
                self.assertEqual([], self.leaks(re.sub(r" \(\w+ is [\w.-]+:\d+\)$", "", line)))

    def test_get_shows_no_secret(self):
        for name in ("unauthorized_basic", "unauthorized_bearer", "execution_bearer", "gone_basic", "no_host_bearer"):
            with self.subTest(name):
                run = run_weir("get", "--config", self.weir.config_file, f"ml-inference/{name}")

                self.assertEqual(3, run.returncode)
                self.assertEqual([], self.leaks(run.stdout + run.stderr), run.stderr)

    def test_neither_arguments_nor_environment_of_the_process_contain_a_secret(self):
        for name in ("cmdline", "environ"):
            with self.subTest(name), open(f"/proc/{self.weir.process.pid}/{name}", "rb") as file:
                text = file.read().decode(errors="replace")

                self.assertEqual([], [secret for secret in (USER, PASSWORD, TOKEN, TENANT, HOST) if secret in text])

    def test_discovery_and_errors_of_a_wrong_name_reveal_no_secret(self):
        for path in ("/apis", "/apis/external.metrics.k8s.io/v1beta1", "/readyz?verbose", "/nope",
                     "/apis/external.metrics.k8s.io/v1beta1/namespaces/ml-inference/unauthorised_basic"):
            with self.subTest(path):
                self.assertEqual([], self.leaks(self.weir.get(path, {"X-Remote-User": "x"}).text))


if __name__ == "__main__":
    unittest.main()
