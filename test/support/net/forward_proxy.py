"""Debian's forward proxies on loopback ports: tinyproxy for HTTP, as it is or within TLS, and microsocks."""
import contextlib
import re
import socket
import ssl
import threading
from pathlib import Path

from ..processes import Process, free_port, require


class ForwardProxy:
    """tinyproxy in `directory`, reachable at `url`.

    login          (user, password): asks for basic authentication
    connect_ports  the only ports to which it makes tunnels; empty: any
    """

    def __init__(self, directory, login=None, connect_ports=(), port=None):
        self.directory = Path(directory)
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._login = login
        self._connect_ports = connect_ports
        self.process = None

    def start(self):
        self.directory.mkdir(parents=True, exist_ok=True)
        config = self.directory / "tinyproxy.conf"
        lines = [f"Port {self.port}", "Listen 127.0.0.1", "Allow 127.0.0.1", "LogLevel Connect", "MaxClients 100",
                 "Timeout 600", *(f"ConnectPort {port}" for port in self._connect_ports)]
        if self._login:
            lines.append("BasicAuth " + " ".join(self._login))
        config.write_text("\n".join(lines) + "\n")
        argv = [require("tinyproxy", "tinyproxy-bin"), "-d", "-c", config]
        self.process = Process("tinyproxy", argv, self.directory / "tinyproxy.log")
        self.process.start_ready(self._is_ready)
        return self

    def stop(self):
        return self.process.stop() if self.process else None

    def requests(self):
        """The request lines so far, those that it refused as well."""
        return re.findall(r"Request \(file descriptor \d+\): (.*)", self.process.log.read_text())

    def connections_made(self):
        """How many connections to servers it has made."""
        return self.process.log.read_text().count("Established connection to host")

    def _is_ready(self):
        socket.create_connection(("127.0.0.1", self.port), timeout=5).close()
        return True

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


class SocksProxy:
    """microsocks in `directory`, reachable at `url`."""

    def __init__(self, directory):
        self.directory = Path(directory)
        self.port = free_port()
        self.url = f"socks5://127.0.0.1:{self.port}"
        self.process = None

    def start(self):
        self.directory.mkdir(parents=True, exist_ok=True)
        argv = [require("microsocks", "microsocks"), "-i", "127.0.0.1", "-p", self.port]
        self.process = Process("microsocks", argv, self.directory / "microsocks.log")
        self.process.start_ready(lambda: socket.create_connection(("127.0.0.1", self.port), timeout=5).close() is None)
        return self

    def stop(self):
        return self.process.stop() if self.process else None

    def servers(self):
        """HOST:PORT of each connection so far, as the client named it."""
        return re.findall(r"connected to (\S+)", self.process.log.read_text())

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


class TlsFront:
    """TLS in front of a server that has none: `pair` is (certificate, key), `url` begins with https."""

    def __init__(self, port, pair):
        self._upstream = ("127.0.0.1", port)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(*pair)

    def start(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def stop(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self):
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near):
        with contextlib.suppress(OSError), self._context.wrap_socket(near, server_side=True) as tls, \
                socket.create_connection(self._upstream) as far:
            tls.settimeout(0.02)  # one thread for both directions: SSL objects are not for two
            far.settimeout(0.02)
            while _pass(tls, far) and _pass(far, tls):
                pass

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


def _pass(source, sink):
    """What has come from one side, to the other one. False: it has ended."""
    try:
        data = source.recv(65536)
    except TimeoutError:
        return True
    sink.sendall(data)
    return bool(data)
