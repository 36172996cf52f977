"""Tests of the checker: it accepts true histories, and finds every planted violation."""
import unittest

from checker import Change, Promise, Read, Rule, Stalls, Truth, find_wrong_reads

RULE = Rule(freshness=0.5, deadline=1.0)  # a number may be 1.5 s old


def number(value, began, ended=None, stamp=None):
    return Read(0, began, began + 0.01 if ended is None else ended, 200, value, stamp)


def error(began, ended, status=503):
    return Read(0, began, ended, status, None)


def problems_of(changes, *reads, rule=RULE, stalls=Stalls(), promise=Promise()):
    return [str(problem) for problem in find_wrong_reads(reads, [Truth(changes)], [rule], stalls, promise)]


class NumberTest(unittest.TestCase):
    STEPS = [Change(10, 10.01, 1), Change(20, 20.01, 2), Change(30, 30.01, 3)]

    def test_the_current_value_is_right(self):
        self.assertEqual([], problems_of(self.STEPS, number(1, 15), number(2, 25), number(3, 99)))

    def test_both_values_are_right_during_a_change(self):
        slow = [Change(10, 10.01, 1), Change(20, 24, 2)]

        self.assertEqual([], problems_of(slow, number(1, 23), number(2, 21)))

    def test_an_older_value_is_right_within_the_allowed_age(self):
        self.assertEqual([], problems_of(self.STEPS, number(1, 21.5)))

    def test_an_older_value_is_wrong_after_the_allowed_age(self):
        self.assertEqual(["metric 0, 21.520 to 21.530: 1: the backend's 1.510 s before the read, where 1.500 are allowed"],
                         problems_of(self.STEPS, number(1, 21.52)))

    def test_the_allowed_age_is_the_metrics_own(self):
        self.assertEqual(1, len(problems_of(self.STEPS, number(1, 20.3), rule=Rule(freshness=0.1, deadline=0.1))))
        self.assertEqual([], problems_of(self.STEPS, number(1, 23.9), rule=Rule(freshness=0.1, deadline=0.1, hold=4)))
        self.assertEqual(1, len(problems_of(self.STEPS, number(1, 24.1), rule=Rule(freshness=0.1, deadline=0.1, hold=4))))

    def test_a_value_of_the_future_is_wrong(self):
        self.assertEqual(["metric 0, 15.000 to 15.010: 3: the backend never held this before the read's end"],
                         problems_of(self.STEPS, number(3, 15)))

    def test_a_value_that_arrived_during_the_read_is_right(self):
        self.assertEqual([], problems_of(self.STEPS, number(3, 29, 30.001)))

    def test_a_number_that_never_was_is_wrong(self):
        for value in (0, 4, -1, 1.5):
            with self.subTest(value):
                self.assertEqual(1, len(problems_of(self.STEPS, number(value, 15))))

    def test_a_value_that_returns_is_right_only_from_then_on(self):
        again = [Change(10, 10.01, 1), Change(20, 20.01, 2), Change(30, 30.01, 1)]

        self.assertEqual([], problems_of(again, number(1, 31)))
        self.assertEqual(1, len(problems_of(again, number(1, 25))))

    def test_a_number_before_the_first_change_is_wrong(self):
        self.assertEqual(1, len(problems_of(self.STEPS, number(1, 9))))

    def test_only_a_number_of_the_same_metric_is_right(self):
        truths = [Truth([Change(1, 1, 7)]), Truth([Change(1, 1, 8)])]

        wrongs = list(find_wrong_reads([Read(0, 2, 2, 200, 8), Read(1, 2, 2, 200, 8)], truths, [RULE, RULE]))

        self.assertEqual([0], [problem.read.metric for problem in wrongs])


class UncertainTest(unittest.TestCase):
    def test_after_a_change_of_unknown_outcome_both_values_are_right(self):
        changes = [Change(10, 10.01, 1), Change(20, None, 2)]

        self.assertEqual([], problems_of(changes, number(1, 90), number(2, 90)))
        self.assertEqual(1, len(problems_of(changes, number(2, 19))))

    def test_a_later_acknowledged_change_ends_the_uncertainty(self):
        changes = [Change(10, 10.01, 1), Change(20, None, 2), Change(30, 30.01, 3)]

        self.assertEqual([], problems_of(changes, number(1, 31), number(2, 31)))
        self.assertEqual(2, len(problems_of(changes, number(1, 32), number(2, 32))))

    def test_a_change_acknowledged_late_does_not_end_the_uncertainty_of_a_later_change(self):
        changes = [Change(10, 10.01, 1), Change(20, 50, 2), Change(21, 21.01, 3)]

        self.assertEqual(1, len(problems_of(changes, number(1, 23))))

    def test_after_a_crash_any_value_of_its_range_is_right(self):
        changes = [Change(10, 10.01, 9), Change(20, None, 0, most=9), Change(30, 30.01, 12)]

        self.assertEqual([], problems_of(changes, number(0, 25), number(5, 25), number(9, 31)))
        self.assertEqual(3, len(problems_of(changes, number(10, 25), number(5, 19), number(5, 32))))


