"""Why a read has no number: `weir explain`, its endpoint and the Status message against real backends.

The incident that led to it: a load test scaled nothing since Prometheus did not scrape the workers, and no text said so.
"""
import json
import time
import unittest

from support import (Prometheus, RabbitMQ, Redis, ScriptedServer, Series, ServerTest, Weir, config, free_port, metric, metric_path,
                     run_weir, wait_until)
from support.prometheus import STALE

USER = {"X-Remote-User": "alice"}


def explain(weir, name, selector=None):
    """What the endpoint answers about a metric of ml-inference."""
    path, _, query = metric_path("ml-inference", name, selector).partition("?")
    answer = weir.get(f"{path}/explain?{query}", USER)
    if answer.status != 200:
        raise AssertionError(answer.text)
    return answer.json()


class ExplainCase(ServerTest):
    def message_with_diagnosis(self, name, selector=None):
        """The Status message of a failing read once its cause was looked for, which is at the next read but few."""
        def diagnosed():
            answer = self.weir.metric("ml-inference", name, selector)
            message = self.message_of(answer)
            return message if "; diagnosis: " in message else None
        return self.wait_for(diagnosed, 15)

    def command(self, name, *arguments):
        return run_weir("explain", "--config", self.weir.config_file, "ml-inference/" + name, *arguments)

    def assert_diagnosis(self, name, cause, *findings):
        """The Status message, the endpoint and the command name the cause; the last two say how it was found."""
        self.assertTrue(self.message_with_diagnosis(name).endswith("; diagnosis: " + cause),
                        self.message_with_diagnosis(name))
        self.assert_explained(name, cause, *findings)

    def assert_near_name_only_in_explanation(self, name, selector, near):
        """The Status only counts the names similar to one that a caller chose; an explanation lists them."""
        message = self.message_with_diagnosis(name, selector)
        [explained_query] = explain(self.weir, name, selector)["queries"]

        self.assertTrue(message.endswith("; weir explain lists 1 similar name"), message)
        self.assertNotIn(near, message)
        self.assertIn(f'similar names: "{near}"', explained_query["diagnosis"]["findings"])

    def assert_explained(self, name, cause, *findings):
        """The endpoint and the command name the cause, and say how it was found."""
        answer = explain(self.weir, name)
        self.assertEqual(cause, answer["queries"][0]["diagnosis"]["cause"])
        self.assertTrue(answer["result"]["error"]["message"].endswith("; diagnosis: " + cause))
        run = self.command(name)
        self.assertEqual((3, ""), (run.returncode, run.stderr))
        # The findings are right below, so nothing points to them.
        self.assertIn(f"diagnosis    {cause.partition('; weir explain lists ')[0]}\n", run.stdout)
        for finding in findings:
            self.assertIn(finding, answer["queries"][0]["diagnosis"]["findings"])
            self.assertIn(f"- {finding}\n", run.stdout)


