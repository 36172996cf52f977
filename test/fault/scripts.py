"""Scripted Redis and HTTP servers: well until the fault is injected, then saying what no healthy server says."""
import base64
import gzip
import json
import queue
import random
import threading
import time

from row import Fault, block_of
from support import ScriptedServer, vector



def page(*counts, pages=1):
    """An answer of the management API: a queue for each of `counts`."""
    items = [{"name": f"jobs{n or ''}", "vhost": "/", "messages": count} for n, count in enumerate(counts)]
    return json.dumps({"page_count": pages, "items": items})


GARBAGE = random.Random(7).randbytes(300_000)


def bare(data):
    """`data` in place of an HTTP answer, and then nothing until Weir ends the connection."""
    def play(turn):
        turn.send(data)
        turn.hang()
    return play


def endless_body(is_length_said, head=b"HTTP/1.1 200 OK\r\n"):
    """An answer of 102 MB."""
    def play(turn):
        length = b"Content-Length: 106954752\r\n" if is_length_said else b""
        turn.send(head + (b"" if head.endswith(b" ") else length + b"\r\n"))
        for _ in range(102):
            turn.send(b"x" * (1 << 20))
        turn.close()
    return play


def endless_chunks(turn):
    """Chunk after chunk, until Weir ends the connection."""
    turn.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while turn.pause(0):
        turn.send(b"100000\r\n" + b" " * (1 << 20) + b"\r\n")


BOMB = gzip.compress(b" " * (102 << 20), 9)  # 100 KB


COMPRESSED = "the answer is compressed, which was not asked for; switch that off: gzip"


def gzip_bomb(turn):
    """102 MB in 100 KB."""
    turn.answer(BOMB, Content_Encoding="gzip")


def well(kind, turn):
    """What a well server answers: 3, of the queue that was asked for."""
    if kind == "prometheus":
        turn.answer(vector(3))
    else:
        name = turn.asked.form["name"].removeprefix(r"^(?:\Q").removesuffix(r"\E)$")
        turn.answer(json.dumps({"page_count": 1, "filtered_count": 1, "items": [{"name": name, "messages": 3}]}))


class Scripted(Fault):
    """Counts what is in flight.

    `sick` is what is said in place of an answer: bytes, or a function of the connection or of the HTTP turn.
    """

    answers_any = True

    def __init__(self, place, sick=None, latency=0.0):
        super().__init__(place)
        self.sick = sick
        self.latency = latency
        self.asked = 0
        self.most_in_flight = 0
        self._in_flight = 0
        self._lock = threading.Lock()
        self.server = self.make_server()

    def start(self):
        self.server.start()
        self.backend = self.backend_of(self.server.port)

    def stop(self):
        self.server.stop()

    def came(self):
        with self._lock:
            self.asked += 1
            self._in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self._in_flight)

    def went(self):
        with self._lock:
            self._in_flight -= 1


class HttpScript(Scripted):
    """A Prometheus or a management API. `sick` is a function of the turn, or the body of an answer."""

    def __init__(self, kind, place, sick=None, **settings):
        self.kind = kind
        self.block = block_of(kind)
        super().__init__(place, sick, **settings)

    def make_server(self):
        return ScriptedServer(self._play)

    def backend_of(self, port):
        return {"url": f"http://127.0.0.1:{port}"}

    def _play(self, turn):
        self.came()
        try:
            if self.is_sick and callable(self.sick):
                self.sick(turn)
            elif self.is_sick and self.sick is not None:
                turn.answer(self.sick)
            elif turn.pause(self.latency if self.is_sick else 0):
                well(self.kind, turn)
        finally:
            self.went()


class RevokedAtHttp(HttpScript):
    """The password is changed; a question with another one is refused. It counts what it refuses."""

    def __init__(self, kind, place):
        super().__init__(kind, place)
        self._right = "sekret-1"
        self._refused = 0

    def backend_of(self, port):
        return {**super().backend_of(port), "username": self.place.secret("user", "weir-test-user"),
                "password": self.place.secret("password", "sekret-1")}

    def inject(self):
        super().inject()
        self._right = "sekret-2"

    def mend(self):
        super().mend()
        self.place.secret("password", "sekret-2")

    def logins(self):
        return self._refused

    def _play(self, turn):
        right = base64.b64encode(f"weir-test-user:{self._right}".encode()).decode()
        if turn.asked.headers["authorization"] == f"Basic {right}":
            well(self.kind, turn)
        else:
            self._refused += 1
            turn.answer("", "401 Unauthorized")


class RedisScript(Scripted):
    """A Redis whose answer to PING is `greeting` while it is sick, and whose answer to all else is `sick`."""
    block = block_of("redis")

    def __init__(self, place, sick=None, greeting=None, kind="list", **settings):
        super().__init__(place, sick, **settings)
        self.greeting = greeting
        self.block = block_of("redis", kind=kind)

    def make_server(self):
        return ScriptedServer(raw=self._serve)

    def backend_of(self, port):
        return {"url": f"redis://127.0.0.1:{port}"}

    def inject(self):
        super().inject()
        if self.greeting is not None:
            self.server.drop()  # a greeting is met by a new connection only

    def _serve(self, connection):
        answers = Later(connection, self)
        stream = connection.makefile("rb")
        while words := _command(stream):
            self._answer(connection, answers, words)

    def _answer(self, connection, answers, words):
        is_ping = words[0] == b"PING"
        said = self.greeting if is_ping else self.sick
        if not self.is_sick or said is None:
            data = b"+PONG\r\n" if is_ping else b":3\r\n"
            answers.put(data, self.latency if self.is_sick and not is_ping else 0)
        elif callable(said):
            said(connection)
        else:
            connection.sendall(said)


class Later:
    """Sends each answer after its latency, in order, while the connection is read on."""

    def __init__(self, connection, counter):
        self._connection = connection
        self._counter = counter
        self._due = queue.Queue()
        threading.Thread(target=self._run, daemon=True).start()

    def put(self, data, latency):
        self._counter.came()
        self._due.put((time.monotonic() + latency, data))

    def _run(self):
        while True:
            at, data = self._due.get()
            threading.Event().wait(max(0.0, at - time.monotonic()))
            self._counter.went()
            try:
                self._connection.sendall(data)
            except OSError:
                return


def _command(stream):
    """The next command's words, or None at the end."""
    line = stream.readline()
    if not line.startswith(b"*"):
        return None
    words = []
    for _ in range(int(line[1:])):
        size = int(stream.readline()[1:])
        words.append(stream.read(size + 2)[:-2])
    return words
