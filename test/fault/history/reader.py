"""Reads metrics over persistent TLS connections, one request at a time on each, and logs responses with their times.

A program of its own, so that nothing else runs between an answer and its time. argv[1] is JSON: `port`, `ca`, `cert`,
`key`, `paths` (one connection each), `metrics` (the number of each path's metric), `reads`, `rate` (a second, in all) and
`out`. Each line of standard output is a stall: FIRST LAST.
"""
import collections
import datetime
import functools
import json
import re
import selectors
import socket
import ssl
import struct
import sys
import time

from support import HPA_USER, parse_quantity

RECORD = struct.Struct("<HHdddd")  # metric, status, began, ended, value and timestamp (NaN for an error)
STALL_SECONDS = 0.02
TICK_SECONDS = 0.002
LONGEST_SECONDS = 15.0  # for one answer
_HEAD = re.compile(rb"HTTP/1\.1 (\d{3}) .*?\r\ncontent-length: (\d+)\r\n", re.IGNORECASE | re.DOTALL)
_ITEMS = re.compile(rb'"timestamp":"([^"]*)","value":"([^"]*)"')
_NONE = float("nan")


class Connection:
    def __init__(self, settings, context, path, metric):
        plain = socket.create_connection(("127.0.0.1", settings["port"]), timeout=10)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = context.wrap_socket(plain, server_hostname="127.0.0.1")
        self.socket.setblocking(False)
        self.metric = metric
        self._request = f"GET {path} HTTP/1.1\r\nHost: weir\r\nX-Remote-User: {HPA_USER}\r\n\r\n".encode()
        self._received = b""
        self.began = 0.0

    def send_request(self):
        self._received = b""
        self.began = time.monotonic()
        if self.socket.send(self._request) != len(self._request):
            raise ConnectionError("Weir takes no request")

    def answer(self):
        """(status, value, timestamp), or None while it is not whole."""
        try:
            data = self.socket.recv(65536)
        except ssl.SSLWantReadError:
            return None
        if not data:
            raise ConnectionError("Weir ended a kept connection")
        self._received += data
        head, blank, body = self._received.partition(b"\r\n\r\n")
        match = _HEAD.match(head + b"\r\n") if blank else None
        if blank and not match:
            raise ValueError(f"not an answer: {head[:500]!r}")
        if not blank or len(body) < int(match[2]):
            return None
        status = int(match[1])
        return (status, *item(body)) if status == 200 else (status, _NONE, _NONE)


def item(body):
    """The one value of an answer, and its timestamp in seconds since 1970."""
    (timestamp, value), = _ITEMS.findall(body)
    return number(value), seconds_since_1970(timestamp)


@functools.lru_cache(maxsize=20_000)
def number(text):
    return float(parse_quantity(text.decode()))


@functools.lru_cache(maxsize=1000)
def seconds_since_1970(text):
    return datetime.datetime.fromisoformat(text.decode()).timestamp()


def run(settings, out):
    context = ssl.create_default_context(cafile=settings["ca"])
    context.load_cert_chain(settings["cert"], settings["key"])
    connections = [Connection(settings, context, *arguments) for arguments in zip(settings["paths"], settings["metrics"])]
    selector = selectors.EpollSelector()
    for connection in connections:
        selector.register(connection.socket, selectors.EVENT_READ, connection)
    idle, asking = collections.deque(connections), set()
    reads, rate, sent_count, done_count = settings["reads"], settings["rate"], 0, 0
    start = turn = time.monotonic()
    while done_count < reads:
        due = min(reads, (turn - start) * rate) - sent_count
        while due > 0 and idle and sent_count < reads:
            connection = idle.popleft()
            connection.send_request()
            asking.add(connection)
            sent_count, due = sent_count + 1, due - 1
        for key, _ in selector.select(TICK_SECONDS):
            answer = key.data.answer()
            if answer:
                connection = key.data
                out.write(RECORD.pack(connection.metric, answer[0], connection.began, time.monotonic(), *answer[1:]))
                asking.discard(connection)
                idle.append(connection)
                done_count += 1
        before, turn = turn, time.monotonic()
        if turn - before > STALL_SECONDS:
            print(before, turn)
        if any(turn - connection.began > LONGEST_SECONDS for connection in asking):
            raise TimeoutError(f"no answer for {LONGEST_SECONDS:g} s")


def main():
    settings = json.loads(sys.argv[1])
    with open(settings["out"], "wb", 1 << 20) as out:
        run(settings, out)


if __name__ == "__main__":
    main()
