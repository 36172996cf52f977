"""weir check, get, describe and version: exit codes, and error texts with positions and fixes."""
import json
import unittest

from support import ScriptedServer, ServerTest, Weir, config, metric, prometheus_backend, run_weir, vector

AT = "2026-11-21T00:00:00Z"

BAD = """\
backends:
  prom:
    prometheus: {url: "http://user:pass@prometheus:9090"}
  odd:
    prometheus:
      url: ftp://prometheus
      tokn: {file: /nowhere}
      token: hunter2
      password: {file: /nowhere}
      tls: {ca: /nowhere}
    maxInFlight: 0
metrics:
  - name: status
    namespaces: [ml-inference]
    prometheus: {backend: prm, query: up}
    freshnes: 5s
    deadline: 31s
  - name: a/b
    namespaces: [A_b]
    prometheus: {backend: prom, query: 'up + $(x)', agregate: sum}
    labels: {x: '[', y: 'z'}
    nan: none
  - name: nothing
metric: []
"""
PROMETHEUS_KEYS = "url, method, token, username, password, headers, parameters, tls"
METRIC_KEYS = ("name, namespaces, freshness, deadline, empty, nan, negative, clamp, zeroAtOrBelow, fallback, settle, labels, "
               "prometheus, rabbitmq, redis")
PROBLEMS = f"""\
3:23: a url must not contain a user or password; write username: {{file: PATH}} and password: {{file: PATH}}
6:7: username and password go together; write both or neither
6:12: the url needs the scheme http or https; write http://HOST:PORT or https://HOST:PORT
7:7: unknown key "tokn" in a prometheus backend; did you mean "token"?; its keys are {PROMETHEUS_KEYS}
8:14: expected {{file: PATH}}: secrets come from files only
9:24: the credential file /nowhere cannot be read: No such file or directory
10:17: there is no file /nowhere
11:18: expected a whole number from 1 to 1000000; found "0"
13:11: the name status is reserved: Kubernetes reads it as a part of the namespace
15:27: there is no backend "prm"; did you mean "prom"?
16:5: unknown key "freshnes" in a metric; did you mean "freshness"?; its keys are {METRIC_KEYS}
17:15: a deadline is at most 30s
18:11: the name "a/b" is not valid in a url path; do not use /, % or the names . and ..
19:18: "A_b" is not a namespace: lower-case letters, digits and -
20:40: $(x) is not a declared label; use one of $(namespace), $(y) (write $$( for a literal $()
20:53: unknown key "agregate" in a prometheus metric; did you mean "aggregate"?; its keys are backend, query, aggregate, warnings, maxAge, ageOf
21:13: label y is declared but nothing uses $(y): every value would get the same number
21:17: the pattern is not valid RE2: missing ]: [
22:10: expected error, or a number to report instead; found "none"
23:5: a metric needs namespaces: the namespaces whose HPAs may read the metric, such as [ml-inference], or ['*'] for all
23:5: a metric needs one block named after its kind: prometheus, rabbitmq, redis
24:1: unknown key "metric" in a configuration; did you mean "metrics"?; its keys are backends, metrics
""".splitlines()

UP = 'metrics: [{name: a, namespaces: [n], prometheus: {backend: p, query: up}}]\nbackends: {p: {prometheus: {url: "%s"}}}\n'


