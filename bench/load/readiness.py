"""The time from exec to the first green /readyz, without a poll that would round it up."""
import contextlib
import socket
import ssl
import subprocess
import time

from server_process import cpu_seconds

LIMIT_SECONDS = 30
REQUEST = b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def _connected(port, until):
    """The first connection that is not refused."""
    while True:
        try:
            connection = socket.create_connection(("127.0.0.1", port))
        except ConnectionRefusedError:
            if time.monotonic() > until:
                raise
            time.sleep(0.0005)
            continue
        connection.settimeout(LIMIT_SECONDS)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection


def start_cost(weir):
    """(ms to a green /readyz, ms of CPU that it took) of another process with the command line of `weir`, which is stopped.

    A handshake with TLS is part of it. Standalone: the first answer is a green one.
    """
    context = ssl.create_default_context(cafile=weir.certificates.crt("ca"))
    began = time.monotonic()
    nothing = subprocess.DEVNULL
    child = subprocess.Popen(weir.process.argv, stdin=nothing, stdout=nothing, stderr=nothing)
    try:
        with contextlib.closing(context.wrap_socket(_connected(weir.port, began + LIMIT_SECONDS),
                                                    server_hostname="127.0.0.1")) as stream:
            stream.sendall(REQUEST)
            answer = stream.recv(4096)
        end = time.monotonic()
        if not answer.startswith(b"HTTP/1.1 200 "):
            raise RuntimeError(f"the first answer of /readyz was {answer[:200]!r}")
        return 1000 * (end - began), 1000 * cpu_seconds(child.pid)
    finally:
        child.terminate()
        child.wait(LIMIT_SECONDS)