class PrometheusTest(ExplainCase):
    @classmethod
    def setUpClass(cls):
        folder = cls.new_folder()
        cls.exporter = cls.start(ScriptedServer(lambda turn: turn.answer('alive_queue_len{model="gpt4"} 7\n')))
        cls.ending = cls.start(ScriptedServer(lambda turn: turn.answer("ended_queue_len 3\n")))
        cls.closed_port = free_port()
        targets = [{"targets": [f"127.0.0.1:{cls.exporter.port}"]}]
        cls.prometheus = cls.start(Prometheus(folder / "prometheus", scrape={
            "alive": {"static_configs": targets},
            "zz-ending": [f"127.0.0.1:{cls.ending.port}"],
            "broken": [f"127.0.0.1:{cls.closed_port}"],
            "dropped": {"static_configs": targets, "relabel_configs": [
                {"source_labels": ["__address__"], "regex": "nothing", "action": "keep"}]},
            "source": {"static_configs": targets, "relabel_configs": [{"target_label": "job", "replacement": "worker"}]},
            "idle": {"static_configs": []},
        }))
        cls.queries = {
            "up": 'sum(alive_queue_len{job="alive"})',
            "missing": 'sum(inference_queue_len{job="inference"})',
            "down": 'sum(inference_queue_len{job="broken"})',
            "dropped": 'sum(inference_queue_len{job="dropped"})',
            "idle": 'sum(inference_queue_len{job="idle"})',
            "relabelled": 'sum(alive_queue_len{job="source"})',
            "typo": 'max(alive_queue_length)',
            "value": 'sum(alive_queue_len{job="alive",model="gpt5"})',
            "range": 'sum(rate(alive_queue_len{job="alive"}[100ms]))',
            "sampled": 'sum(avg_over_time(paused_series{job="alive"}[10s]))',
            "shifted": 'sum(alive_queue_len{job="alive"} offset 1w)',
            "compared": 'sum(alive_queue_len{job="alive"}) > 1000',
            "ended": 'sum(ended_queue_len{job="zz-ending"})',
            "moved": 'sum(moved_series{job="alive",pool="gpu"})',
            "renamed": 'sum(moved_series{job="gone"})',
            "quiet": 'sum(quiet_series{job="alive"})',
            "lost": 'sum(lost_series{job="gone"})',
            "removed": 'sum(rate(removed_series{job="gone"}[1m]))',
            "nobody": 'avg(inference_queue_len)',
        }
        metrics = [metric(name, query, freshness="1ms") for name, query in cls.queries.items()]
        text = config(cls.prometheus.url, *metrics)
        cls.weir = cls.start(Weir(folder / "weir", text))
        # What holds for every test: all that is up was scraped, and what is down was found so.
        wait_until(lambda: cls.prometheus.query("count(up) == 4 and sum(up) == 3"), "the first scrapes", 20, 0.1)
        cls.write_past()

    @classmethod
    def write_past(cls):
        """Series that have ended, as a scrape that finds them no more leaves them; series of a job that was removed, which
        Prometheus does not end; and what came in the place of one."""
        now = time.time()
        samples = [(now - 2, 1), (now - 1, STALE)]
        cls.prometheus.remote_write([
            Series({"__name__": "moved_series", "job": "alive", "pool": "gpu"}, samples),
            Series({"__name__": "moved_series", "job": "gone", "pool": "gpu"}, samples),
            Series({"__name__": "moved_series", "job": "alive", "pool": "gpu-a"}, [(now, 1)]),
            Series({"__name__": "quiet_series", "job": "alive"}, samples),
            Series({"__name__": "paused_series", "job": "alive"}, [(now - 60, 1)]),
            Series({"__name__": "lost_series", "job": "gone"}, samples),
            Series({"__name__": "removed_series", "job": "gone"}, [(now - 80, 1), (now - 75, 2)])])

    def test_a_value_is_explained_from_its_entry_to_its_policies(self):
        line = self.weir.config_file.read_text().splitlines().index('   "name": "up",')

        answer = explain(self.weir, "up")

        self.assertEqual(["kind", "version", "namespace", "metric", "selector", "entry", "settings", "backend", "queries",
                          "result"], list(answer))
        self.assertEqual({"file": str(self.weir.config_file), "line": line}, answer["entry"])
        self.assertEqual(("prom", "prometheus", False), tuple(answer["backend"][key] for key in ("name", "kind", "isDown")))
        self.assertEqual({"value": "7"}, answer["result"])
        [explained_query] = answer["queries"]
        self.assertEqual(self.queries["up"], explained_query["query"])
        self.assertEqual("7", explained_query["reply"]["value"])
        self.assertEqual(["empty", "nan", "negative"], [policy["name"] for policy in explained_query["policies"]])
        self.assertEqual(["wait", "query"], [step["name"] for step in explained_query["steps"]])
        self.assertNotIn("diagnosis", explained_query)

    def test_a_job_that_is_missing_from_the_configuration_is_named(self):
        self.assert_diagnosis("missing", 'no series "inference_queue_len" exists; scrape job "inference" does not '
                              'exist; existing scrape jobs: "alive" (1 of 1 up), "broken" (0 of 1 up), '
                              '"dropped" (0 of 0 up), '
                              '"idle" (0 of 0 up), "source" (0 of 0 up), ...',
                              'count (inference_queue_len{job="inference"}) = 0')

    def test_a_target_that_is_down_is_named_with_its_last_error(self):
        self.assert_diagnosis("down", 'no series "inference_queue_len" exists; the only target of scrape job "broken" '
                              'is not up (last error: Get "[hidden]": dial tcp [hidden]: connect: connection refused)',
                              f'scrape job "broken": 1 target, 0 up; 127.0.0.1:{self.closed_port} '
                              f'is down: Get "http://127.0.0.1:{self.closed_port}/metrics": dial tcp '
                              f'127.0.0.1:{self.closed_port}: connect: connection refused')

    def test_relabeling_that_drops_every_target_is_named(self):
        self.assert_diagnosis("dropped", 'no series "inference_queue_len" exists; relabeling drops the only target '
                              'of scrape job "dropped"')

    def test_a_job_without_targets_is_named(self):
        self.assert_diagnosis("idle", 'no series "inference_queue_len" exists; scrape job "idle" discovers no targets')

    def test_a_label_that_relabeling_changed_is_named(self):
        self.assert_diagnosis("relabelled", 'job="source" excludes all series of "alive_queue_len", which have 2 other '
                              'values of job; weir explain lists the values', 'count by (job) (alive_queue_len) = 2',
                              'values of label job: "alive", "worker"')

    def test_a_misspelt_metric_is_an_error_with_the_similar_name(self):
        cause = self.message_with_diagnosis("typo").partition("; diagnosis: ")[2]

        self.assertTrue(cause.startswith('no series "alive_queue_length" exists; did you mean "alive_queue_len"?'), cause)

    def test_the_similar_name_of_a_misspelt_label_value_is_only_in_the_explanation(self):
        self.assert_diagnosis("value", 'model="gpt5" excludes all series of "alive_queue_len", which have 1 other value of '
                              'model; weir explain lists the values', 'values of label model: "gpt4"; did you mean "gpt4"?')

    def test_a_range_that_is_too_short_for_a_rate_is_named(self):
        self.assert_diagnosis("range", 'no series of "alive_queue_len" has two samples within [100ms], which a rate '
                              'needs; widen [100ms] to four scrape intervals')

    def test_a_range_without_any_sample_is_named_without_mentioning_a_rate(self):
        self.assert_diagnosis("sampled", 'no series of "paused_series" has a sample within [10s]')

    def test_a_query_of_another_time_has_no_cause(self):
        [explained_query] = explain(self.weir, "shifted")["queries"]

        self.assertEqual({"cause": "", "findings": ["queries with offset are not diagnosed"], "queries": 0},
                         explained_query["diagnosis"])

    def test_a_comparison_that_matches_nothing_is_named(self):
        self.assert_diagnosis("compared", "every selector of the query has series, but a comparison, a join or a "
                              "function removes all of them")

    def test_a_name_that_no_target_exports_names_the_unhealthy_jobs(self):
        cause = self.message_with_diagnosis("nobody").partition("; diagnosis: ")[2]

        self.assertTrue(cause.startswith('no series "inference_queue_len" exists; the only target of scrape job "broken"'
                                         ' is not up'), cause)
        self.assertIn('relabeling drops the only target of scrape job "dropped"', cause)

    def test_series_that_ended_are_explained_by_their_target(self):
        self.assert_values(self.weir.metric("ml-inference", "ended"), "3")
        self.ending.stop()

        self.assert_diagnosis("ended", '"ended_queue_len" had series within the last hour and has none now: the '
                              'only target of scrape job "zz-ending" is not up (last error: Get "[hidden]": dial tcp [hidden]: '
                              'connect: connection refused)')

    def test_series_that_continue_with_another_label_value_are_explained_by_the_matcher(self):
        self.assert_diagnosis("moved", '"moved_series" had series within the last hour and has none now: '
                              'pool="gpu" excludes all series of "moved_series", which have 1 other value of pool; '
                              'weir explain lists the values', 'values of label pool: "gpu-a"; did you mean "gpu-a"?')

    def test_series_that_continue_under_another_job_are_explained_by_the_missing_job(self):
        self.assert_diagnosis("renamed", '"moved_series" had series within the last hour and has none now: scrape job '
                              '"gone" does not exist: job="gone" excludes all series of "moved_series", '
                              'which have 1 other value of job; weir explain lists the values')

    def test_series_that_a_target_no_longer_exports_are_explained_by_that(self):
        self.assert_diagnosis("quiet", '"quiet_series" had series within the last hour and has none now: scrape '
                              'job "alive" has 1 of 1 targets up and no longer exports the series')

    def test_series_of_a_job_that_was_removed_are_explained_by_that(self):
        self.assert_diagnosis("lost", '"lost_series" had series within the last hour and has none now: scrape job '
                              '"gone" does not exist; existing scrape jobs: "alive" (1 of 1 up), "broken" (0 of 1 '
                              'up), "dropped" (0 of 0 '
                              'up), "idle" (0 of 0 up), "source" (0 of 0 up), ...')

    def test_a_rate_whose_job_was_removed_is_explained_by_that_though_its_series_have_a_last_value(self):
        self.assert_diagnosis("removed", 'no series of "removed_series" has two samples within [1m]: scrape job "gone" '
                              'does not exist; existing scrape jobs: "alive" (1 of 1 up), "broken" (0 of 1 '
                              'up), "dropped" (0 of 0 up), '
                              '"idle" (0 of 0 up), "source" (0 of 0 up), ...')

    def test_no_status_message_contains_a_host_a_port_or_the_query(self):
        for name, query in self.queries.items():
            if name in ("up", "ended", "shifted"):
                continue
            with self.subTest(name):
                message = self.message_with_diagnosis(name)

                for hidden in ("127.0.0.1", str(self.prometheus.port), str(self.closed_port), str(self.exporter.port), query):
                    self.assertNotIn(hidden, message)


