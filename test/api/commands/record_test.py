"""`weir record`: its queries, its output, and that both files are complete however it ends."""
import csv
import html.parser
import re
import signal
import unittest

from support import (KubeApiserver, Process, ScriptedServer, ServerTest, config, external, hpa, metric, metric_path, refusal,
                     run_weir, vector, weir_binary)

COLUMNS = ["time", "elapsed_seconds", "kind", "name", "labels", "value", "timestamp", "age_seconds", "took_ms",
           "current_replicas", "desired_replicas", "conditions", "error"]
HPA = "/apis/autoscaling/v2/namespaces/ml-inference/horizontalpodautoscalers/worker"
VOID = {"meta", "path", "rect"}


class Page(html.parser.HTMLParser):
    """Fails on an element that is not closed; notes what would be fetched."""

    def __init__(self, text):
        super().__init__()
        self.open, self.fetched, self.figures = [], [], 0
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.fetched += [value for name, value in attrs if name in ("src", "href", "data")]
        self.figures += tag == "figure"
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.fetched += [value for name, value in attrs if name in ("src", "href", "data")]

    def handle_endtag(self, tag):
        if self.open.pop() != tag:
            raise ValueError(f"</{tag}> closes another element")


class RecordTest(ServerTest):
    def setUp(self):
        self.place = self.folder()
        self.number = 0
        self.backend = self.start_in_test(ScriptedServer(self.play))
        (self.place / "weir.yaml").write_text(config(
            self.backend.url, metric("up", "up", freshness="1ms"), metric("broken", "broken"),
            metric("depth", 'x{queue="$(queue)"}', labels={"queue": "[a-z]+"}), metric("hung", "hung", deadline="20s")))

    def play(self, turn):
        if turn.request.query == "hung":
            turn.hang()
        elif turn.request.query == "broken":
            turn.answer(refusal("execution", "out of memory"), "422 Unprocessable Entity")
        else:
            self.number += 1
            turn.answer(vector(self.number))

    def record(self, *arguments):
        run = run_weir("record", *arguments, "--csv", self.place / "r.csv", "--html", self.place / "r.html")
        self.assertEqual((0, ""), (run.returncode, run.stderr))
        return run.stdout

    def rows(self):
        with open(self.place / "r.csv", newline="") as file:
            head, *rows = csv.reader(file)
        self.assertEqual(COLUMNS, head)
        for row in rows:
            self.assertEqual(len(COLUMNS), len(row))
        return [dict(zip(COLUMNS, row)) for row in rows]

    def page(self):
        text = (self.place / "r.html").read_text()
        page = Page(text)
        self.assertEqual(([], []), (page.open, page.fetched))
        return text, page

    def test_backends_are_queried_once_per_interval_and_every_result_is_a_line(self):
        out = self.record("ml-inference/up", "ml-inference/broken", "ml-inference/depth?queue in (a,b)", "--config",
                          self.place / "weir.yaml", "--interval", "400ms", "--duration", "1500ms")

        rows = self.rows()
        up = [row for row in rows if row["name"] == "ml-inference/up"]
        self.assertTrue(3 <= len(up) <= 4, up)
        values = [int(row["value"]) for row in up]
        self.assertEqual(sorted(set(values)), values)
        self.assertTrue(all(row["kind"] == "metric" and row["error"] == "" for row in up))
        broken = [row for row in rows if row["name"] == "ml-inference/broken"]
        self.assertEqual({("", "metric ml-inference/broken: prometheus prom: the query failed (execution): out of memory")},
                         {(row["value"], row["error"]) for row in broken})
        self.assertEqual({"queue=a", "queue=b"}, {row["labels"] for row in rows if "depth" in row["name"]})
        self.assertRegex(out, r"(?m)^ +0\.\d s  ml-inference/up  \d+ \(\d+\.\d s old\)$")
        self.assertIn("  ml-inference/broken  ERROR metric ml-inference/broken: ", out)
        text, page = self.page()
        self.assertEqual(5, page.figures)
        self.assertIn("out of memory", text)

    def test_metrics_and_hpas_are_read_from_a_cluster(self):
        kube = self.start_in_test(KubeApiserver())
        items = [{"metricName": "depth", "metricLabels": {"queue": "a"}, "timestamp": "2026-11-22T06:40:01Z", "value": "1500m"}]
        queries = []
        kube.objects[metric_path("ml-inference", "depth")] = lambda query: queries.append(query) or {"items": items}
        state = hpa("ml-inference", "worker", external("depth"), conditions=[
            {"type": "ScalingActive", "status": "False", "reason": "FailedGetExternalMetric", "message": "no queue"}])
        state["status"] |= {"currentReplicas": 2, "desiredReplicas": 5}
        kube.objects[HPA] = state

        state["spec"]["metrics"].append({"type": "Resource", "resource": {"name": "cpu", "target": {
            "type": "Utilization", "averageUtilization": 50}}})
        state["status"]["currentMetrics"] = [{"type": ""}, {"type": "Resource", "resource": {"name": "cpu", "current": {
            "averageUtilization": 66, "averageValue": "330m"}}}]

        out = self.record("ml-inference/depth?queue=a", "ml-inference/gone", "--hpa", "ml-inference/worker", "--kubeconfig",
                          kube.kubeconfig(self.place), "--interval", "10s", "--duration", "300ms", "--csv-wide",
                          self.place / "wide.csv")

        self.assertEqual(["ml-inference/depth?queue=a", "ml-inference/gone", "ml-inference/worker"],
                         re.findall(r"(?m)^ *[\d.]+ s  (\S+)", out))
        with open(self.place / "wide.csv", newline="") as file:
            [line] = csv.DictReader(file)
        self.assertEqual({"Replicas": "2", "Desired": "5", "depth": "1.5", "gone": "", "CPU_Percent": "66", "CPU_Cores": "0.33",
                          "Memory_Percent": "", "Memory_Bytes": "", "Active": "cpu"},
                         {name: cell for name, cell in line.items() if name != "Timestamp"})
        self.assertRegex(line["Timestamp"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")

        rows = {row["name"]: row for row in self.rows()}
        self.assertEqual([{"labelSelector": "queue=a"}], queries)
        depth = rows["ml-inference/depth?queue=a"]
        self.assertEqual(("1.5", "queue=a", "2026-11-22T06:40:01Z"), (depth["value"], depth["labels"], depth["timestamp"]))
        self.assertRegex(rows["ml-inference/gone"]["error"], "played by")
        worker = rows["ml-inference/worker"]
        self.assertEqual(("hpa", "2", "5", "ScalingActive=False (FailedGetExternalMetric)"),
                         tuple(worker[key] for key in ("kind", "current_replicas", "desired_replicas", "conditions")))
        self.assertIn("ScalingActive=False (FailedGetExternalMetric): no queue", self.page()[0])

    def test_texts_of_a_cluster_contain_no_terminal_commands(self):
        kube = self.start_in_test(KubeApiserver())
        kube.objects[metric_path("ml-inference", "depth")] = {"items": [
            {"metricName": "depth", "metricLabels": {"queue": "\x1b[2Ja"}, "timestamp": "2026-11-22T06:40:01Z", "value": "1"}]}
        kube.objects[HPA] = hpa("ml-inference", "worker", external("depth"), conditions=[
            {"type": "ScalingActive", "status": "False", "reason": "\x1b]0;owned\x07", "message": ""}])

        out = self.record("ml-inference/depth", "--hpa", "ml-inference/worker", "--kubeconfig", kube.kubeconfig(self.place),
                          "--interval", "10s", "--duration", "300ms")

        self.assertIn("queue= [2Ja 1", out)
        self.assertIn("( ]0;owned )", out)
        self.assertNotRegex(out, r"[\x00-\x09\x0b-\x1f\x7f]")

    def test_a_signal_ends_it_at_once_with_whole_files(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number):
                process = self.start_in_test(Process("record", [
                    weir_binary(), "record", "ml-inference/up", "ml-inference/hung", "--config", self.place / "weir.yaml",
                    "--interval", "100ms", "--csv", self.place / "r.csv", "--html", self.place / "r.html"],
                    self.place / f"{number}.log"))
                log = self.place / f"{number}.log"
                self.wait_for(lambda: len(re.findall("ml-inference/up  ", log.read_text())) >= 3)

                process.signal(number)

                self.assertEqual(0, process.wait(3))
                self.assertEqual({"ml-inference/up"}, {row["name"] for row in self.rows()})
                self.assertGreaterEqual(len(self.rows()), 3)
                self.assertEqual(3, self.page()[1].figures)

    def test_the_csv_is_whole_while_it_is_written(self):
        process = self.start_in_test(Process("record", [
            weir_binary(), "record", "ml-inference/up", "--config", self.place / "weir.yaml", "--interval", "50ms",
            "--csv", self.place / "r.csv", "--html", self.place / "r.html"], self.place / "record.log"))
        self.wait_for(lambda: (self.place / "r.csv").exists() and len(self.rows()) >= 5)

        process.signal(signal.SIGKILL)
        process.wait(5)

        self.assertTrue((self.place / "r.csv").read_bytes().endswith(b"\r\n"))
        self.assertGreaterEqual(len(self.rows()), 5)

    def test_targets_that_cannot_be_recorded_are_errors_before_any_query(self):
        bad = self.place / "no" / "such" / "folder"
        for files, shown in ((("--csv", bad), bad), (("--csv", self.place / "r.csv", "--html", bad), f"{bad}.new")):
            with self.subTest(files[-2]):
                run = run_weir("record", "ml-inference/up", "--config", self.place / "weir.yaml", *files)

                self.assertEqual((1, f"weir: {shown} cannot be written (No such file or directory): set another file with "
                                  "--csv, --html or --csv-wide\n"), (run.returncode, run.stderr))
        self.assertEqual([], self.backend.requests)


if __name__ == "__main__":
    unittest.main()
