"""Every number is true and every read in time, also in states of backends that look like health, and when Weir is stopped.

A Redis that fails over, an empty replica in its place, a cluster whose slots move, a vhost that was given up, a queue that crashed, half of the data.
WEIR_HISTORY_SEED replays the faults of a run, WEIR_SCALE multiplies its 75,000 reads.
"""
import time
import unittest

from checker import Promise, Stalls
from cluster_source import ClusterSource
from history import FULL_READS, HistoryTest
from injector import WeirPauses
from sentinel_source import SentinelSource
from states_sources import CrashingSource, FailoverSource, GivenUpSource, PartialSource
from support import RabbitMQ, is_sanitized, scaled

LATE_SECONDS = 0.2 if not is_sanitized() else 1.0
SOURCES = (FailoverSource, SentinelSource, ClusterSource, PartialSource)


class StatesHistoryTest(HistoryTest):
    read_count = scaled(75_000)
    least_share = 1 / 30

    def setUp(self):
        self.place = self.folder()
        broker = self.start_in_test(RabbitMQ(self.place / "broker"))
        self.start_sources(
            *(kind(self.place / kind.name, self.chance(kind.name)) for kind in SOURCES),
            *(kind(self.place / kind.name, self.chance(kind.name), broker) for kind in (GivenUpSource, CrashingSource)))
        self.start_weir()
        self.pauses = WeirPauses(self.weir)
        self.inject_into_weir("pauses", self.pauses)

    def promise(self):
        return Promise(slack=LATE_SECONDS, covers_numbers=True, pauses=Stalls(self.pauses.pauses),
                       stops=Stalls(self.pauses.stops), wall_offset=time.time() - time.monotonic())

    def test_every_number_was_the_backends_and_every_read_is_in_time(self):
        reads = self.check_history()

        zeros = {self.metrics[read.metric][0].name for read in reads if read.value == 0}
        if self.read_count >= FULL_READS:
            self.assertLessEqual({"failover", "sentinel", "cluster"}, zeros)


if __name__ == "__main__":
    unittest.main()