class RedisTest(ExplainCase):
    @classmethod
    def setUpClass(cls):
        folder = cls.new_folder()
        cls.redis = cls.start(Redis(folder / "redis", users={"weir": "on >a-password ~* +type +llen +scan +get +role +multi +exec"}))
        cls.redis.fill("RPUSH ollama:tasks 1 2", "SET counter 1")
        for name, text in {"user": "weir", "password": "a-password"}.items():
            (folder / name).write_text(text)
        login = {"username": {"file": str(folder / "user")}, "password": {"file": str(folder / "password")}}
        blocks = {"task": {"key": "ollama:task", "missing": "error"}, "zero": {"key": "ollama_tasks"}}
        selected_metric = {"name": "chosen", "namespaces": ["ml-inference"], "freshness": "1ms", "labels": {"key": "[a-z]+"},
                           "redis": {"backend": "cache", "key": "ollama:$(key)", "missing": "error"}}
        text = json.dumps({"backends": {"cache": {"redis": {"url": cls.redis.url, **login}}}, "metrics": [
            {"name": name, "namespaces": ["ml-inference"], "freshness": "1ms", "redis": {"backend": "cache", **block}}
            for name, block in blocks.items()] + [selected_metric]})
        cls.weir = cls.start(Weir(folder / "weir", text))

    def test_a_missing_key_is_an_error_with_the_similar_name(self):
        self.assert_diagnosis("task", 'there is no key "ollama:task"; did you mean "ollama:tasks"?', "TYPE ollama:task = none",
                              "scanned 2 keys, the whole database")

    def test_the_similar_name_of_a_missing_key_of_the_callers_choice_is_only_in_the_explanation(self):
        self.assert_near_name_only_in_explanation("chosen", "key=task", "ollama:tasks")

    def test_a_zero_that_is_a_missing_key_is_explained(self):
        self.assert_values(self.weir.metric("ml-inference", "zero"), "0")

        [explained_query] = explain(self.weir, "zero")["queries"]

        self.assertEqual(("LLEN ollama_tasks", "0"), (explained_query["query"], explained_query["result"]["value"]))
        self.assertEqual('there is no key "ollama_tasks"; did you mean "ollama:tasks"?', explained_query["diagnosis"]["cause"])

    def test_no_secret_is_explained(self):
        output = json.dumps(explain(self.weir, "task")) + self.command("task", "-o", "json").stdout

        self.assertNotIn("a-password", output)
        self.assertNotIn(str(self.redis.port), self.message_with_diagnosis("task"))


