"""Every number that Weir gives under faults of chance was the backend's within the metric's allowed age; every error is in time.

WEIR_HISTORY_SEED replays the faults of a run, WEIR_SCALE multiplies its 300,000 reads.
"""
import unittest

from history import FULL_READS, HistoryTest as Base
from injector import HOUR, WeirFaults
from sources import BrokerSource, PrometheusSource, RedisSource
from support import WallClock, scaled


class HistoryTest(Base):
    read_count = scaled(FULL_READS)

    def setUp(self):
        self.place = self.folder()
        self.start_sources(*(kind(self.place / kind.name, self.chance(kind.name))
                             for kind in (RedisSource, PrometheusSource, BrokerSource)))
        clock = self.start_in_test(WallClock(self.place, 2 * HOUR))
        self.start_weir(env=clock.env)
        self.inject_into_weir("weir", WeirFaults(self.weir, clock, self.config_of))

    def test_every_number_was_the_backends_and_every_error_is_in_time(self):
        self.check_history()


if __name__ == "__main__":
    unittest.main()
