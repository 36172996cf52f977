"""The queries of the diagnosis of an empty result, as a scripted backend sees them."""
import json
import unittest
import urllib.parse

from support import ScriptedServer, ServerTest, Weir, config, metric, prometheus_backend

EMPTY = json.dumps({"status": "success", "data": {"resultType": "vector", "result": []}})
FIVE = json.dumps({"status": "success", "data": {"resultType": "vector", "result": [{"metric": {}, "value": [1, "5"]}]}})


class DiagnosisQueriesTest(ServerTest):
    def start_weir(self, play, *names, **settings):
        """A server that plays `play(turn, page)` for what is not a query, and its Weir with a metric named like each query."""
        def script(turn):
            page = urllib.parse.urlsplit(turn.request.target).path.removeprefix("/api/v1/")
            if page == "query":
                turn.answer(FIVE if turn.request.query == "healthy" else EMPTY)
            else:
                play(turn, page)
        folder = self.folder()
        self.server = self.start_in_test(ScriptedServer(script))
        backends = {"prom": prometheus_backend(self.server.url, **{
            name: self.file(folder / name, text) for name, text in settings.items()})}
        metrics = [metric(name, query, freshness="1ms") for name, query in
                   ((name, name if name == "healthy" else f'sum({name}_total{{job="workers"}})') for name in names)]
        self.weir = self.start_in_test(Weir(folder / "weir", config(backends, *metrics)))

    @staticmethod
    def file(path, text):
        path.write_text(text)
        return {"file": str(path)}

    def cause(self, name):
        """Of a failing metric, once it was looked for."""
        def diagnosed():
            return self.message_of(self.weir.metric("ml-inference", name)).partition("; diagnosis: ")[2]
        return self.wait_for(diagnosed, 15)

    def test_credentials_rejected_for_the_diagnosis_are_not_rejected_for_reads(self):
        """Behind a proxy that lets nothing but queries through."""
        self.start_weir(lambda turn, page: turn.answer("no", "401 Unauthorized"), "healthy", "typo", token="a-token")

        self.assertEqual('no series "typo_total" exists', self.cause("typo"))

        target_requests = [request for request in self.server.requests if "/targets" in request.target]
        self.assertEqual({"Bearer a-token"}, {request.headers["authorization"] for request in target_requests})
        self.assert_values(self.weir.metric("ml-inference", "healthy"), "5")

    def test_dropped_targets_are_queried_when_the_job_has_no_others_and_may_be_too_many(self):
        """They are most of what a large Prometheus has; all that is looked at of one answer is 4 MiB."""
        dropped = {"discoveredLabels": {"job": "workers", "__meta_kubernetes_pod_annotation_notes": "x" * 1000}}

        def play(turn, page):
            state = turn.request.form.get("state")
            pages = {"scrape_pools": {"scrapePools": ["workers"]}, "label/__name__/values": [],
                     "targets": {"activeTargets": [], "droppedTargets": [] if state == "active" else 5000 * [dropped]}}
            turn.answer(json.dumps({"status": "success", "data": pages[page]}))
        self.start_weir(play, "idle")

        self.assertEqual('no series "idle_total" exists; scrape job "workers" has no active target', self.cause("idle"))

        states = [request.form["state"] for request in self.server.requests if "/targets" in request.target]
        self.assertEqual(["active", "dropped"], states[:2])

    def test_dropped_targets_are_not_queried_when_the_job_has_others(self):
        down = {"labels": {"job": "workers", "instance": "x"}, "scrapePool": "workers", "health": "down", "lastError": "EOF"}

        def play(turn, page):
            pages = {"scrape_pools": {"scrapePools": ["workers", "idle"]}, "label/__name__/values": [],
                     "targets": {"activeTargets": [down], "droppedTargets": []}}
            turn.answer(json.dumps({"status": "success", "data": pages[page]}))
        self.start_weir(play, "idle")

        self.assertEqual('no series "idle_total" exists; the only target of scrape job "workers" is not up (last error: EOF)',
                         self.cause("idle"))

        self.assertEqual({"active"}, {request.form["state"] for request in self.server.requests if "/targets" in request.target})

    def test_a_long_cause_is_truncated_between_characters(self):
        down = {"labels": {"job": "workers"}, "scrapePool": "workers", "health": "down", "lastError": 200 * "\N{EURO SIGN}"}

        def play(turn, page):
            pages = {"scrape_pools": {"scrapePools": []}, "label/__name__/values": ["idle_total_" + 280 * "x"],
                     "targets": {"activeTargets": [down], "droppedTargets": []}}
            turn.answer(json.dumps({"status": "success", "data": pages[page]}))
        self.start_weir(play, "idle")

        cause = self.cause("idle")

        self.assertIn('is not up (last error: \N{EURO SIGN}', cause)
        self.assertTrue(cause.endswith("\N{EURO SIGN}..."), cause)
        self.assertIn(len(cause.encode()), range(498, 501))


if __name__ == "__main__":
    unittest.main()
