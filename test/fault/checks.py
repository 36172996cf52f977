"""Further checks of a row: check(test, row, fault, weir), called during the fault."""
import os
import time
from concurrent.futures import ThreadPoolExecutor

from support import HPA_USER, metric_path

IN_FLIGHT = 8  # maxInFlight unless a backend says otherwise


def connection_is_dropped(test, row, fault, weir):
    test.wait_for(lambda: fault.server.open_connections == 0)


def no_data_is_sent(test, row, fault, weir):
    """No byte beside a handshake: neither in plain text nor after a certificate that is wrong."""
    test.assertEqual(b"", fault.leaked)
    test.assertGreater(fault.handshakes, 0)


def at_most_eight_in_flight(test, row, fault, weir):
    test.assertLessEqual(fault.most_in_flight, IN_FLIGHT)


def few_attempts_to_connect(test, row, fault, weir):
    """Of the first read, and of a probe now and then; not of every read."""
    test.assertGreater(len(fault.attempts), 0)
    test.assertLessEqual(len(fault.attempts), 4)


def half_open_connection_is_discarded(test, row, fault, weir):
    test.wait_for(lambda: fault.established_connections() == 0, 20)


def one_login_in_thirty_seconds(test, row, fault, weir):
    """For every metric, at every read."""
    end = time.monotonic() + 2.5  # longer than an error is cached
    n = 0
    while time.monotonic() < end:
        n += 1
        test.check_answer(row, test.read(weir, n), (row.status,), message_regex=row.message_regex)

    test.wait_for(lambda: fault.logins() >= 1)
    test.assertEqual(1, fault.logins(), f"of {n} reads")


def reads(test, weir, count, status):
    """`count` reads with a query each of its own, on four open connections."""
    def some(first):
        connection = weir.connection()
        try:
            for n in range(first, count, 4):
                connection.request("GET", metric_path("ml-inference", "numbered", f"n={n}"),
                                   headers={"X-Remote-User": HPA_USER})
                answer = connection.getresponse()
                test.assertEqual(status, answer.status, answer.read())
                answer.read()
        finally:
            connection.close()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(some, range(4)))


def one_connection_is_used_over(count):
    """The same one connection, as the broker counts, over `count` reads."""
    def check(test, row, fault, weir):
        before = fault.server.connections_accepted()

        reads(test, weir, count, row.status)

        test.assertEqual(before, fault.server.connections_accepted())
        test.wait_for(lambda: len(fault.connections()) == 1)
    return check


def few_connections_are_tried(test, row, fault, weir):
    """Two hundred reads make no storm of logins."""
    before = fault.server.connections_accepted()

    reads(test, weir, 200, row.status)

    test.assertLessEqual(fault.server.connections_accepted() - before, 10)


def connections_are_reused_over_500_reads(test, row, fault, weir):
    """As many as there are queries at once, and no more."""
    def open_files():
        return len(os.listdir(f"/proc/{weir.process.pid}/fd"))
    before = open_files()

    reads(test, weir, 500, row.status)

    test.wait_for(lambda: open_files() <= before + IN_FLIGHT)


def heartbeats_are_sent(test, row, fault, weir):
    test.wait_for(lambda: fault.heartbeats >= 3)
    test.assertEqual(1, fault.server.open_connections)


def silent_connection_is_ended(test, row, fault, weir):
    """Two heartbeats that do not come."""
    test.wait_for(lambda: fault.server.open_connections == 0)
