"""Further checks of a row: check(test, row, fault, weir), called while the fault holds."""
import time

IN_FLIGHT = 8  # maxInFlight unless a backend says otherwise


def connection_is_dropped(test, row, fault, weir):
    test.assertTrue(fault.dropped.wait(3), "Weir keeps the connection")


def nothing_is_told(test, row, fault, weir):
    """No byte beside a handshake: neither in plain text nor behind a certificate that is wrong."""
    test.assertEqual(b"", fault.leaked)
    test.assertGreater(fault.handshakes, 0)


def at_most_eight_in_flight(test, row, fault, weir):
    test.assertLessEqual(fault.most_in_flight, IN_FLIGHT)


def few_attempts_to_connect(test, row, fault, weir):
    """Of the first read, and of a probe now and then; not of every read."""
    test.assertGreater(len(fault.attempts), 0)
    test.assertLessEqual(len(fault.attempts), 4)


def half_open_connection_is_discarded(test, row, fault, weir):
    test.wait_for(lambda: fault.held() == 0)


def one_login_in_thirty_seconds(test, row, fault, weir):
    """Whatever is asked, and however often."""
    end = time.monotonic() + 2.5  # longer than an error is kept
    n = 0
    while time.monotonic() < end:
        n += 1
        test.check_answer(row, test.ask(weir, n), (row.status,), words=row.words)

    test.assertLessEqual(fault.logins(), 1, f"of {n} reads")
