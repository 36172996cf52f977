"""weir check: every problem with its position and what to write instead, and with --live the values and their causes."""
import json
import re
import unittest

from support import Redis, ScriptedServer, ServerTest, config, kind_names, metric, prometheus_backend, run_weir, vector

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
PROMETHEUS_KEYS = "url, method, token, username, password, auth, headers, parameters, tls, http2, proxy"
METRIC_KEYS = ("name, namespaces, freshness, deadline, empty, nan, negative, clamp, zeroAtOrBelow, fallback, settle, labels, "
               + kind_names())
PROBLEMS = f"""\
3:23: a url must not contain a user or password; write username: {{file: PATH}} and password: {{file: PATH}}, or url: {{file: PATH}} for a file with the whole url
6:7: username and password go together; write both or neither
6:12: the url needs the scheme http or https; write http://HOST:PORT or https://HOST:PORT
7:7: unknown key "tokn" in a prometheus backend; did you mean "token"? Its keys are {PROMETHEUS_KEYS}
8:14: expected {{file: PATH}}: secrets come from files only
9:24: the credential file /nowhere cannot be read: No such file or directory
10:17: there is no file /nowhere
11:18: expected a whole number from 1 to 1000000; found "0"
13:11: the name status is reserved: Kubernetes reads it as a part of the namespace
15:27: there is no backend "prm"; did you mean "prom"?
16:5: unknown key "freshnes" in a metric; did you mean "freshness"? Its keys are {METRIC_KEYS}
17:15: a deadline is at most 30s
18:11: the name "a/b" is not valid in a url path; do not use /, % or the names . and ..
19:18: "A_b" is not a namespace: lower-case letters, digits and -
20:40: $(x) is not a declared label; use one of $(namespace), $(y) (write $$( for a literal $()
20:53: unknown key "agregate" in a prometheus metric; did you mean "aggregate"? Its keys are backend, query, aggregate, warnings, maxAge, ageOf, parameters
21:13: label y is declared but nothing uses $(y): every value would get the same number
21:17: the pattern is not valid RE2: missing ]: [
22:10: expected error, or a number to report instead; found "none"
23:5: a metric needs namespaces: the namespaces whose HPAs may read the metric, such as [ml-inference], or ['*'] for all
23:5: a metric needs one block named after its kind: {kind_names()}
24:1: unknown key "metric" in a configuration; did you mean "metrics"? Its keys are backends, metrics
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
            ("a label in a backend's parameter", UP % 'http://h", parameters: {a: $(queue)}, method: "GET',
             ":2:62: $(queue) is not known to a backend, which has $(namespace) alone: labels are those of a metric (write $$( "
             "for a literal $()"),
            ("a parameter that Weir sets", UP % 'http://h", parameters: {query: up}, method: "GET',
             ":2:59: the parameter query is set by Weir; remove it"),
            ("a parameter of both", (UP % 'http://h", parameters: {a: b}, method: "GET').replace("query: up", "query: up, parameters: {a: c}"),
             ":1:90: the backend has the parameter a already (FILE:2); keep one of them"),
            ("a header of two lines", UP % r'http://h", headers: {X-A: "a\nb"}, method: "GET',
             ":2:61: the header X-A contains a line end or another control character; write it on one line"),
            ("no host", UP % "http://",
             ":2:34: the url needs a valid HOST or HOST:PORT after ://; write an IPv6 address in brackets"),
            ("a port too high", UP % "http://h:65536",
             ":2:34: the url needs a valid HOST or HOST:PORT after ://; write an IPv6 address in brackets"),
        ]
        for name, text, problem in table:
            with self.subTest(name):
                path = self.write(text)

                run = run_weir("check", path)

                problem = problem.replace("(FILE:", f"({path}:")
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

    def test_a_duplicate_backend_names_the_first(self):
        folder = self.folder()
        for name in ("a.yaml", "b.yaml"):
            (folder / name).write_text("backends:\n  prom: {prometheus: {url: 'http://h'}}\nmetrics: []\n")

        run = run_weir("check", folder)

        self.assertEqual((1, f"{folder}/b.yaml:2:3: duplicate backend prom (first at {folder}/a.yaml:2); give each its own name\n"
                             "weir: 1 problem in the configuration\n"), (run.returncode, run.stderr))

    def test_relative_paths_start_at_the_configuration_file(self):
        folder = self.folder()
        path = folder / "weir.yaml"
        path.write_text("backends:\n  b: {redis: {url: 'redis://h', username: {file: user}, password: {file: keys/password}}}\n"
                        "metrics: []\n")

        missing = run_weir("check", path)
        (folder / "user").write_text("weir")
        (folder / "keys").mkdir()
        (folder / "keys" / "password").write_text("secret")
        found = [run_weir("check", "weir.yaml", cwd=folder), run_weir("check", path, cwd="/"),
                 run_weir("check", "../" + folder.name, cwd=folder)]

        self.assertEqual([f"{path}:2:50: the credential file {folder}/user cannot be read: No such file or directory",
                          f"{path}:2:74: the credential file {folder}/keys/password cannot be read: No such file or directory"],
                         missing.stderr.splitlines()[:2])
        self.assertEqual([0, 0, 0], [run.returncode for run in found], found)

    def test_without_credentials_their_files_are_no_matter_and_everything_else_is(self):
        path = self.write("""\