class CheckTest(ServerTest):
    def write(self, text, name="weir.yaml"):
        path = self.folder() / name
        path.write_text(text)
        return path

    def test_every_problem_is_reported_at_once_with_its_position_and_fix(self):
        path = self.write(BAD)

        run = run_weir("check", path)

        self.assertEqual((1, ""), (run.returncode, run.stdout))
        *lines, last = run.stderr.splitlines()
        self.assertEqual([f"{path}:{line}" for line in PROBLEMS], lines)
        self.assertEqual(f"weir: {len(PROBLEMS)} problems in the configuration", last)

    def test_a_secret_that_was_written_into_the_file_is_not_repeated(self):
        run = run_weir("check", self.write(BAD))

        self.assertNotIn("hunter2", run.stderr)
        self.assertNotIn("user:pass", run.stderr)

    def test_one_problem_is_one_line(self):
        table = [
            ("an empty file", "", ":1:1: the file is empty; write backends: and metrics:"),
            ("a comment only", "# nothing\n", ":1:1: the file is empty; write backends: and metrics:"),
            ("two documents", "metrics: []\n---\nmetrics: []\n",
             ":1:1: a file has one document; move the part after --- to a separate file"),
            ("a list", "- a\n", ":1:1: expected a map of settings for a configuration; found a list"),
            ("backends as a list", "backends: [a]\n", ":1:11: backends is a map from a backend's name to its settings"),
            ("metrics as a map", "metrics: {a: b}\n",
             ":1:10: metrics is a list: start each metric with a dash, as in - name: ..."),
            ("a key twice", "metrics: []\nmetrics: []\n", ":2:1: duplicate key metrics (first at 1:1)"),
            ("a query in the url", UP % "http://h/?a=b",
             ":2:34: a url must not have a query; write it as parameters: {namespace: team-a}"),
            ("no host", UP % "http://",
             ":2:34: the url needs a valid HOST or HOST:PORT after ://; write an IPv6 address in brackets"),
            ("a port too high", UP % "http://h:65536",
             ":2:34: the url needs a valid HOST or HOST:PORT after ://; write an IPv6 address in brackets"),
        ]
        for name, text, problem in table:
            with self.subTest(name):
                path = self.write(text)

                run = run_weir("check", path)

                self.assertEqual((1, f"{path}{problem}\nweir: 1 problem in the configuration\n"),
                                 (run.returncode, run.stderr))

    def test_invalid_yaml_is_reported_with_its_position(self):
        for name, text in (("an open brace", "metrics: {a\n"), ("a tab", "metrics:\n\t- a\n"), ("bad alias", "a: *b\n"),
                           ("binary", "\x00\x01\x02")):
            with self.subTest(name):
                run = run_weir("check", self.write(text))

                self.assertEqual(1, run.returncode, run.stderr)
                self.assertRegex(run.stderr, r"weir\.yaml:\d+:\d+: ")

    def test_exploding_aliases_are_rejected_in_time(self):
        lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
        lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]

        run = run_weir("check", self.write("\n".join(lines)))

        self.assertEqual(1, run.returncode)
        self.assertIn("the configuration is too large or nested too deeply", run.stderr)

    def test_missing_files_and_folders_are_named(self):
        folder = self.folder()
        for name, path, text in (("a file", folder / "none.yaml", "the file cannot be read: No such file or directory"),
                                 ("an empty folder", folder, "the folder has no *.yaml file")):
            with self.subTest(name):
                run = run_weir("check", path)

                self.assertEqual((1, f"{path}: {text}\nweir: 1 problem in the configuration\n"),
                                 (run.returncode, run.stderr))

    def test_a_folder_is_read_as_one_configuration(self):
        folder = self.folder()
        (folder / "a.yaml").write_text(config("http://127.0.0.1:1", metric("one", "1")))
        (folder / "b.yml").write_text(json.dumps({"metrics": [metric("two", "2")]}))
        (folder / ".hidden.yaml").write_text("nonsense")
        (folder / "notes.txt").write_text("nonsense")

        run = run_weir("check", folder)

        self.assertEqual((0, "2 metrics: the configuration is valid\n", ""), (run.returncode, run.stdout, run.stderr))

    def test_a_valid_configuration_has_remarks_on_empty_and_on_labels(self):
        cache = {"redis": {"url": "redis://127.0.0.1:1"}}
        path = self.write(config({"prom": prometheus_backend("http://127.0.0.1:1"), "cache": cache},
                                 metric("one", "1", empty=0), metric("two", "2", empty=1),
                                 metric("team", 'x{q="$(q)"}', labels={"q": "team/.*"}),
                                 {"name": "keys", "namespaces": ["ml"], "empty": 0, "redis": {"backend": "cache", "key": "k"}}))

        run = run_weir("check", path)

        self.assertEqual((0, ""), (run.returncode, run.stderr))
        self.assertEqual([
            "4 metrics: the configuration is valid",
            "warning    ml-inference/team: no label can have a value that matches the pattern team/.* of label q, so no HPA can "
            "read the metric; write the value into the query, in a metric of its own without the label",
            "note       ml-inference/one and 1 more: empty covers a response without series; never a value that is absent, null "
            "or of another type",
            "warning    ml/keys: empty has no effect for kind redis; use missing"], run.stdout.splitlines())

    def test_a_metric_in_two_files_is_reported_with_both_positions(self):
        folder = self.folder()
        (folder / "a.yaml").write_text(config("http://127.0.0.1:1", metric("one", "1")))
        (folder / "b.yaml").write_text(json.dumps({"metrics": [metric("one", "2")]}))

        run = run_weir("check", folder)

        self.assertEqual(1, run.returncode)
        self.assertRegex(run.stderr, r"b\.yaml:1:\d+: duplicate metric one \(first at \S+a\.yaml:\d+\): their namespaces overlap")