class RabbitMQTest(ExplainCase):
    @classmethod
    def setUpClass(cls):
        folder = cls.new_folder()
        cls.broker = cls.start(RabbitMQ(folder / "rabbitmq"))
        cls.broker.declare("inference_requests")
        cls.broker.declare("quiet")
        cls.broker.publish("quiet", 3)
        cls.broker.add_vhost("orders")
        cls.broker.add_user("stranger", "its-password", tags="monitoring")
        login = {}
        for name, (user, password) in {"weir": (cls.broker.user, cls.broker.password),
                                       "stranger": ("stranger", "its-password")}.items():
            (folder / f"{name}.user").write_text(user)
            (folder / f"{name}.password").write_text(password)
            login[name] = {"username": {"file": str(folder / f"{name}.user")},
                           "password": {"file": str(folder / f"{name}.password")}}
        url = cls.broker.management_url
        backends = {name: {"rabbitmq": {"url": url, **pair}} for name, pair in login.items()}
        blocks = {"typo": {"queue": "inference_request"}, "vhost": {"queue": "q", "vhost": "order"},
                  "stranger": {"queue": "inference_requests", "backend": "stranger"},
                  "idle": {"queue": "quiet", "mode": "ExpectedQueueConsumptionTime"}}
        labels = {"name": "[a-z_]+"}
        selected_metrics = {"queue": {"queue": "$(name)"}, "of_vhost": {"queue": "q", "vhost": "$(name)"}}
        text = json.dumps({"backends": backends, "metrics": [
            {"name": name, "namespaces": ["ml-inference"], "freshness": "1ms", "rabbitmq": {"backend": "weir", **block}}
            for name, block in blocks.items()] + [
            {"name": name, "namespaces": ["ml-inference"], "freshness": "1ms", "labels": labels,
             "rabbitmq": {"backend": "weir", **block}} for name, block in selected_metrics.items()]})
        cls.weir = cls.start(Weir(folder / "weir", text))

    def test_a_missing_queue_is_an_error_with_the_similar_name(self):
        self.assert_diagnosis("typo", 'the user sees 2 queues in vhost "/"; did you mean "inference_requests"?',
                              "queues visible to the user: inference_requests, quiet")

    def test_a_missing_vhost_is_an_error_with_the_similar_name(self):
        self.assert_diagnosis("vhost", 'the user sees 2 vhosts; did you mean "orders"?')

    def test_similar_names_of_the_callers_choice_are_only_in_the_explanation(self):
        self.assert_near_name_only_in_explanation("queue", "name=inference_request", "inference_requests")
        self.assert_near_name_only_in_explanation("of_vhost", "name=order", "orders")

    def test_a_login_without_permission_is_distinguished_from_a_wrong_login(self):
        """With the next query: rejected credentials are not sent again without one."""
        self.assert_explained("stranger", 'the credentials are valid, but the user has no permission in vhost "/"',
                              "/api/whoami: HTTP 200")

        self.assertNotIn("diagnosis", self.message_of(self.weir.metric("ml-inference", "stranger")))
        self.assertNotIn("its-password", json.dumps(explain(self.weir, "stranger")))

    def test_a_ratio_without_a_value_reports_the_number_of_consumers(self):
        self.assert_diagnosis("idle", "the queue has 0 consumers")


class LookTest(ExplainCase):
    def test_a_broker_that_does_not_respond_to_the_diagnosis_gives_no_cause(self):
        def script(turn):
            if "name" in turn.request.form:  # the read's own question, which filters by name
                turn.answer('{"page_count":1,"filtered_count":0,"items":[]}')
            else:
                turn.answer("starting", status="503 Service Unavailable")
        broker = self.start_in_test(ScriptedServer(script))
        self.weir = self.start_in_test(Weir(self.folder() / "weir", json.dumps({
            "backends": {"broker": {"rabbitmq": {"url": broker.url}}},
            "metrics": [{"name": "depth", "namespaces": ["ml-inference"],
                         "rabbitmq": {"backend": "broker", "queue": "jobs"}}]})))

        answer = explain(self.weir, "depth")

        self.assertEqual({"cause": "", "findings": ["listing queues failed: HTTP 503"], "queries": 1},
                         answer["queries"][0]["diagnosis"])
        self.assertTrue(answer["result"]["error"]["message"].endswith('queue "jobs" does not exist in vhost "/"'))


if __name__ == "__main__":
    unittest.main()
