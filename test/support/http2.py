"""As much of HTTP/2 as a server needs that plays a script for each stream (RFC 9113)."""
import ssl
import struct
from dataclasses import dataclass

from .scripted import ScriptedServer

PREFACE_BYTES = 24
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY = 0, 1, 3, 4, 6, 7
ACK = END_STREAM = 1
END_HEADERS = 4
NO_ERROR, REFUSED_STREAM, CANCEL = 0, 7, 8
STATUS_200 = b"\x88"  # the eighth entry of HPACK's static table


def content_length(size):
    """The field as HPACK has it: the static name 28, a literal value that is not indexed."""
    text = str(size).encode()
    return b"\x0f\x0d" + bytes((len(text),)) + text


class Http2Server:
    """Serves one accepted connection whose TLS has chosen h2: `script(server, stream)` for each request."""

    def __init__(self, connection, script):
        self.connection, self._script, self._received = connection, script, b""

    def run(self):
        """Until the peer closes the connection."""
        self.send(SETTINGS, 0, 0)
        if len(self._read(PREFACE_BYTES)) < PREFACE_BYTES:
            return
        while header := self._read(9):
            payload = self._read(int.from_bytes(header[:3], "big"))
            self._react(header[3], header[4], int.from_bytes(header[5:], "big"), payload)

    def send(self, kind, flags, stream, payload=b""):
        self.connection.sendall(struct.pack(">I", len(payload))[1:] + bytes((kind, flags)) + struct.pack(">I", stream) + payload)

    def answer(self, stream, body):
        self.send(HEADERS, END_HEADERS, stream, STATUS_200)
        self.send(DATA, END_STREAM, stream, body)

    def reset(self, stream, code):
        self.send(RST_STREAM, 0, stream, struct.pack(">I", code))

    def go_away(self, last_stream):
        self.send(GOAWAY, 0, 0, struct.pack(">II", last_stream, NO_ERROR))

    def _react(self, kind, flags, stream, payload):
        if kind == HEADERS:
            self._script(self, stream)
        elif kind in (SETTINGS, PING) and not flags & ACK:
            self.send(kind, ACK, 0, payload if kind == PING else b"")

    def _read(self, size):
        while len(self._received) < size:
            data = self.connection.recv(65536)
            if not data:
                return b""
            self._received += data
        out, self._received = self._received[:size], self._received[size:]
        return out


def http2_context(pair):
    """TLS of a server that speaks nothing but HTTP/2."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pair)
    context.set_alpn_protocols(["h2"])
    return context


@dataclass
class ScriptedHttp2Server(ScriptedServer):
    """A listener of such servers; `tls` is the pair."""

    def start(self):
        context = http2_context(self.tls)
        script, self.connections = self.script, 0

        def serve(bare):
            self.connections += 1
            with context.wrap_socket(bare, server_side=True) as connection:
                Http2Server(connection, script).run()
        self.raw = serve
        return super().start()
