"""A relay in front of a backend, which forwards all bytes until a mode damages them.

cut         ends every connection, and refuses new ones
mute        takes what Weir says, and passes nothing on in either direction
slow        holds each piece of an answer back for 50 to 250 ms, the order kept
late        holds it back for longer than the deadlines
garbage     says random bytes in place of each piece of an answer
broken_off  passes on the first half of an answer's first piece, and ends the connection
"""
import contextlib
import random
import socket
import threading
import time

SLOW_SECONDS = (0.05, 0.25)
LATE_SECONDS = (0.7, 1.6)


class Relay:
    """`upstream` is the port of the backend on loopback; `point` changes it, as a Service changes its endpoint.

    latency_seconds  every piece of an answer is held back for so long
    """

    def __init__(self, upstream, latency_seconds=0.0):
        self._upstream = upstream
        self._latency_seconds = latency_seconds
        self._lock = threading.Lock()
        self._open = set()
        self._mode = None
        self._chance = random.Random(0)
        self.port = None

    def start(self):
        self._listener = socket.create_server(("127.0.0.1", self.port or 0), backlog=128)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()
        return self

    def stop(self):
        with contextlib.suppress(OSError):  # it is cut
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.end_connections()

    def spoil(self, mode, number):
        """`number` selects a variant of the mode."""
        self._chance = random.Random(number)
        self._mode = mode
        if mode == "cut":
            self.stop()

    def clear(self):
        mode, self._mode = self._mode, None
        if mode == "cut":
            self.start()
        if mode == "mute":
            self.end_connections()  # what was swallowed never comes

    def point(self, upstream):
        """New connections go to the port `upstream`, and the old ones end."""
        with self._lock:
            self._upstream = upstream
        self.end_connections()

    def end_connections(self):
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):  # it has ended
                    connection.shutdown(socket.SHUT_RDWR)

    def _accept(self, listener):
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near):
        with contextlib.closing(near), contextlib.suppress(OSError):  # either end may go at any time
            upstream = self._upstream
            with contextlib.closing(socket.create_connection(("127.0.0.1", upstream))) as far:
                for end in (near, far):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                with self._lock:
                    if upstream != self._upstream:
                        return
                    self._open |= {near, far}
                try:
                    back = threading.Thread(target=self._carry, args=(far, near, True), daemon=True)
                    back.start()
                    self._carry(near, far, False)
                    back.join()
                finally:
                    with self._lock:
                        self._open -= {near, far}

    def _carry(self, source, sink, is_answer):
        with contextlib.suppress(OSError):  # either end may go at any time
            while data := source.recv(65536):
                if is_answer:
                    if self._latency_seconds:
                        time.sleep(self._latency_seconds)
                    data = self._spoilt(data)
                if self._mode != "mute":
                    sink.sendall(data)
                if is_answer and self._mode == "broken_off":
                    break
        for end in (source, sink):
            with contextlib.suppress(OSError):  # it has ended
                end.shutdown(socket.SHUT_RDWR)

    def _spoilt(self, data):
        mode = self._mode
        if mode in ("slow", "late"):
            time.sleep(self._chance.uniform(*(SLOW_SECONDS if mode == "slow" else LATE_SECONDS)))
        if mode == "garbage":
            return self._chance.randbytes(max(len(data), 64))
        if mode == "broken_off":
            return data[:len(data) // 2]
        return data

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()