class LiveTest(ServerTest):
    @classmethod
    def setUpClass(cls):
        cls.folder_ = cls.new_folder()
        server = cls.start(ScriptedServer(lambda turn: turn.answer(
            '{"status":"success","data":{"resultType":"vector","result":[]}}' if turn.request.query == "none"
            else vector(1.5))))
        cls.text = config({"prom": prometheus_backend(server.url)}, metric("good", "good"), metric("bad", "none"),
                          metric("by_label", 'x{q="$(q)"}', labels={"q": "[a-z]+"}))
        cls.file = cls.folder_ / "weir.yaml"
        cls.file.write_text(cls.text)
        cls.good = cls.folder_ / "good.yaml"
        cls.good.write_text(config({"prom": prometheus_backend(server.url)}, metric("good", "good", namespaces=["*"])))
        cls.weir = cls.start(Weir(cls.folder_ / "weir", cls.text))

    def test_check_live_reads_every_metric(self):
        run = run_weir("check", self.file, "--live")

        self.assertEqual((3, ""), (run.returncode, run.stderr))
        first, good, bad, by_label = run.stdout.splitlines()
        self.assertEqual(("3 metrics: the configuration is valid", "ok         ml-inference/good = 1500m"), (first, good))
        self.assertTrue(bad.startswith("no_value   metric ml-inference/bad: prometheus prom: the query matches no series"), bad)
        self.assertEqual("skipped    ml-inference/by_label: it needs label values; try weir get "
                         f"--config {self.file} ml-inference/by_label -l q=VALUE", by_label)

    def test_check_live_without_errors_is_0(self):
        run = run_weir("check", self.good, "--live")

        self.assertEqual((0, "1 metric: the configuration is valid\nok         default/good = 1500m\n", ""),
                         (run.returncode, run.stdout, run.stderr))

    def test_get_prints_a_table(self):
        run = run_weir("get", "--config", self.file, "ml-inference/by_label", "-l", "q in (a,b)")

        self.assertEqual((0, ""), (run.returncode, run.stderr))
        self.assertEqual([["METRIC", "LABELS", "TIMESTAMP", "VALUE"], ["by_label", "q=a", AT, "1500m"],
                          ["by_label", "q=b", AT, "1500m"]], [line.split() for line in run.stdout.splitlines()])

    def test_get_as_json_prints_the_apis_response(self):
        for path, selector in (("good", None), ("by_label", "q=a"), ("by_label", "q in (a,b)")):
            with self.subTest(path, selector=selector):
                run = run_weir("get", "--config", self.file, "-o", "json", f"ml-inference/{path}",
                               *(["-l", selector] if selector else []))

                self.assertEqual((0, ""), (run.returncode, run.stderr))
                self.assertEqual(self.weir.metric("ml-inference", path, selector).text, run.stdout)

    def test_get_as_yaml_with_the_namespace_apart_and_the_configuration_of_the_environment(self):
        run = run_weir("get", "-n", "ml-inference", "by_label", "-l", "q=a", "-o", "yaml",
                       env={"WEIR_CONFIG": str(self.file)})

        self.assertEqual((0, ""), (run.returncode, run.stderr))
        self.assertEqual(f"""\
kind: ExternalMetricValueList
apiVersion: external.metrics.k8s.io/v1beta1
metadata: {{}}
items:
- metricName: by_label
  metricLabels:
    q: a
  timestamp: "{AT}"
  value: "1500m"
""", run.stdout)

    def test_get_fails_with_the_text_of_the_api(self):
        table = [("unknown", "ml-inference/goood", None), ("no series", "ml-inference/bad", None),
                 ("no label", "ml-inference/by_label", None), ("bad selector", "ml-inference/by_label", "q=a b"),
                 ("another namespace", "other/good", None)]
        for name, target, selector in table:
            with self.subTest(name):
                run = run_weir("get", "--config", self.file, target, *(["-l", selector] if selector else []))

                answer = self.weir.metric(*target.split("/"), selector).json()
                self.assertEqual((3, "", f"Error from server ({answer['reason']}): {answer['message']}\n"),
                                 (run.returncode, run.stdout, run.stderr))

    def test_get_with_a_bad_configuration_is_1(self):
        run = run_weir("get", "--config", self.folder_ / "nowhere", "ml-inference/good")

        self.assertEqual((1, ""), (run.returncode, run.stdout))


