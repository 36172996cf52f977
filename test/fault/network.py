"""Networks that swallow: a listener whose backlog is full, and a peer that vanishes without a word."""
import contextlib
import re
import socket
import threading
from pathlib import Path

from fault import Fault
from support import wait_until

TCP_ESTABLISHED, TCP_SYN_SENT = "01", "02"


def connections(host, port, state):
    """The local ports of this host's TCP connections to `host` and `port` that are in `state`."""
    peer = f"{socket.inet_aton(host)[::-1].hex().upper()}:{port:04X}"
    out = set()
    for line in Path("/proc/self/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, now, *_ = line.split()
        if (remote, now) == (peer, state):
            out.add(int(local.split(":")[1], 16))
    return out


class FullBacklog:
    """A loopback listener that accepts nothing and whose backlog is full: a SYN to it gets no answer at all."""

    def __init__(self):
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(0)
        self.port = self.listener.getsockname()[1]
        self._fillers = []

    def fill(self):
        """Connects until a connection is no longer accepted."""
        def is_full():
            self._fillers.append(filler := socket.socket())
            filler.settimeout(0.3)
            try:
                filler.connect(self.listener.getsockname())
            except TimeoutError:
                return True
            return False
        wait_until(is_full, "the backlog is full", 5, 0)
        self._mine = {filler.getsockname()[1] for filler in self._fillers}

    def attempts(self):
        """The local ports of those who knock, without the fillers'."""
        return connections("127.0.0.1", self.port, TCP_SYN_SENT) - self._mine

    def close(self):
        for listener in [self.listener, *self._fillers]:
            listener.close()


class BlackHole(Fault):
    """A host that answers no SYN, from the first on; a healthy server answers at its port once the fault is cleared.

    `script` makes the server that is there when the hole has gone.
    """
    healthy_value = None

    def __init__(self, script, place):
        super().__init__(place)
        self.script = script(place)
        self.query_settings = self.script.query_settings
        self.attempts = set()
        self._over = threading.Event()

    def start(self):
        self.hole = FullBacklog()
        self.backend_settings = self.script.settings_at(self.hole.port)

    def stop(self):
        self._over.set()
        self.hole.close()
        if self.script.server.port:
            self.script.stop()

    def inject(self):
        super().inject()
        self.hole.fill()
        threading.Thread(target=self._watch, daemon=True).start()

    def clear(self):
        super().clear()
        self._over.set()
        self.hole.close()
        self.script.server.port = self.hole.port
        self.script.start()

    def _watch(self):
        while not self._over.wait(0.02):
            self.attempts |= self.hole.attempts()


class HalfOpen(Fault):
    """A real server behind a link that is cut: the peer is gone without closing its connections.

    `real` makes the healthy server. A relay in the far network carries the bytes to it.
    """

    def __init__(self, real, place):
        super().__init__(place)
        self.real = real(place)
        self.query_settings = self.real.query_settings

    def start(self):
        self.network = self.place.world.far_network
        self.real.__enter__()
        url = self.real.backend_settings["url"]
        self._upstream = ("127.0.0.1", int(re.search(r":(\d+)", url)[1]))
        self._listener = self.network.listener()
        self.port = self._listener.getsockname()[1]
        far_url = url.replace(f"127.0.0.1:{self._upstream[1]}", f"{self.network.there}:{self.port}")
        self.backend_settings = {**self.real.backend_settings, "url": far_url}
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self):
        self.network.join()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.real.stop()

    def inject(self):
        super().inject()
        self.network.cut()

    def clear(self):
        super().clear()
        self.network.join()

    def established_connections(self):
        """How many connections Weir still takes for open."""
        return len(connections(self.network.there, self.port, TCP_ESTABLISHED))

    def _accept(self):
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(self._upstream)
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=_pump, args=(source, sink), daemon=True).start()


def _pump(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass  # one of the two has ended
    finally:
        for end in (source, sink):
            with contextlib.suppress(OSError):  # it had ended already
                end.shutdown(socket.SHUT_RDWR)
        source.close()
