"""A scripted name server, and backends whose url has a name of this server."""
import os
import socket
import struct
import threading

from fault import Fault

NAME = "backend.weir-fault.example"
A, NO_SUCH_NAME = 1, 3


class NameServer:
    """On port 53 of a loopback address of its own, because the resolver of libc uses that port.

    `addresses` is what it answers for NAME; empty: there is no such name; None: it is silent.
    """

    def __init__(self):
        pid = os.getpid()
        self.address = f"127.{53 + (pid >> 16 & 127)}.{pid >> 8 & 255}.{pid & 255}"  # of this process alone
        self.addresses = []

    def start(self):
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((self.address, 53))
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self):
        self._socket.sendto(b"", self._socket.getsockname())
        self._thread.join(5)
        self._socket.close()

    def _run(self):
        while True:
            question, peer = self._socket.recvfrom(4096)
            if not question:
                return
            addresses = self.addresses
            if addresses is not None:
                self._socket.sendto(_answer(question, addresses), peer)


def _answer(question, addresses):
    """The question followed by its answers. For IPv6 the name exists without an address."""
    end = question.index(b"\0", 12) + 5  # the name, its type and its class
    kind, = struct.unpack(">H", question[end - 4:end - 2])
    answers = addresses if kind == A else []
    code = 0 if addresses else NO_SUCH_NAME
    head = question[:2] + struct.pack(">HHHHH", 0x8580 | code, 1, len(answers), 0, 0)
    return head + question[12:end] + b"".join(
        b"\xc0\x0c" + struct.pack(">HHIH", A, 1, 1, 4) + socket.inet_aton(address) for address in answers)


class Named(Fault):
    """A healthy server that Weir knows by NAME alone. Weir runs with a resolv.conf that names our name server."""

    def __init__(self, script, place):
        super().__init__(place)
        self.script = script(place)
        self.query_settings = self.script.query_settings
        self.names = NameServer()

    def start(self):
        self.names.start()
        self.script.start()
        url = self.script.backend_settings["url"].replace("127.0.0.1", NAME)
        self.backend_settings = {**self.script.backend_settings, "url": url}
        file = self.place.folder / "resolv.conf"
        file.write_text(f"nameserver {self.names.address}\noptions timeout:1 attempts:2\n")
        self.launcher = ("unshare", "--mount", "sh", "-c", 'mount --bind "$0" /etc/resolv.conf && exec "$@"', str(file))

    def stop(self):
        self.script.stop()
        self.names.stop()


class NeverNamed(Named):
    """From the first query on, the name server answers `answer`; once the fault is cleared, the address."""
    healthy_value = None

    def __init__(self, script, answer, place):
        super().__init__(script, place)
        self._answer = answer

    def start(self):
        super().start()
        self.names.addresses = self._answer

    def clear(self):
        super().clear()
        self.names.addresses = ["127.0.0.1"]


class Moved(Named):
    """The name gets another address, and nobody listens at the one before."""
    replies_same_to_all = True
    _BEFORE, _AFTER = "127.0.0.1", "127.0.0.2"

    def start(self):
        super().start()
        self.names.addresses = [self._BEFORE]

    def inject(self):
        super().inject()
        port = self.script.server.port
        self.script.server.stop()
        self.script.server = self.script.make_server()
        self.script.server.host, self.script.server.port = self._AFTER, port
        self.script.server.start()
        self.names.addresses = [self._AFTER]
