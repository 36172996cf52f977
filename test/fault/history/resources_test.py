"""The judgement of a soak: noise and outliers are no growth, and a small leak is."""
import os
import random
import threading
import unittest

from resources import ResourceLog, growth
from support import wait_until


class GrowthTest(unittest.TestCase):
    def points(self, value_at):
        chance = random.Random(1)
        return [(float(at), value_at(at, chance)) for at in range(0, 1800, 5)]

    def test_noise_does_not_grow(self):
        self.assertAlmostEqual(0, growth(self.points(lambda _, chance: 14_000 + chance.randrange(500))), delta=200)

    def test_outliers_do_not_count(self):
        points = self.points(lambda at, chance: 14_000 if chance.randrange(10) else 14_000 + 10 * at)

        self.assertAlmostEqual(0, growth(points), delta=1)

    def test_a_warm_up_does_not_count(self):
        self.assertEqual(0, growth(self.points(lambda at, _: min(at, 300))))

    def test_a_leak_below_the_noise_is_seen(self):
        points = self.points(lambda at, chance: 14_000 + at + chance.randrange(500))

        self.assertAlmostEqual(0.8 * 1800, growth(points), delta=150)

    def test_a_step_in_the_middle_is_growth(self):
        self.assertGreater(growth(self.points(lambda at, _: 10 if at < 1000 else 20)), 5)


class ResourceLogTest(unittest.TestCase):
    def test_it_counts_what_a_process_holds(self):
        with ResourceLog(os.getpid(), 0.01) as log:
            wait_until(lambda: log.samples, "a sample")
            before, pipe = log.samples[-1], os.pipe()
            count = len(log.samples)
            wait_until(lambda: len(log.samples) > count + 1, "a sample of the pipe")
        for end in pipe:
            os.close(end)

        self.assertEqual(before.descriptors + 2, log.samples[-1].descriptors)
        self.assertGreater(before.resident, 1 << 20)
        self.assertEqual(threading.active_count() + 1, before.threads)


if __name__ == "__main__":
    unittest.main()