class CommandLineTest(ServerTest):
    def test_version(self):
        run = run_weir("version")

        self.assertEqual((0, ""), (run.returncode, run.stderr))
        self.assertRegex(run.stdout, r"^weir \d+\.\d+\.\d+\S*\n$")
        self.assertEqual(run.stdout, run_weir("--version").stdout)

    def test_version_as_json_and_yaml_has_the_build(self):
        build = json.loads(run_weir("version", "-o", "json").stdout)

        self.assertEqual(["version", "gitCommit", "gitCommitDate", "buildType", "compiler"], list(build))
        self.assertEqual(f"weir {build['version']}\n", run_weir("version").stdout)
        # Both are empty in a build without git.
        self.assertRegex(build["gitCommit"], r"^([0-9a-f]{40})?$")
        self.assertRegex(build["gitCommitDate"], r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\S+)?$")
        self.assertRegex(build["compiler"], r"^\w+ \d")
        self.assertIn(f"gitCommit: {json.dumps(build['gitCommit'])}"[:12], run_weir("version", "-o", "yaml").stdout)

    def test_describe_prints_every_kind_and_setting(self):
        for arguments in ((), ("prometheus",)):
            with self.subTest(arguments):
                run = run_weir("describe", *arguments)

                self.assertEqual((0, ""), (run.returncode, run.stderr))
                for word in ("url", "token", "username", "password", "headers", "parameters", "tls", "query", "aggregate", "warnings"):
                    self.assertRegex(run.stdout, rf"(?m)^  {word} ")

    def test_describe_of_a_misspelt_kind_names_the_kind(self):
        run = run_weir("describe", "promtheus")

        self.assertEqual((2, "", 'weir: unknown kind "promtheus"; did you mean "prometheus"?\n'
                          "The kinds are: prometheus, rabbitmq, redis\n"), (run.returncode, run.stdout, run.stderr))

    def test_a_wrong_command_line_is_2_and_names_help(self):
        table = [("nothing", ()), ("an unknown flag", ("version", "--loud")),
                 ("check of nothing", ("check",)), ("get without config", ("get", "a/b")),
                 ("get of nothing", ("get", "--config", "x")),
                 ("an unknown format", ("get", "--config", "x", "a/b", "-o", "xml")),
                 ("serve without config", ("serve", "--standalone")),
                 ("port 0", ("serve", "--config", "x", "--secure-port", "0")),
                 ("port 65536", ("serve", "--config", "x", "--secure-port", "65536")),
                 ("a certificate without its key", ("serve", "--config", "x", "--tls-cert-file", "y"))]
        for name, arguments in table:
            with self.subTest(name):
                run = run_weir(*arguments)

                self.assertEqual((2, ""), (run.returncode, run.stdout))
                self.assertTrue(run.stderr.startswith("weir: "), run.stderr)
                self.assertIn("--help", run.stderr)

    def test_an_unknown_command_names_a_similar_command(self):
        run = run_weir("serv")

        self.assertEqual((2, "", 'weir: unknown command "serv"; did you mean "serve"?\n'
                          "The commands are: serve, check, get, explain, describe, doctor, record, version, help.\n"
                          "Run `weir --help` for usage.\n"), (run.returncode, run.stdout, run.stderr))

    def test_get_needs_a_namespace_and_a_metric(self):
        for target in ("p95", "/p95", "ml-inference/", "/"):
            with self.subTest(target):
                run = run_weir("get", "--config", "x", target)

                self.assertEqual((2, f'weir: "{target}" is not NAMESPACE/METRIC, such as ml-inference/p95_latency; or add -n '
                                  "NAMESPACE\nRun `weir get --help` for usage.\n"),
                                 (run.returncode, run.stderr))

    def test_help_is_0(self):
        for arguments in (("--help",), ("serve", "--help"), ("get", "-h"), ("help",), ("help", "record")):
            with self.subTest(arguments):
                run = run_weir(*arguments)

                self.assertEqual((0, ""), (run.returncode, run.stderr))
                self.assertIn("--", run.stdout)


if __name__ == "__main__":
    unittest.main()
