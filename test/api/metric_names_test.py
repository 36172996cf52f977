"""Field report 7: names with capitals, which the client of an HPA writes into the path in lower case."""
import unittest

from support import GROUP, ScriptedServer, ServerTest, Weir, config, metric, run_weir, vector


class MetricNamesTest(ServerTest):
    def setUp(self):
        self.backend = self.start_in_test(ScriptedServer(lambda turn: turn.answer(vector(7))))
        self.weir = self.start_in_test(Weir(self.folder() / "weir", config(self.backend.url, metric("QueueDepth", "depth"))))

    def test_a_name_is_read_in_every_spelling_and_answered_in_its_own(self):
        for name in ("queuedepth", "QueueDepth"):
            with self.subTest(name):
                answer = self.weir.metric("ml-inference", name)

                self.assertEqual(200, answer.status, answer.text)
                self.assertEqual([("QueueDepth", "7")], [(item["metricName"], item["value"]) for item in answer.json()["items"]])

    def test_discovery_lists_the_name_in_lower_case(self):
        resources = self.weir.get(GROUP, {"X-Remote-User": "a"}).json()["resources"]

        self.assertEqual(["externalmetrics", "queuedepth"], sorted(resource["name"] for resource in resources))

    def test_names_that_differ_in_case_alone_are_rejected(self):
        path = self.folder() / "weir.yaml"
        path.write_text(config(self.backend.url, metric("Depth", "depth", namespaces=["a"]), metric("depth", "depth", namespaces=["b"])))

        run = run_weir("check", path)

        self.assertEqual(1, run.returncode)
        self.assertRegex(run.stderr, r"the metric depth differs from Depth \(first at .*\) in case alone, and an HPA reads both in lower "
                         r"case; use one spelling")


if __name__ == "__main__":
    unittest.main()
