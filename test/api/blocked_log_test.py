"""A log that nobody reads: lines are dropped and counted, and requests never wait for them."""
import os
import re
import time
import unittest

from support import HPA_USER, ScriptedServer, ServerTest, Weir, config, metric, vector

READS = 1500  # each is a line of over 100 bytes: more than twice what a pipe holds


class BlockedLogTest(ServerTest):
    def setUp(self):
        server = self.start_in_test(ScriptedServer(lambda turn: turn.answer(vector(42))))
        folder = self.folder() / "weir"
        folder.mkdir()
        os.mkfifo(folder / "weir.log")
        self.log = os.open(folder / "weir.log", os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, self.log)
        self.weir = self.start_in_test(Weir(folder, config(server.url, metric("up", "up", freshness="1m")),
                                            flags=("-v=3", "--logging-format", "text")))

    def drain(self):
        data = b""
        while True:
            try:
                chunk = os.read(self.log, 1 << 20)
            except BlockingIOError:
                return data.decode()
            if not chunk:
                return data.decode()
            data += chunk

    def dropped(self):
        page = self.weir.get("/metrics", {"X-Remote-User": HPA_USER}).text
        return int(float(re.search(r"^weir_log_lines_dropped_total (\S+)$", page, re.MULTILINE)[1]))

    def test_F62_a_full_pipe_drops_lines_and_no_request(self):
        self.assertEqual(0, self.dropped())
        slowest = 0
        with self.weir.persistent_reader() as read:
            for _ in range(READS):
                began = time.monotonic()
                self.assert_values(read("ml-inference", "up"), "42")
                slowest = max(slowest, time.monotonic() - began)
        dropped = self.dropped()
        log_text = self.drain()

        self.assertLess(slowest, 1)
        self.assertGreater(dropped, READS / 4)
        self.assertLess(dropped, READS)
        # Every line that was taken is whole, bar the last, which is finished with the next.
        for line in log_text.splitlines()[:-1]:
            self.assertRegex(line, r'^[IW]\d{4} \d\d:\d\d:\d\d\.\d{6} \d+ weir\] \w+( \w+="[^"]*")*$')

        self.weir.metric("ml-inference", "up")
        again = self.drain()

        self.assertRegex(again, rf'(?m)^W.* weir\] log_lines_dropped lines="{dropped + 1}"$')
        self.assertRegex(again, r'(?m)^I.* weir\] request verb="GET" ')
        self.assertEqual(dropped + 1, self.dropped())

    def test_F62_a_closed_log_pipe_does_not_end_the_process(self):
        reader = os.open(self.weir.process.log, os.O_RDONLY | os.O_NONBLOCK)
        os.dup2(os.open(os.devnull, os.O_RDONLY), self.log)
        os.close(reader)

        for _ in range(3):
            self.assert_values(self.weir.metric("ml-inference", "up"), "42")

        self.assertEqual(0, self.weir.stop())


if __name__ == "__main__":
    unittest.main()
