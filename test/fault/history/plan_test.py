"""The plan of faults: a seed replays the same plan, and every plan has all kinds of faults."""
import itertools
import unittest

from plan import BACKENDS, BROKER_KILLS, KINDS, LEAST_SECONDS, MOST_OF_KIND, MOST_SECONDS, STATE_BACKENDS, steps


class PlanTest(unittest.TestCase):
    def test_a_seed_replays(self):
        for backend in KINDS:
            self.assertEqual(steps(7, backend, 40), steps(7, backend, 40))
            self.assertEqual(steps(7, backend, 40)[:9], steps(7, backend, 9))

    def test_seeds_and_backends_differ(self):
        plans = [steps(seed, backend, 20) for seed in (1, 2, 3) for backend in (*BACKENDS, *STATE_BACKENDS)]

        self.assertEqual([], [1 for plan, other_plan in itertools.combinations(plans, 2) if plan == other_plan])

    def test_each_round_has_every_kind(self):
        for backend in KINDS:
            kinds = [step.kind for step in steps(3, backend, len(KINDS[backend]))]
            self.assertEqual(sorted(KINDS[backend]), sorted(kinds))

    def test_a_broker_is_killed_only_as_often_as_time_allows(self):
        kinds = [step.kind for step in steps(3, "broker", 60)]

        self.assertEqual(BROKER_KILLS, kinds.count("killed"))

    def test_each_fault_lasts_for_a_while(self):
        for step in steps(5, "redis", 50):
            self.assertTrue(LEAST_SECONDS <= step.seconds <= MOST_SECONDS, step)
            self.assertGreater(step.rest, 0)

    def test_a_pause_of_weir_may_last_longer_than_any_deadline(self):
        seconds = [step.seconds for step in steps(5, "pauses", 50)]

        self.assertTrue(all(LEAST_SECONDS <= one <= MOST_OF_KIND["paused"] for one in seconds), seconds)
        self.assertGreater(max(seconds), MOST_SECONDS)


if __name__ == "__main__":
    unittest.main()