backends:
  prom: {prometheus: {url: 'https://h', token: {file: /nowhere/token}, tls: {ca: ca.crt, certificate: a, key: b}}}
  broker: {rabbitmq: {url: 'amqp://h', username: {file: /nowhere/user}, password: {file: /nowhere/password}}}
metrics:
  - {name: a, namespaces: [ml], prometheus: {backend: prom, query: up}}
""")

        plain, without = run_weir("check", path), run_weir("check", "--no-credentials", path)
        path.write_text(path.read_text().replace("backend: prom", "backend: prm"))
        wrong = run_weir("check", path, "--no-credentials")

        self.assertEqual(1, plain.returncode)
        self.assertEqual((0, "1 metric: the configuration is valid\n", ""), (without.returncode, without.stdout, without.stderr))
        self.assertEqual((1, f'{path}:5:55: there is no backend "prm"; did you mean "prom"?'),
                         (wrong.returncode, wrong.stderr.splitlines()[0]))

    def test_the_files_of_other_programs_are_recognized(self):
        adapter = "this is a configuration of prometheus-adapter: write each external rule as a metric"
        scaled = ["1:1: this is a KEDA ScaledObject: write the server of each trigger under backends:",
                  "5:11: trigger prometheus: write prometheus: under backends: and metrics:",
                  "6:11: trigger cpu: the HPA reads it without Weir: add {type: Resource, resource: {name: cpu,",
                  "7:11: trigger kafka: export it to Prometheus (kafka_exporter",
                  "8:11: trigger carrier-pigeon: there is no such kind"]
        table = [
            ("KEDA", "apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nspec:\n  triggers:\n  - type: prometheus\n  - type: cpu\n"
                     "  - type: kafka\n  - type: carrier-pigeon\n", scaled),
            ("a login of KEDA", "apiVersion: keda.sh/v1alpha1\nkind: TriggerAuthentication\n",
             ["1:1: this is a KEDA TriggerAuthentication: mount its Secret as files"]),
            ("jobs of KEDA", "apiVersion: keda.sh/v1alpha1\nkind: ScaledJob\n", ["1:1: this is a KEDA ScaledJob"]),
            ("an HPA", "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\n", ["1:1: this is an HPA, which belongs into the cluster"]),
            ("a ConfigMap", "apiVersion: v1\nkind: ConfigMap\n", ["1:1: this is a ConfigMap: give its files"]),
            ("another object", "apiVersion: apps/v1\nkind: Deployment\n",
             ["1:1: this is a Kubernetes object (apps/v1 Deployment), not a configuration"]),
            ("rules", "rules:\n- seriesQuery: up\n", [f"1:1: {adapter}"]),
            ("external rules", "externalRules:\n- seriesQuery: up\n", [f"1:1: {adapter}"]),
            ("values of the chart", "prometheus: {url: x}\nrules: {external: []}\n", ["1:1: these are values of prometheus-adapter's chart"]),
        ]
        for name, text, problems in table:
            with self.subTest(name):
                path = self.write(text)

                run = run_weir("check", path)

                lines = run.stderr.splitlines()
                self.assertEqual((1, len(problems) + 1), (run.returncode, len(lines)), run.stderr)
                for problem, line in zip(problems, lines):
                    self.assertTrue(line.startswith(f"{path}:{problem}"), line)

    def test_a_source_that_is_no_kind_says_what_serves_it(self):
        table = [
            ("kafka", "export it to Prometheus (kafka_exporter (kafka_consumergroup_lag)), and write prometheus: with a query for it"),
            ("postgresql", "export the result of the SQL query to Prometheus (postgres_exporter or sql_exporter), and write "
                           "prometheus: with a query for it"),
            ("cron", "write schedule: in a metric, with timezone as timeZone, start and end as from and to of a window, and "
                     "desiredReplicas as its value; the HPA has averageValue 1"),
            ("memory", "the HPA reads it without Weir: add {type: Resource, resource: {name: memory, target: {type: Utilization, "
                       "averageUtilization: 70}}} to its metrics"),
        ]
        for kind, text in table:
            with self.subTest(kind):
                path = self.write(f"backends:\n  b: {{{kind}: {{url: x}}}}\nmetrics:\n  - {{name: a, namespaces: [n], {kind}: {{}}}}\n")

                run = run_weir("check", path)

                problem = "there is no kind {} (the kinds are {}): {}"
                of_backend = problem.format(kind, "prometheus, rabbitmq, redis", text)
                of_metric = problem.format(kind, kind_names(), text)
                self.assertEqual((1, [f"{path}:2:7: {of_backend}", f"{path}:4:32: {of_metric}", "weir: 2 problems in the configuration"]),
                                 (run.returncode, run.stderr.splitlines()))

    def test_the_result_for_programs(self):
        good = self.write(config("http://127.0.0.1:1", metric("Upper", "1")), "good.yaml")
        bad = self.write("metrics: x\n", "bad.yaml")

        valid, invalid = run_weir("check", good, "-o", "json"), run_weir("check", bad, "-o", "json")
        yaml = run_weir("check", bad, "-o", "yaml")

        self.assertEqual((0, ""), (valid.returncode, valid.stderr))
        report = json.loads(valid.stdout)
        self.assertEqual((True, 1), (report["valid"], report["metrics"]))
        self.assertRegex(report["remarks"][0], "^note +ml-inference/Upper: an HPA reads it as upper")
        self.assertEqual((1, ""), (invalid.returncode, invalid.stderr))
        self.assertEqual({"valid": False, "problems": [
            {"file": str(bad), "line": 1, "column": 10,
             "what": "metrics is a list: start each metric with a dash, as in - name: ..."}]}, json.loads(invalid.stdout))
        self.assertTrue(yaml.stdout.startswith("valid: false\nproblems:\n- file: "), yaml.stdout)


class LiveTest(ServerTest):
    @classmethod
    def setUpClass(cls):
        cls.folder_ = cls.new_folder()
        server = cls.start(ScriptedServer(lambda turn: turn.answer(
            '{"status":"success","data":{"resultType":"vector","result":[]}}' if turn.request.query == "none"
            else vector(1.5))))
        cls.address = re.sub("^.*//", "", server.url)
        cls.file = cls.folder_ / "weir.yaml"
        cls.file.write_text(config({"prom": prometheus_backend(server.url)}, metric("good", "good"), metric("bad", "none"),
                                   metric("by_label", 'x{q="$(q)"}', labels={"q": "[a-z]+"})))
        cls.good = cls.folder_ / "good.yaml"
        cls.good.write_text(config({"prom": prometheus_backend(server.url)}, metric("good", "good", namespaces=["*"])))
        cls.redis = cls.start(Redis(cls.folder_ / "redis"))
        cls.redis.command("RPUSH", "cities", "Bern")
        lists = [{"name": name, "namespaces": ["ml"], "redis": {"backend": "cache", "key": key}}
                 for name, key in (("there", "cities"), ("gone", "citties"))]
        cls.lists = cls.folder_ / "lists.yaml"
        cls.lists.write_text(config({"cache": {"redis": {"url": cls.redis.url}}}, *lists))

    def test_check_live_reads_every_metric(self):
        run = run_weir("check", self.file, "--live")

        self.assertEqual((3, ""), (run.returncode, run.stderr))
        first, good, bad, by_label = run.stdout.splitlines()
        self.assertEqual(("3 metrics: the configuration is valid", "ok         ml-inference/good = 1.5"), (first, good))
        self.assertTrue(bad.startswith("no_value   metric ml-inference/bad: prometheus prom: the query matches no series"), bad)
        self.assertTrue(bad.endswith(f" (prom is {self.address})"), bad)
        self.assertEqual("skipped    ml-inference/by_label: it needs label values: add -l q=VALUE", by_label)

    def test_check_live_without_errors_is_0(self):
        run = run_weir("check", self.good, "--live")

        self.assertEqual((0, "1 metric: the configuration is valid\nok         default/good = 1.5\n", ""),
                         (run.returncode, run.stdout, run.stderr))

    def test_labels_are_for_the_metrics_that_have_them(self):
        one = run_weir("check", self.file, "--live", "-l", "q=mail")
        two = run_weir("check", self.file, "--live", "-l", "q in (a,b)")
        none = run_weir("check", self.file, "--live", "-l", "queue=mail")
        bad = run_weir("check", self.file, "--live", "-l", "q=a b")

        self.assertEqual(["ok         ml-inference/good = 1.5", "ok         ml-inference/by_label = 1.5"],
                         [line for line in one.stdout.splitlines() if line.startswith("ok")])
        self.assertIn("ok         ml-inference/by_label = {q=a} 1.5, {q=b} 1.5\n", two.stdout)
        self.assertEqual((2, "weir: -l sets queue, and no metric has a label of that name\n"), (none.returncode, none.stderr))
        self.assertEqual(3, bad.returncode)
        self.assertIn("(BadRequest)", bad.stderr)

    def test_a_zero_of_a_key_that_does_not_exist_is_a_warning(self):
        run = run_weir("check", self.lists, "--live")

        self.assertEqual((0, ""), (run.returncode, run.stderr))
        self.assertEqual(["ok         ml/there = 1",
                          'warning    ml/gone = 0, but there is no key "citties"; did you mean "cities"? '
                          f"(cache is 127.0.0.1:{self.redis.port})"], run.stdout.splitlines()[1:])

    def test_the_address_of_a_url_in_a_file_is_named_too(self):
        folder = self.folder()
        (folder / "url").write_text(f"redis://127.0.0.1:{self.redis.port}/0")
        file = folder / "weir.yaml"
        file.write_text(self.lists.read_text().replace(json.dumps(self.redis.url), '{"file": "url"}'))

        run = run_weir("check", file, "--live")

        self.assertEqual((0, ""), (run.returncode, run.stderr))
        self.assertTrue(run.stdout.endswith(f'? (cache is 127.0.0.1:{self.redis.port})\n'), run.stdout)

    def test_the_values_for_programs(self):
        run = run_weir("check", self.lists, "--live", "-o", "json")

        there, gone = json.loads(run.stdout)["reads"]
        common = {"namespace": "ml", "backend": "cache", "address": f"127.0.0.1:{self.redis.port}"}
        self.assertEqual({**common, "metric": "there", "status": "ok", "values": [{"labels": {}, "value": "1"}]}, there)
        self.assertEqual({**common, "metric": "gone", "status": "warning", "values": [{"labels": {}, "value": "0"}],
                          "message": 'there is no key "citties"; did you mean "cities"?'}, gone)

    def test_a_combination_without_meaning_says_why(self):
        for flags, text in ((("--live", "--no-credentials"), "--live needs the credentials"), (("-l", "q=a"), "add --live")):
            with self.subTest(flags):
                run = run_weir("check", self.file, *flags)

                self.assertEqual(2, run.returncode)
                self.assertIn(text, run.stderr)


if __name__ == "__main__":
    unittest.main()
