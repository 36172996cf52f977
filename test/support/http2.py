"""As much of HTTP/2 as a server needs that gives every stream the same response (RFC 9113)."""
import struct

PREFACE_BYTES = 24
DATA, HEADERS, SETTINGS, PING = 0, 1, 4, 6
ACK = END_STREAM = 1
END_HEADERS = 4
STATUS_200 = b"\x88"  # the eighth entry of HPACK's static table


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes((kind, flags)) + struct.pack(">I", stream) + payload


class Http2Server:
    """Serves one accepted connection whose TLS has chosen h2."""

    def __init__(self, connection, body):
        self._connection, self._body, self._received = connection, body, b""

    def run(self):
        """Until the peer closes the connection."""
        self._connection.sendall(frame(SETTINGS, 0, 0))
        if len(self._read(PREFACE_BYTES)) < PREFACE_BYTES:
            return
        while header := self._read(9):
            payload = self._read(int.from_bytes(header[:3], "big"))
            self._react(header[3], header[4], int.from_bytes(header[5:], "big"), payload)

    def _react(self, kind, flags, stream, payload):
        if kind == HEADERS:
            self._connection.sendall(frame(HEADERS, END_HEADERS, stream, STATUS_200) +
                                     frame(DATA, END_STREAM, stream, self._body))
        elif kind in (SETTINGS, PING) and not flags & ACK:
            self._connection.sendall(frame(kind, ACK, 0, payload if kind == PING else b""))

    def _read(self, size):
        while len(self._received) < size:
            data = self._connection.recv(65536)
            if not data:
                return b""
            self._received += data
        out, self._received = self._received[:size], self._received[size:]
        return out
