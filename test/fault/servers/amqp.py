"""A scripted AMQP 0-9-1 broker of the few methods that a passive declare takes."""
import socket
import struct
import threading

from servers.rabbitmq import QUERY
from servers.scripted import DelayedReplies, Scripted
from support import ScriptedServer

START, TUNE, OPEN_OK = (10, 10), (10, 30), (10, 41)
CHANNEL_OPEN, CHANNEL_OPEN_OK, CHANNEL_CLOSE = (20, 10), (20, 11), (20, 40)
DECLARE, DECLARE_OK = (50, 10), (50, 11)
BLOCKED = (10, 60)
HEARTBEAT = b"\x08\0\0\0\0\0\0\xce"


def frame(channel, method, arguments=b"", kind=1):
    payload = struct.pack(">HH", *method) + arguments
    return struct.pack(">BHI", kind, channel, len(payload)) + payload + b"\xce"


def short(text):
    data = text if isinstance(text, bytes) else text.encode()
    return bytes([len(data)]) + data


def long(data):
    return struct.pack(">I", len(data)) + data


def start():
    return frame(0, START, b"\0\x09" + long(b"") + long(b"PLAIN") + long(b"en_US"))


def tune(channels=16, frame_max=131072, heartbeat=10):
    return frame(0, TUNE, struct.pack(">HIH", channels, frame_max, heartbeat))


def declare_ok(channel, queue, messages=3, consumers=0):
    return frame(channel, DECLARE_OK, short(queue) + struct.pack(">II", messages, consumers))


class AmqpScript(Scripted):
    """A broker with three messages in every queue.

    faulty_reply  bytes, or a function of the channel and the queue giving them: in place of declare-ok
    greeting   bytes in place of connection.start
    heartbeat  seconds, as connection.tune says
    is_blocked  sends connection.blocked after the login, and from then on answers as ever
    is_mute    sends nothing at all after the login
    is_closing  ends the connection after `faulty_reply`
    has_pulse  False: sends no heartbeats, and answers as ever
    """
    query_settings = QUERY

    def __init__(self, place, faulty_reply=None, greeting=None, heartbeat=10, is_blocked=False, is_mute=False,
                 is_closing=False, has_pulse=True, **settings):
        super().__init__(place, faulty_reply, **settings)
        self.greeting, self.heartbeat, self.is_blocked, self.is_mute = greeting, heartbeat, is_blocked, is_mute
        self.is_closing, self.has_pulse = is_closing, has_pulse
        self.heartbeats = 0
        self.channels_opened = 0

    def make_server(self):
        return ScriptedServer(raw=self._serve)

    def settings_at(self, port):
        return {"url": f"amqp://127.0.0.1:{port}", "username": self.place.secret("user", "weir-test"),
                "password": self.place.secret("password", "sekret")}

    def inject(self):
        super().inject()
        if self.greeting is not None or self.is_blocked:
            self.server.drop()  # only a new connection has a login

    def _serve(self, connection):
        stream = connection.makefile("rb")
        if stream.read(8) != b"AMQP\0\0\x09\x01":
            return
        if self.is_injected and self.greeting is not None:
            connection.sendall(self.greeting)
            while connection.recv(65536):
                pass
            return
        connection.sendall(start())
        _next_method(stream)
        connection.sendall(tune(heartbeat=self.heartbeat))
        _next_method(stream)
        _next_method(stream)
        connection.sendall(frame(0, OPEN_OK, b"\0"))
        if self.is_injected and self.is_blocked:
            connection.sendall(frame(0, BLOCKED, short("low on memory")))
        self._beat(connection)
        self._answer(connection, stream)

    def _beat(self, connection):
        """Heartbeats at half the interval."""
        def run():
            try:
                while not threading.Event().wait(self.heartbeat / 2):
                    if not self.is_injected or (self.has_pulse and not self.is_mute):
                        connection.sendall(HEARTBEAT)
            except OSError:
                pass  # the connection has ended
        threading.Thread(target=run, daemon=True).start()

    def _answer(self, connection, stream):
        answers = DelayedReplies(connection, self)
        while (received_frame := _next_frame(stream)) is not None:
            kind, channel, payload = received_frame
            if kind == 8:
                self.heartbeats += 1
                continue
            method, arguments = struct.unpack(">HH", payload[:4]), payload[4:]
            if method == CHANNEL_OPEN:
                self.channels_opened += 1
                connection.sendall(frame(channel, CHANNEL_OPEN_OK, long(b"")))
            elif method == DECLARE:
                queue = arguments[3:3 + arguments[2]]
                self._declared(connection, answers, channel, queue)

    def _declared(self, connection, answers, channel, queue):
        if self.is_injected and self.is_mute:
            return
        if not self.is_injected or self.faulty_reply is None:
            answers.put(declare_ok(channel, queue), self.latency if self.is_injected else 0)
            return
        connection.sendall(self.faulty_reply(channel, queue) if callable(self.faulty_reply) else self.faulty_reply)
        if self.is_closing:
            connection.shutdown(socket.SHUT_RDWR)


def _next_frame(stream):
    head = stream.read(7)
    if len(head) < 7:
        return None
    kind, channel, size = struct.unpack(">BHI", head)
    return kind, channel, stream.read(size + 1)[:-1]


def _next_method(stream):
    while True:
        received_frame = _next_frame(stream)
        if received_frame is None:
            raise ConnectionError("Weir ended the login")
        if received_frame[0] == 1:
            return received_frame
