"""Conformance: deadlines, overload and the end of the process."""
import signal
import threading
import time
import unittest

from support import ScriptedServer, Weir, config, vector
from rig import USER, ConformanceCase, M, metric, metric_path


class LifeTest(ConformanceCase):
    """A second backend, `held`, that answers when the test says so."""
    further = (metric("slow", "slow", "held", namespaces=["default"], deadline="700ms"),
               metric("patient", "patient", "held", namespaces=["default"], deadline="20s"))

    def setUp(self):
        super().setUp()
        self.released = threading.Event()
        self.addCleanup(self.released.set)
        self.hanging_backend = self.start_in_test(ScriptedServer(self.hold))

    def hold(self, turn):
        self.released.wait(15)
        turn.answer(vector(42))

    def start_with_hanging_backend(self, *flags):
        folder = self.folder()
        backends = {"prom": {"prometheus": {"url": self.backend.url}}, "held": {"prometheus": {"url": self.hanging_backend.url}}}
        return self.start_in_test(Weir(folder / "weir", config(backends, *self.metrics, *self.further), flags=flags,
                                       kubeconfig=self.apiserver.kubeconfig(folder)))

    def reading(self, weir, answers):
        """A thread that reads `patient`, asked of the backend when this returns."""
        reader = threading.Thread(target=lambda: answers.append(self.get(metric_path("default", "patient"), weir=weir)))
        reader.start()
        self.addCleanup(reader.join)
        self.addCleanup(self.released.set)
        self.hanging_backend.wait_for_requests(1)
        return reader

    def test_116_a_backend_that_hangs_is_504_in_time_and_harms_no_other(self):
        weir = self.start_with_hanging_backend()
        start_time = time.monotonic()

        answer, sooner = (self.get(metric_path("default", "slow") + query, weir=weir) for query in ("", "?timeout=200ms"))
        took = time.monotonic() - start_time
        other_answer = self.get(M, weir=weir)

        for late in (answer, sooner):
            self.assertEqual((504, "Timeout"), (late.status, late.json()["reason"]))
        self.assertTrue(answer.json()["message"].startswith("metric default/slow: prometheus held: no response within 700 ms"),
                        answer.text)
        self.assertLess(took, 2)
        self.assert_values(other_answer, "7")

    def test_117_after_SIGTERM_readyz_fails_reads_finish_and_new_connections_are_refused(self):
        weir, answers = self.start_with_hanging_backend("--shutdown-delay-duration", "1s"), []
        reader = self.reading(weir, answers)

        weir.process.signal(signal.SIGTERM)
        self.wait_for(lambda: weir.get("/readyz", cert=None).status == 500, 0.9)
        live, verbose = weir.get("/livez", cert=None), weir.get("/readyz", cert=None).text
        self.wait_for(lambda: self.is_refused(weir))
        self.released.set()
        reader.join(10)

        self.assertEqual((200, True), (live.status, "[-]shutdown failed: reason withheld\n" in verbose))
        self.assert_values(answers[0], "42")
        self.assertEqual(0, weir.process.wait(10))

    def is_refused(self, weir):
        try:
            weir.get("/livez", cert=None)
        except OSError:
            return True
        return False

    def test_120_no_error_has_Retry_After(self):
        """Deviation: a 429 is a Status like any other, so that no HPA worker sleeps and asks ten times."""
        weir, answers = self.start_with_hanging_backend("--max-requests-inflight", "1"), []
        reader = self.reading(weir, answers)

        full = self.get(M, weir=weir)
        master = self.get("/apis", {USER: "system:kube-aggregator", "X-Remote-Group": "system:masters"}, weir=weir)
        self.released.set()
        reader.join(10)

        self.assert_status(full, 429, "TooManyRequests", "Too many requests, please try again later.")
        self.assertEqual((200, 200), (master.status, answers[0].status))
        for answer, code in ((self.get(M, None, None, weir=weir), 403), (self.get(M, None, "serving", weir=weir), 401),
                             (self.get(metric_path("default", "nowhere"), weir=weir), 404)):
            self.assertEqual((code, None), (answer.status, answer.headers["Retry-After"]))


if __name__ == "__main__":
    unittest.main()