class ErrorTest(unittest.TestCase):
    STEPS = [Change(0, 0.01, 1)]

    def test_an_error_in_time_is_right_whatever_the_backend_contained(self):
        self.assertEqual([], problems_of(self.STEPS, error(5, 5.001), error(5, 6.049, 504), error(-5, -4.9, 404)))

    def test_an_error_later_than_deadline_and_slack_is_wrong(self):
        self.assertEqual(["metric 0, 5.000 to 6.060: HTTP 504: an error after 1060 ms, where 1050 are allowed"],
                         problems_of(self.STEPS, error(5, 6.06, 504)))

    def test_a_stall_of_the_machine_is_not_counted(self):
        self.assertEqual([], problems_of(self.STEPS, error(5, 6.1), stalls=Stalls([(5.5, 5.56)])))
        self.assertEqual(1, len(problems_of(self.STEPS, error(5, 6.1), stalls=Stalls([(4.0, 4.9), (6.2, 7.0)]))))

    def test_overlapping_stalls_count_once(self):
        stalls = Stalls([(1, 4), (2, 3), (3.5, 5)])

        self.assertAlmostEqual(4, stalls.within(0, 10))
        self.assertAlmostEqual(1.5, stalls.within(2.5, 4))
        self.assertAlmostEqual(0, stalls.within(5, 9))


class PauseTest(unittest.TestCase):
    """RULE and a slack of 0.2 s: a number is at most 2.2 s old when its read ends. Weir was stopped from 20 to 25."""
    STEPS = [Change(0, 0.01, 1), Change(20, 20.01, 2)]

    def problems(self, *reads, pauses=((20, 25),), stops=None):
        promise = Promise(slack=0.2, covers_numbers=True, pauses=Stalls(pauses), stops=Stalls(stops or pauses),
                          wall_offset=1000.0)
        return problems_of(self.STEPS, *reads, promise=promise)

    def test_the_pause_is_not_running_time(self):
        self.assertEqual([], self.problems(error(19.9, 25.1, 504), error(21, 26.1), number(2, 19.9, 25.1, 1024)))

    def test_an_error_or_a_number_is_late_by_running_time(self):
        self.assertEqual(["metric 0, 19.500 to 25.800: HTTP 504: an error after 6300 ms, where 6200 are allowed",
                          "metric 0, 21.000 to 26.300: 2: a number after 5300 ms, where 5200 are allowed"],
                         self.problems(error(19.5, 25.8, 504), number(2, 21, 26.3, 1025)))

    def test_one_number_a_pause_may_be_stopped_on_its_way_out(self):
        old = number(1, 19.99, 25.01, 1019)

        self.assertEqual([], self.problems(old))
        self.assertEqual(["metric 0, 19.990 to 25.010: 1: not within 2.200 s of the read's end, but before"],
                         self.problems(old, old))

    def test_a_read_that_was_sent_during_the_pause_has_no_number_from_before_it(self):
        self.assertEqual([], self.problems(number(2, 24.99, 25.01, 1024)))
        self.assertEqual(1, len(self.problems(number(1, 21, 25.01, 1024))))
        self.assertEqual(1, len(self.problems(number(1, 20.4, 21.6, 1020), pauses=[(20.3, 21.59)])))

    def test_a_read_that_ended_before_the_stop_is_like_any_other(self):
        self.assertEqual([], self.problems(number(1, 20.001, 20.002, 1019), stops=[(20.01, 24.99)]))

    def test_a_timestamp_is_neither_later_than_the_read_nor_older_than_a_number_may_be(self):
        self.assertEqual([], self.problems(number(2, 40, 40.1, 1040), number(2, 40, 40.1, 1037.7)))
        self.assertEqual(["metric 0, 40.000 to 40.100: 2: its timestamp is -0.900 s before the read's end, "
                          "where 0 to 2.600 are allowed",
                          "metric 0, 40.000 to 40.100: 2: its timestamp is 3.100 s before the read's end, "
                          "where 0 to 2.600 are allowed"],
                         self.problems(number(2, 40, 40.1, 1041), number(2, 40, 40.1, 1037)))

    def test_without_the_promise_numbers_are_checked_from_the_reads_begin_alone(self):
        self.assertEqual([], problems_of(self.STEPS, number(1, 19.99, 29.01, 0)))


if __name__ == "__main__":
    unittest.main()
