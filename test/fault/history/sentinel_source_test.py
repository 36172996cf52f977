"""The log of a master that the Sentinels change: which values a client may read when; and a real failover."""
import random
import time
import unittest

from checker import Change, Truth
from sentinel_source import MasterLog, SentinelSource
from support import ServerTest


class MasterLogTest(unittest.TestCase):
    def truth(self, *writes):
        """Each is (master, before, after, value, whether a replica acknowledged it)."""
        changes = []
        log = MasterLog(changes)
        for master, before, after, value, is_replicated in writes:
            log.written(master, Change(before, after, value), is_replicated)
        return Truth(changes)

    def assert_possible(self, truth, at, *values):
        self.assertEqual(set(values), {value for value in range(1, 10) if truth.may_have_had(value, at, at)})

    def test_a_value_that_the_master_acknowledged_replaces_the_last_one(self):
        truth = self.truth(("a", 1, 2, 1, True), ("a", 3, 4, 2, False))

        self.assert_possible(truth, 2.5, 1)
        self.assert_possible(truth, 3.5, 1, 2)
        self.assert_possible(truth, 4.5, 2)

    def test_what_no_replica_acknowledged_may_be_lost_with_its_master(self):
        truth = self.truth(("a", 1, 2, 1, True), ("a", 3, 4, 2, True), ("a", 5, 6, 3, False), ("a", 7, 8, 4, False),
                           ("b", 19, 20, 5, True))

        self.assert_possible(truth, 6.5, 2, 3)
        self.assert_possible(truth, 9, 2, 3, 4)
        self.assert_possible(truth, 19.5, 2, 3, 4, 5)
        self.assert_possible(truth, 21, 5)

    def test_without_a_replica_only_the_master_counts(self):
        truth = self.truth(("a", 1, 2, 1, True), ("a", 3, 4, 2, False), ("b", 9, 10, 3, False), ("b", 11, 12, 4, False),
                           ("b", 19, 20, 5, True))

        self.assert_possible(truth, 10.5, 3)
        self.assert_possible(truth, 15, 4)

    def test_a_replicated_value_is_the_only_one_after_a_failover(self):
        truth = self.truth(("a", 1, 2, 1, True), ("a", 3, 4, 2, True), ("b", 9, 10, 3, False))

        self.assert_possible(truth, 8, 2)
        self.assert_possible(truth, 11, 3)

    def test_a_write_of_unknown_outcome_may_or_may_not_count(self):
        truth = self.truth(("a", 1, 2, 1, True), ("a", 3, None, 2, False), ("b", 9, 10, 3, True))

        self.assert_possible(truth, 2.5, 1)
        self.assert_possible(truth, 8, 1, 2)
        self.assert_possible(truth, 11, 3)


    def test_after_a_failover_back_to_old_data_any_value_is_possible_until_the_next_write(self):
        changes = []
        log = MasterLog(changes)
        for change in (Change(1, 2, 1), Change(3, 4, 2), Change(5, 6, 3)):
            log.written("a", change, True)
        log.forget_since(4.5, 4)
        truth = Truth(changes)

        self.assert_possible(truth, 3.5, 1, 2)
        self.assert_possible(truth, 4.2, 2)
        self.assert_possible(truth, 7, 1, 2, 3, 4)
        log.written("b", Change(8, 9, 5), True)
        self.assert_possible(Truth(changes), 10, 5)


class FailoverTest(ServerTest):
    def test_an_old_master_that_goes_on_as_one_is_not_believed(self):
        source = self.start_in_test(SentinelSource(self.folder() / "sentinel", random.Random(1)))
        old = source.server.master()

        source.fail_over()
        new = source.server.wait_failed_over(old)
        count = len(source.changes)
        self.wait_for(lambda: len(source.changes) > count + 1)
        at, value, role = time.monotonic(), old.command("LLEN", "jobs"), old.role()[0]

        self.assertEqual("master", role)
        self.assertFalse(Truth(source.changes).may_have_had(value, at, at))
        source.end_failover()
        self.assertEqual((new, ("slave", "connected"), None), (source.server.master(), old.role(), source.problem))


if __name__ == "__main__":
    unittest.main()
