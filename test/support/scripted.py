"""A backend that plays a script: it records requests, and responds, drips, hangs or breaks off as scripted."""
import json
import socket
import ssl
import threading
import urllib.parse
from dataclasses import dataclass, field

from .processes import wait_until

MAX_HEAD_BYTES = 1 << 20


@dataclass(frozen=True)
class RecordedRequest:
    """One HTTP request as received. Header names are lower case."""
    method: str
    target: str
    headers: dict
    body: str

    @property
    def form(self):
        """The parameters of the url or of a POST's body; the last of equal names."""
        text = self.body if self.method == "POST" else urllib.parse.urlsplit(self.target).query
        return dict(urllib.parse.parse_qsl(text, keep_blank_values=True))

    @property
    def query(self):
        return self.form.get("query")


class Turn:
    """One request and its connection, with which a script responds."""

    def __init__(self, request, connection, stopped):
        self.request = request
        self.peer = connection.getpeername()
        self._connection = connection
        self._stopped = stopped

    def send(self, data):
        self._connection.sendall(data)

    def answer(self, body, status="200 OK", **headers):
        """A complete HTTP response; the connection stays open."""
        data = body if isinstance(body, bytes) else body.encode()
        lines = [f"HTTP/1.1 {status}", "Content-Type: application/json", f"Content-Length: {len(data)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.send("\r\n".join(lines).encode() + b"\r\n\r\n" + data)

    def pause(self, seconds):
        """False when the server was stopped meanwhile."""
        return not self._stopped.wait(seconds)

    def hang(self):
        """Waits until the peer or the server closes the connection."""
        while self._connection.recv(4096):
            pass

    def end_tls(self):
        """Says that TLS ends (close_notify); the connection stays open."""
        self._connection.unwrap()

    def close(self):
        self._connection.close()

    def reset(self):
        """Closes with RST instead of FIN."""
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self._connection.close()


@dataclass
class ScriptedServer:
    """Plays `script(turn)` for each request, each connection in a thread of its own.

    tls     (certificate, key) paths: serves HTTPS
    raw     a script for the bare connection, in place of HTTP: raw(socket)
    port    0: a free one
    host    a loopback address
    """
    script: object = None
    tls: tuple = None
    raw: object = None
    port: int = 0
    host: str = "127.0.0.1"
    requests: list = field(default_factory=list)

    def start(self):
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._open = set()
        self._context = None
        if self.tls:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(*self.tls)
        self._listener = socket.create_server((self.host, self.port), backlog=512)
        self.port = self._listener.getsockname()[1]
        self.url = f"{'https' if self.tls else 'http'}://{self.host}:{self.port}"
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()
        return self

    def stop(self):
        if self._stopped.is_set():
            return
        self._stopped.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self._listener.close()
        self.drop()

    @property
    def open_connections(self):
        with self._lock:
            return len(self._open)

    def drop(self):
        """Ends every open connection; the next one is accepted."""
        with self._lock:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass  # the peer was faster

    def wait_for_requests(self, count, seconds=5.0):
        """Returns when at least `count` requests were received; NotReady after `seconds`."""
        wait_until(lambda: len(self.requests) >= count, f"{count} requests at the scripted server", seconds, 0.005)

    def _accept(self):
        while not self._stopped.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with self._lock:
            self._open.add(connection)
        bare = connection
        try:
            if self.raw:
                self.raw(connection)
                return
            if self._context:
                connection = self._context.wrap_socket(connection, server_side=True)
                with self._lock:
                    self._open.add(connection)
                    self._open.discard(bare)
            while self._serve_one(connection):
                pass
        except (OSError, ValueError):
            pass  # the peer went away, or the script closed under us
        finally:
            with self._lock:
                self._open -= {bare, connection}
            connection.close()

    def _serve_one(self, connection):
        data = b""
        while b"\r\n\r\n" not in data:
            chunk = connection.recv(65536)
            if not chunk or len(data) > MAX_HEAD_BYTES:
                return False
            data += chunk
        head, _, body = data.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ", 2)
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        while len(body) < int(headers.get("content-length", 0)):
            body += connection.recv(65536)
        request = RecordedRequest(method, target, headers, body.decode())
        with self._lock:
            self.requests.append(request)
        self.script(Turn(request, connection, self._stopped))
        return connection.fileno() >= 0

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


def vector(*values, at=1_795_219_200, **labels):
    """Prometheus' response with one series per value; several series differ in the label `n`."""
    series = [{"metric": {**labels, **({"n": str(n)} if len(values) > 1 else {})}, "value": [at, str(value)]}
              for n, value in enumerate(values)]
    return json.dumps({"status": "success", "data": {"resultType": "vector", "result": series}})


def refusal(kind, text):
    """An error response of Prometheus."""
    return json.dumps({"status": "error", "errorType": kind, "error": text})
