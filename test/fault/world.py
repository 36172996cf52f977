"""The servers that the rows share, each started when the first row needs it, and the certificates that are wrong."""
import contextlib
import functools

from support import FarNetwork, Prometheus, RabbitMQ, Redis, ScriptedServer, make_certificates, vector


class World:
    """Shared by all rows; a row that injects a fault into a server clears it. `redis` and `http` are always healthy."""

    def __init__(self, folder):
        self.folder = folder
        self._stack = contextlib.ExitStack()

    @functools.cached_property
    def broker(self):
        return self._stack.enter_context(RabbitMQ(self.folder / "rabbitmq"))

    @functools.cached_property
    def prometheus(self):
        return self._stack.enter_context(Prometheus(self.folder / "prometheus"))

    @functools.cached_property
    def far_network(self):
        return self._stack.enter_context(FarNetwork())

    @functools.cached_property
    def certificates(self):
        """`expired`, `other-name` and `stranger` (of the authority `unknown-ca`) are for servers at 127.0.0.1."""
        out = make_certificates(self.folder / "certificates")
        here = "IP:127.0.0.1"
        out.authority("unknown-ca")
        for name, signer, names, days in (("expired", "ca", here, (-3, -1)), ("stranger", "unknown-ca", here, (-1, 1)),
                                          ("other-name", "ca", "IP:127.0.0.2,DNS:other.example", (-1, 1))):
            out.issue(name, signer, f"/CN={name}", "serverAuth", names, days)
        return out

    def __enter__(self):
        self.redis = self._stack.enter_context(Redis(self.folder / "redis"))
        self.redis.fill("RPUSH healthy 1 2 3 4 5 6 7")
        self.http = self._stack.enter_context(ScriptedServer(lambda turn: turn.answer(vector(7))))
        return self

    def __exit__(self, *_):
        self._stack.close()
