"""Connections of strangers without end, as a program of its own: python3 flood.py PORT CA FIRST LAST COUNT KIND.

COUNT connections of the addresses 127.0.0.FIRST to LAST, each opened again when Weir closes it. KIND: `livez` asks for /livez
every 0.6 s, `hello` stops after the ClientHello, `silent` sends nothing, `once` is `hello` without opening again. The line
"flooding" on stdout says that all were opened once. Ends with its stdin.
"""
import heapq
import os
import selectors
import socket
import ssl
import sys
import time

PERIOD = 0.6
REQUEST = b"GET /livez HTTP/1.1\r\nHost: weir\r\n\r\n"
BATCH = 16  # connections that are opened before the others are served


class Connection:
    """One TCP connection; its TLS, if it has any, works step by step."""

    def __init__(self, flood, address):
        self.flood, self.address = flood, address
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.bind((address, 0))
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = flood.context.wrap_bio(self.incoming, self.outgoing, server_hostname="127.0.0.1")
        self.is_connected = self.is_secure = False
        self.socket.connect_ex(("127.0.0.1", flood.port))
        flood.selector.register(self.socket, selectors.EVENT_WRITE, self)

    def on_ready(self):
        """Raises OSError at the end of the connection."""
        if not self.is_connected:
            self.socket.getpeername()
            self.is_connected = True
            self.flood.selector.modify(self.socket, selectors.EVENT_READ, self)
            if self.flood.kind != "silent":
                self.shake()
            return
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError
        if self.flood.kind != "livez":
            return
        self.incoming.write(data)
        if not self.is_secure:
            self.shake()
        else:
            try:
                while self.tls.read(65536):
                    pass
            except ssl.SSLWantReadError:
                pass

    def shake(self):
        try:
            self.tls.do_handshake()
            self.is_secure = True
            self.ask()
        except ssl.SSLWantReadError:
            pass
        self.send()

    def ask(self):
        self.tls.write(REQUEST)
        heapq.heappush(self.flood.due, (time.monotonic() + PERIOD, id(self), self))

    def send(self):
        data = self.outgoing.read()
        if data:
            self.socket.send(data)


class Flood:
    def __init__(self, port, authority, first, last, count, kind):
        self.port, self.kind = port, kind
        self.context = ssl.create_default_context(cafile=authority)
        self.selector = selectors.EpollSelector()
        self.selector.register(sys.stdin, selectors.EVENT_READ, None)
        self.due = []
        self.to_open = [f"127.0.0.{first + number % (last - first + 1)}" for number in range(count)]
        self.unreported = count

    def run(self):
        while True:
            batch, self.to_open = self.to_open[:BATCH], self.to_open[BATCH:]
            for address in batch:
                Connection(self, address)
            if 0 < self.unreported <= len(batch):
                print("flooding", flush=True)
            self.unreported -= len(batch)
            for key, _ in self.selector.select(0 if self.to_open else 0.05):
                if key.data is None:
                    return
                self.step(key.data, key.data.on_ready)
            while self.due and self.due[0][0] < time.monotonic():
                connection = heapq.heappop(self.due)[2]
                if connection.socket.fileno() >= 0:
                    self.step(connection, lambda: (connection.ask(), connection.send()))

    def step(self, connection, action):
        try:
            action()
        except OSError:  # an ssl.SSLError, too
            self.selector.unregister(connection.socket)
            connection.socket.close()
            if self.kind != "once":
                self.to_open.append(connection.address)


if __name__ == "__main__":
    # A flood comes from other machines: what it computes is not to be taken from Weir and its callers.
    os.nice(19)
    Flood(int(sys.argv[1]), sys.argv[2], *map(int, sys.argv[3:6]), sys.argv[6]).run()
    os._exit(0)  # without closing one connection after the other
