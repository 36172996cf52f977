"""A scripted HTTP server, and its faulty responses."""
import base64
import gzip

from servers.real import OTHER_PASSWORD, PASSWORD, USER
from servers.scripted import Scripted
from support import ScriptedServer


def bare(data):
    """`data` in place of an HTTP answer, and then nothing until Weir ends the connection."""
    def play(turn):
        turn.send(data)
        turn.hang()
    return play


def broken_off(data):
    """`data` in place of an HTTP answer, and the connection's end."""
    def play(turn):
        turn.send(data)
        turn.close()
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


def gzip_bomb(turn):
    """102 MB in 100 KB."""
    turn.answer(BOMB, Content_Encoding="gzip")


class HttpScript(Scripted):
    """A subclass says what a healthy server answers, in healthy_reply(turn), and its `query_settings`.

    `faulty_reply` is a function of the turn, or the body of an answer.
    """

    def make_server(self):
        return ScriptedServer(self._play)

    def settings_at(self, port):
        return {"url": f"http://127.0.0.1:{port}"}

    def _play(self, turn):
        self.on_query()
        try:
            if self.is_injected and callable(self.faulty_reply):
                self.faulty_reply(turn)
            elif self.is_injected and self.faulty_reply is not None:
                turn.answer(self.faulty_reply)
            elif turn.pause(self.latency if self.is_injected else 0):
                self.healthy_reply(turn)
        finally:
            self.on_reply()


class OtherPassword(HttpScript):
    """To be mixed into a subclass of HttpScript: the password is changed, and a query with another one is refused."""

    def __init__(self, place):
        super().__init__(place)
        self._valid_password = PASSWORD
        self._rejected_logins = 0

    def settings_at(self, port):
        return {**super().settings_at(port), "username": self.place.secret("user", USER),
                "password": self.place.secret("password", PASSWORD)}

    def inject(self):
        super().inject()
        self._valid_password = OTHER_PASSWORD

    def clear(self):
        super().clear()
        self.place.secret("password", OTHER_PASSWORD)

    def logins(self):
        """How many were refused."""
        return self._rejected_logins

    def _play(self, turn):
        valid = base64.b64encode(f"{USER}:{self._valid_password}".encode()).decode()
        if turn.request.headers["authorization"] == f"Basic {valid}":
            self.healthy_reply(turn)
        else:
            self._rejected_logins += 1
            turn.answer("", "401 Unauthorized")
