"""Several configuration files of which one has problems: its metrics alone are errors, loudly."""
import json
import re
import unittest

from support import GROUP, ScriptedServer, ServerTest, Weir, config, metric, run_weir, vector
from support.rotation import gauge, log_of

WHY = "its configuration file has problems and is not in use; run weir check, or see the log of Weir"


def answer_with_query(turn):
    """The number in the query: 42 for `vector(42)`."""
    turn.answer(vector(turn.request.query[len("vector("):-1]))


class ConfigErrorsTest(ServerTest):
    def setUp(self):
        self.prometheus = self.start_in_test(ScriptedServer(answer_with_query))
        self.team = self.folder() / "team"
        self.team.mkdir()

    def weir(self, *flags, **metrics):
        """One whose own file has the backend and these metrics, and whose second --config is the folder of the team."""
        return self.start_in_test(Weir(self.folder() / "weir", self.own(**metrics), flags=("--config", self.team, *flags)))

    def own(self, **metrics):
        return config(self.prometheus.url, *(metric(name, f"vector({value})", freshness="1ms")
                                             for name, value in metrics.items()))

    def write(self, name, text):
        (self.team / f".{name}").write_text(text)
        (self.team / f".{name}").replace(self.team / name)

    def metrics_file(self, **metrics):
        return json.dumps({"metrics": [metric(name, f"vector({value})", freshness="1ms") for name, value in metrics.items()]})

    def read(self, weir, name):
        answer = weir.metric("ml-inference", name)
        return answer.json()["items"][0]["value"] if answer.status == 200 else answer.status

    def assert_skipped(self, weir, name):
        answer = weir.metric("ml-inference", name)
        self.assert_status(answer, 503, "ServiceUnavailable", f"metric ml-inference/{name}: {WHY}")

    def test_at_the_start_a_file_with_problems_is_skipped_and_its_metrics_are_errors(self):
        self.write("bad.yaml", self.metrics_file(b1=1, b2=2).replace('"query"', '"qeury"', 1))
        self.write("cut.yaml", "metrics:\n- name: c1\n  namespaces: [ml-inference]\n- name: c2\n  x: 'y\n")
        self.write("good.yaml", self.metrics_file(g=7))

        weir = self.weir(own=1)

        self.assertEqual(("1", "7"), (self.read(weir, "own"), self.read(weir, "g")))
        for name in ("b1", "b2", "c1"):
            self.assert_skipped(weir, name)
        self.assertEqual(404, self.read(weir, "unknown"))
        names = {resource["name"] for resource in weir.get(GROUP, {"X-Remote-User": "a"}).json()["resources"]}
        self.assertEqual({"own", "g", "b1", "b2", "c1", "c2", "externalmetrics"}, names)
        for name, value in (("bad", 1), ("cut", 1), ("good", 0)):
            self.assertEqual(value, gauge(weir, "weir_config_file_skipped", file=self.team / f"{name}.yaml"))
        self.assertIn("\nweir_config_last_reload_successful 0\n", weir.get("/metrics", {"X-Remote-User": "a"}).text)
        log = log_of(weir)
        self.assertIn(f' config_file_skipped file="{self.team / "bad.yaml"}" in_use="nothing of it"', log)
        self.assertIn(r'unknown key \"qeury\"', log)
        checked = run_weir("check", weir.config_file, self.team)
        self.assertEqual(1, checked.returncode)
        self.assertIn('unknown key "qeury"', checked.stderr)
        self.assertIn("cut.yaml:6:", checked.stderr)

        self.write("bad.yaml", self.metrics_file(b1=1, b2=2))
        self.wait_for(lambda: self.read(weir, "b1") == "1")
        self.assertEqual(0, gauge(weir, "weir_config_file_skipped", file=self.team / "bad.yaml"))
        self.assert_skipped(weir, "c1")
        # Each once, across the reload; and a metric recovers although its backend is another one now.
        self.wait_for(lambda: ' metric_recovered namespace="ml-inference" name="b1"' in log_of(weir))
        for name in ("b1", "c1"):
            self.assertEqual(1, log_of(weir).count(f' metric_failing namespace="ml-inference" name="{name}"'))
        page = weir.get("/metrics", {"X-Remote-User": "a"}).text
        self.assertIn('\nweir_metric_failing{backend="",code="misconfigured",labels="",metric="c1",namespace="ml-inference"} 1', page)
        self.assertFalse([line for line in page.splitlines() if line.startswith("weir_metric_failing{") and 'metric="b1"' in line])

    def test_a_reload_keeps_the_last_valid_version_of_a_file_and_uses_the_others(self):
        self.write("a.yaml", self.metrics_file(a=1))
        self.write("b.yaml", self.metrics_file(b=1))
        weir = self.weir(own=1)
        self.assertEqual(("1", "1"), (self.read(weir, "a"), self.read(weir, "b")))

        self.write("b.yaml", "metrics: [")
        self.wait_for(lambda: gauge(weir, "weir_config_file_skipped", file=self.team / "b.yaml") == 1)
        self.write("a.yaml", self.metrics_file(a=2, new=3))
        self.wait_for(lambda: self.read(weir, "a") == "2")
        self.assertEqual(("3", "1"), (self.read(weir, "new"), self.read(weir, "b")))
        self.assertIn(' in_use="its last valid version"', log_of(weir))

        self.write("b.yaml", self.metrics_file(b=4))
        self.wait_for(lambda: self.read(weir, "b") == "4")
        self.assertEqual(0, gauge(weir, "weir_config_file_skipped", file=self.team / "b.yaml"))
        self.assertIn("\nweir_config_last_reload_successful 1\n", weir.get("/metrics", {"X-Remote-User": "a"}).text)

    def test_a_file_has_another_line_when_its_last_valid_version_cannot_be_used_any_more(self):
        def file_lines():
            return re.findall(r' config_file_skipped file="([^"]*)" in_use="([^"]*)"', log_of(weir))

        def backend(name):
            return json.dumps({"backends": {name: {"prometheus": {"url": self.prometheus.url}}}})

        bad = str(self.team / "b.yaml")
        self.write("c.yaml", backend("prom2"))
        self.write("b.yaml", json.dumps({"metrics": [metric("b", "vector(1)", backend="prom2")]}))
        weir = self.weir(own=1)
        self.write("b.yaml", "metrics: [")
        self.wait_for(file_lines)
        self.assertEqual([(bad, "its last valid version")], file_lines())
        self.assertEqual("1", self.read(weir, "b"))

        self.write("c.yaml", backend("prom3"))
        self.wait_for(lambda: self.read(weir, "b") == 503)

        self.assert_skipped(weir, "b")
        self.assertEqual([(bad, "its last valid version"), (bad, "nothing of it")], file_lines())
        # The problem is the same: its line is not repeated.
        self.assertEqual(1, log_of(weir).count(" config_invalid "))

    def test_a_file_that_takes_a_name_of_another_one_has_the_problem_alone(self):
        self.write("b.yaml", self.metrics_file(b=1))
        self.write("c.yaml", self.metrics_file(c=3, c2=4))
        weir = self.weir(own=1)
        self.assertEqual(("1", "3", "4"), tuple(self.read(weir, name) for name in ("b", "c", "c2")))

        self.write("b.yaml", self.metrics_file(b=2, c=9))
        self.wait_for(lambda: gauge(weir, "weir_config_file_skipped", file=self.team / "b.yaml") == 1)

        self.assertEqual(("1", "3", "4"), tuple(self.read(weir, name) for name in ("b", "c", "c2")))
        self.assertEqual(0, gauge(weir, "weir_config_file_skipped", file=self.team / "c.yaml"))

    def test_a_folder_that_is_empty_for_a_while_removes_no_metric(self):
        self.write("a.yaml", self.metrics_file(a=1))
        weir = self.weir(own=1)
        self.assertEqual("1", self.read(weir, "a"))

        (self.team / "a.yaml").unlink()
        self.wait_for(lambda: "the folder has no *.yaml file" in log_of(weir))

        self.assertEqual("1", self.read(weir, "a"))

    def test_metrics_of_a_backend_in_a_skipped_file_are_errors(self):
        self.write("a.yaml", json.dumps({"metrics": [metric("other", "vector(1)", backend="prom2")]}))
        self.write("b.yaml", json.dumps({"backends": {"prom2": {"prometheus": {"url": self.prometheus.url, "tokn": 1}}}}))

        weir = self.weir(own=1)

        self.assert_status(weir.metric("ml-inference", "other"), 503, "ServiceUnavailable",
                           f"metric ml-inference/other: prometheus prom2: {WHY}")
        self.assertEqual("1", self.read(weir, "own"))

    def test_get_and_explain_name_the_problems_and_go_on_with_the_other_files(self):
        self.write("good.yaml", self.metrics_file(g=7))
        self.write("bad.yaml", json.dumps({"metrics": [dict(metric("b", "vector(1)"), freshnes="1s")]}))
        (self.team / "own.yaml").write_text(self.own(own=1))
        problems = rf"(?s){self.team / 'bad.yaml'}:.*freshnes.*\nweir: 1 problem in the configuration\n"

        for command in ("get", "explain"):
            with self.subTest(command):
                good = run_weir(command, "--config", self.team, "ml-inference/g")
                bad = run_weir(command, "--config", self.team, "ml-inference/b")

                self.assertEqual(0, good.returncode)
                self.assertRegex(good.stderr, problems)
                self.assertIn("7", good.stdout)
                self.assertEqual(3, bad.returncode)
                self.assertIn(WHY, bad.stdout + bad.stderr)

    def test_with_fail_or_a_single_file_a_problem_ends_the_start(self):
        self.write("good.yaml", self.metrics_file(g=7))
        self.write("bad.yaml", "metrics: [")
        bad = self.team / "bad.yaml"
        for flags in (("--config", self.team, "--config-errors", "fail"), ("--config", bad),
                      ("--config", bad, "--config-errors", "skip")):
            with self.subTest(flags):
                run = run_weir("serve", "--standalone", "--client-ca-file", bad, *flags)

                self.assertEqual(1, run.returncode)
                self.assertIn("bad.yaml:", run.stderr)
                self.assertIn("in the configuration\n", run.stderr)


if __name__ == "__main__":
    unittest.main()
