"""A network beside loopback: addresses of this host alone, on interfaces that vanish with their namespace."""
import ctypes
import ipaddress
import os
import re
import socket
import subprocess
import threading
from pathlib import Path

from ..processes import require

CLONE_NEWNET = 0x40000000


class FarNetwork:
    """A network namespace, and a pair of interfaces whose far end can be cut; no other process has their names.

    here   an address of this host that is not a loopback address, so that the proxies of the environment apply to it
    there  the address of the far end
    """

    def __init__(self):
        pid = os.getpid()
        self.name = f"weir-test-{pid}"
        block = ipaddress.ip_address("198.18.0.0") + 4 * (pid % (1 << 17))  # four of RFC 2544's addresses
        self.here, self.there = str(block + 1), str(block + 2)
        self._ends = f"wf{pid}a", f"wf{pid}b"

    def start(self):
        self._drop_stale_namespaces()
        ours, theirs = self._ends
        self._ip("netns", "add", self.name)
        self._ip("link", "add", ours, "type", "veth", "peer", "name", theirs, "netns", self.name)
        self._ip("addr", "add", f"{self.here}/30", "dev", ours)
        self._ip("link", "set", ours, "up")
        self._ip("-n", self.name, "addr", "add", f"{self.there}/30", "dev", theirs)
        self.join()
        return self

    def stop(self):
        self._ip("netns", "del", self.name)

    def cut(self):
        self._ip("-n", self.name, "link", "set", self._ends[1], "down")

    def join(self):
        self._ip("-n", self.name, "link", "set", self._ends[1], "up")

    def listener(self):
        """A listening socket of the far side; only the thread that makes it goes there."""
        listeners = []

        def make():
            with open(f"/run/netns/{self.name}") as there:
                if ctypes.CDLL(None, use_errno=True).setns(there.fileno(), CLONE_NEWNET) != 0:
                    return
            listeners.append(socket.create_server((self.there, 0)))
        thread = threading.Thread(target=make)
        thread.start()
        thread.join()
        if not listeners:
            raise OSError(f"the network namespace {self.name} cannot be entered")
        return listeners[0]

    def _drop_stale_namespaces(self):
        for line in self._ip("netns", "list").splitlines():
            match = re.match(r"weir-test-(\d+)", line)
            if match and not Path(f"/proc/{match[1]}").exists():
                self._ip("netns", "del", match[0])

    def _ip(self, *words):
        run = subprocess.run([require("ip", "iproute2"), *words], stdin=subprocess.DEVNULL, capture_output=True,
                             text=True, timeout=10)
        if run.returncode != 0:
            raise RuntimeError(f"ip {' '.join(words)}: {run.stderr.strip()}")
        return run.stdout

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            subprocess.run(["ip", "netns", "del", self.name], capture_output=True)
            raise

    def __exit__(self, *_):
        self.stop()
