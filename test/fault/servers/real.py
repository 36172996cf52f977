"""Faults injected into real servers."""
import signal

from fault import Fault

USER, PASSWORD, OTHER_PASSWORD = "weir-test-user", "sekret-1", "sekret-2"


def kill(server):
    """As a crash ends it."""
    server.process.signal(signal.SIGKILL)
    server.process.wait(5)


def start(server):
    server.start()


def freeze(server):
    """The kernel goes on accepting connections; nobody answers on them."""
    server.process.suspend()


def thaw(server):
    server.process.resume()


class Real(Fault):
    """A real server; `inject` and `clear` are functions of it."""

    def __init__(self, place, inject=None, clear=None, query_settings=None, healthy_value="3"):
        super().__init__(place)
        self._inject, self._clear = inject, clear
        self.healthy_value = self.recovered_value = healthy_value
        self.query_settings = query_settings or self.query_settings

    def stop(self):
        if self.is_injected and self._clear:
            self.clear()

    def inject(self):
        super().inject()
        if self._inject:
            self._inject(self.server)

    def clear(self):
        super().clear()
        self._clear(self.server)
