"""weir get, describe and version, and the command line: exit codes and error texts."""
import json
import re
import unittest

import yaml

from support import ScriptedServer, ServerTest, Weir, config, kind_names, metric, prometheus_backend, run_weir, vector

AT = "2026-11-21T00:00:00Z"


class GetTest(ServerTest):
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
        cls.weir = cls.start(Weir(cls.folder_ / "weir", cls.text))

    def test_get_prints_a_table(self):
        run = run_weir("get", "--config", self.file, "ml-inference/by_label", "-l", "q in (a,b)")

        self.assertEqual((0, ""), (run.returncode, run.stderr))
        self.assertEqual([["METRIC", "LABELS", "TIMESTAMP", "VALUE"], ["by_label", "q=a", AT, "1.5"],
                          ["by_label", "q=b", AT, "1.5"]], [line.split() for line in run.stdout.splitlines()])

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
        self.assertRegex(build["gitCommitDate"], r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)?$")
        self.assertRegex(build["compiler"], r"^\w+ \d")
        self.assertEqual(build, yaml.safe_load(run_weir("version", "-o", "yaml").stdout))

    def test_describe_prints_every_kind_and_setting(self):
        for arguments in ((), ("prometheus",)):
            with self.subTest(arguments):
                run = run_weir("describe", *arguments)

                self.assertEqual((0, ""), (run.returncode, run.stderr))
                for word in ("url", "token", "username", "password", "headers", "parameters", "tls", "query", "aggregate", "warnings"):
                    self.assertRegex(run.stdout, rf"(?m)^  {word} ")

    def test_check_accepts_the_example_of_each_kind(self):
        kinds = kind_names().split(", ")
        self.assertIn("redis", kinds)
        for kind in kinds:
            with self.subTest(kind):
                folder = self.new_folder()
                example = run_weir("describe", kind, "--example").stdout
                (folder / "weir.yaml").write_text(example)
                for name in re.findall(r"\{file: ([\w./-]+)\}", example):
                    (folder / name).parent.mkdir(exist_ok=True)
                    (folder / name).write_text("secret\n")

                run = run_weir("check", folder / "weir.yaml")

                self.assertEqual((0, ""), (run.returncode, run.stderr), example)
                self.assertEqual([kind], [key for key in kinds for metric in yaml.safe_load(example)["metrics"] if key in metric])

    def test_an_example_needs_its_kind(self):
        run = run_weir("describe", "--example")

        self.assertEqual((2, "", "weir: --example needs a KIND; weir describe lists the kinds\n"
                          "Run `weir describe --help` for usage.\n"), (run.returncode, run.stdout, run.stderr))

    def test_describe_of_a_misspelt_kind_names_the_kind(self):
        run = run_weir("describe", "promtheus")

        self.assertEqual((2, "", 'weir: unknown kind "promtheus"; did you mean "prometheus"?\n'
                          f"The kinds are: {kind_names()}\n"), (run.returncode, run.stdout, run.stderr))

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
