"""What the scripted servers share: they are healthy until the fault is injected, then send invalid responses."""
import queue
import random
import socket
import threading
import time

from fault import Fault

GARBAGE = random.Random(7).randbytes(300_000)


def endless(head, chunk=b"x" * (1 << 20)):
    """102 MB after `head`, on a bare connection."""
    def play(connection):
        connection.sendall(head)
        for _ in range(102):
            connection.sendall(chunk)
    return play


def broken_off(data):
    """`data` on a bare connection, and its end."""
    def play(connection):
        connection.sendall(data)
        connection.shutdown(socket.SHUT_RDWR)
    return play


class Scripted(Fault):
    """Counts what is in flight.

    `faulty_reply` is what is sent in place of a reply: bytes, or a function of the connection or of the HTTP turn.
    `latency` is how many seconds each reply takes while the fault holds.
    """
    replies_same_to_all = True

    def __init__(self, place, faulty_reply=None, latency=0.0):
        super().__init__(place)
        self.faulty_reply = faulty_reply
        self.latency = latency
        self.most_in_flight = 0
        self._in_flight = 0
        self._lock = threading.Lock()
        self.server = self.make_server()

    def start(self):
        self.server.start()
        self.backend_settings = self.settings_at(self.server.port)

    def stop(self):
        self.server.stop()

    def on_query(self):
        with self._lock:
            self._in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self._in_flight)

    def on_reply(self):
        with self._lock:
            self._in_flight -= 1


class DelayedReplies:
    """Sends each reply after its latency, in order, while the connection is read on."""

    def __init__(self, connection, counter):
        self._connection = connection
        self._counter = counter
        self._due = queue.Queue()
        threading.Thread(target=self._run, daemon=True).start()

    def put(self, data, latency):
        self._counter.on_query()
        self._due.put((time.monotonic() + latency, data))

    def _run(self):
        while True:
            at, data = self._due.get()
            threading.Event().wait(max(0.0, at - time.monotonic()))
            self._counter.on_reply()
            try:
                self._connection.sendall(data)
            except OSError:
                return
