"""The wall clock jumps: caches, deadlines and retries use the monotonic clock."""
import threading
import time
import unittest
from datetime import datetime, timezone

from support import ScriptedServer, ServerTest, WallClock, Weir, config, metric, vector

HOUR = 3600


class ClockTest(ServerTest):
    @classmethod
    def setUpClass(cls):
        folder = cls.new_folder()
        # Ahead, so that an hour back is not before the certificates' first.
        cls.clock = cls.start(WallClock(folder, 2 * HOUR))
        cls.number = 0
        cls.released = threading.Event()
        cls.backend = cls.start(ScriptedServer(cls.play))
        text = config(cls.backend.url, metric("brief", "brief", freshness="500ms"),
                      metric("long", "long", freshness="10m"), metric("late", "held", deadline="1s"),
                      metric("stale_error", "broken", freshness="1ms"))
        cls.weir = cls.start(Weir(folder / "weir", text, env=cls.clock.env))

    @classmethod
    def play(cls, turn):
        if turn.request.query == "held":
            cls.released.wait(10)
        if turn.request.query == "broken":
            turn.answer("no JSON")
            return
        cls.number += 1
        turn.answer(vector(cls.number, at=time.time() + cls.clock.offset))

    def setUp(self):
        self.released.clear()
        self.addCleanup(self.released.set)
        self.clock.jump(2 * HOUR)

    def read(self, name):
        """(value, how many seconds its time is ahead of the machine's)."""
        answer = self.weir.metric("ml-inference", name)
        self.assertEqual(200, answer.status, answer.text)
        item = answer.json()["items"][0]
        timestamp = datetime.strptime(item["timestamp"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
        return int(item["value"]), timestamp.timestamp() - time.time()

    def test_F39_weir_uses_the_clock_of_this_test(self):
        for hours in (2, 1, 3):
            with self.subTest(hours):
                self.clock.jump(hours * HOUR)
                self.wait_for(lambda: abs(self.read("brief")[1] - hours * HOUR) < 10)

    def test_F39_a_jump_does_not_end_freshness_or_change_a_samples_time(self):
        value, ahead = self.read("long")
        for seconds in (HOUR, 3 * HOUR, 2 * HOUR + 1):
            with self.subTest(seconds):
                self.clock.jump(seconds)
                again = self.read("long")

                self.assertEqual(value, again[0])
                self.assertAlmostEqual(ahead, again[1], delta=10)

    def test_F39_a_jump_back_does_not_revive_a_cached_value(self):
        value, _ = self.read("brief")
        for seconds in (HOUR, 3 * HOUR):
            with self.subTest(seconds):
                self.clock.jump(seconds)
                began = time.monotonic()
                self.wait_for(lambda: self.read("brief")[0] > value, 2)

                self.assertLess(time.monotonic() - began, 1)  # freshness is half a second
                value, _ = self.read("brief")

    def test_F39_a_jump_changes_no_deadline(self):
        for seconds in (HOUR, 3 * HOUR):
            with self.subTest(seconds):
                answers, began = [], time.monotonic()
                reader = threading.Thread(target=lambda: answers.append(self.weir.metric("ml-inference", "late")))
                request_count = len(self.backend.requests)
                reader.start()
                self.backend.wait_for_requests(request_count + 1)
                self.clock.jump(seconds)
                reader.join(10)
                took = time.monotonic() - began

                self.assertEqual(504, answers[0].status, answers[0].text)
                self.assertTrue(0.9 < took < 2, took)
                self.clock.jump(2 * HOUR)
                # The error is kept for a second, by time that passes.
                self.wait_for(lambda: self.weir.metric("ml-inference", "stale_error").status == 503)
                time_of_error = self.read_until_queried_again()
                self.assertTrue(0.5 < time_of_error < 2, time_of_error)

    def read_until_queried_again(self):
        """How long a failed question is not asked again while the clock jumps back and forth."""
        def count():
            return len([request for request in self.backend.requests if request.query == "broken"])
        before = count()
        self.wait_for(lambda: self.weir.metric("ml-inference", "stale_error") and count() > before)
        began, before, hours = time.monotonic(), count(), 1
        while count() == before and time.monotonic() - began < 5:
            hours = 4 - hours
            self.clock.jump(hours * HOUR)
            self.assertEqual(503, self.weir.metric("ml-inference", "stale_error").status)
        return time.monotonic() - began


if __name__ == "__main__":
    unittest.main()
