"""Real backends, each with a writer that changes its data and logs every change, and with a relay between Weir and the backend."""
import http.client
import os
import signal
import threading
import time
from math import floor

from checker import Change
from relay import Relay
from support import Prometheus, RabbitMQ, Redis, Series, quoted

USER, PASSWORD, OTHER_PASSWORD = "reader", "sekret-1", "sekret-2"
CHANGE_SECONDS = 0.06
VALUES = 4000  # distinct, so that a value that is too old is not right again by chance


class Source:
    """`changes` is the log. A subclass changes the backend in `_change`; after a failure it is unknown whether the change happened."""

    change_seconds = CHANGE_SECONDS
    latency_seconds = 0.0
    values = range(1, VALUES)

    def __init__(self, folder, chance):
        self.folder = folder
        self.changes = []
        self._chance = chance
        self._values = chance.sample(self.values, len(self.values))
        self._turn = threading.Lock()  # one change at a time, and none while a fault holds the writer
        self._end = threading.Event()
        self._writer = threading.Thread(target=self._write, name=f"writer of {self.name}")
        self.problem = None

    def start(self):
        self.folder.mkdir()
        self.start_servers()
        self.relay = Relay(self.upstream(), self.latency_seconds).start()
        self.prepare()
        self._change()  # so that there is a value from the first read on
        self._writer.start()
        return self

    def stop(self):
        self._end.set()
        if self._writer.ident:
            self._writer.join(30)
        self.relay.stop()
        self.stop_servers()

    def start_servers(self):
        self.server.start()

    def stop_servers(self):
        self.server.stop()

    def acts(self):
        """Kind of fault -> how it is injected, and how it is cleared."""
        return {"stopped": (self.freeze, self.thaw), "killed": (self.kill, self.revive),
                "password": (self.spoil_password, self.restore_password)}

    def hold_writer(self):
        """Nothing changes until `release_writer`."""
        if not self._turn.acquire(timeout=30):
            raise RuntimeError(f"the {self._writer.name} has not ended a change within 30 s")

    def release_writer(self):
        self._turn.release()

    def prepare(self):
        """What the backend needs before its first value."""

    def secret(self, name, text):
        """A credential file, replaced in one step."""
        beside = self.folder / f"{name}.new"
        beside.write_text(text)
        beside.replace(self.folder / name)
        return {"file": str(self.folder / name)}

    def freeze(self):
        os.killpg(self.server.process.pid, signal.SIGSTOP)

    def thaw(self):
        os.killpg(self.server.process.pid, signal.SIGCONT)

    def kill(self):
        self.server.process.signal(signal.SIGKILL)
        self.server.process.wait(5)

    def revive(self):
        self.server.start()

    def spoil_password(self):
        """Weir has to log in again, with a password that is wrong."""
        self.secret("password", OTHER_PASSWORD)
        self.relay.end_connections()

    def restore_password(self):
        self.secret("password", PASSWORD)

    def _write(self):
        try:
            while not self._end.wait(self.change_seconds):
                with self._turn:
                    self._change()
        except Exception as problem:  # told by the test, which looks at every source
            self.problem = problem

    def next_value(self):
        """One that was not there for long."""
        self._values.insert(0, value := self._values.pop())
        return value

    def _ordered(self, value, order):
        """Gives the order that makes the backend hold `value`, and logs it; False when it is not known to have worked."""
        before = time.monotonic()
        try:
            order()
        except (OSError, RuntimeError, http.client.HTTPException):
            self.changes.append(Change(before, None, value))
            return False
        self.changes.append(Change(before, time.monotonic(), value))
        return True

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


class RedisSource(Source):
    """The length of a list, which one script replaces at one instant."""
    name = "redis"
    block = {"redis": {"backend": "redis", "key": "jobs"}}
    _SCRIPT = "redis.call('DEL',KEYS[1]) for i=1,ARGV[1] do redis.call('RPUSH',KEYS[1],i) end"

    def __init__(self, folder, chance):
        self.server = Redis(folder / "server", users={USER: f"on >{PASSWORD} ~* +@all"})
        super().__init__(folder, chance)

    def upstream(self):
        return self.server.port

    def backend(self):
        return {"redis": {"url": f"redis://127.0.0.1:{self.relay.port}", "username": self.secret("user", USER),
                          "password": self.secret("password", PASSWORD)}}

    def kill(self):
        self.changes.append(Change(time.monotonic(), None, 0))  # it keeps nothing on disk, and no list is none waiting
        super().kill()

    def _change(self):
        value = self.next_value()
        self._ordered(value, lambda: self.server.command("EVAL", self._SCRIPT, 1, "jobs", value))


class PrometheusSource(Source):
    """The last sample of a series, by remote write. What is acknowledged is in the log on disk, and outlives a crash."""
    name = "prometheus"
    block = {"prometheus": {"backend": "prometheus", "query": "jobs"}}

    def __init__(self, folder, chance):
        self.server = Prometheus(folder / "server")
        super().__init__(folder, chance)

    def upstream(self):
        return self.server.port

    def backend(self):
        return {"prometheus": {"url": f"http://127.0.0.1:{self.relay.port}"}}

    def _change(self):
        value = self.next_value()
        at = floor(time.time() * 1000) / 1000  # never in the future, where no query sees it
        self._ordered(value, lambda: self.server.remote_write([Series({"__name__": "jobs"}, [(at, value)])]))


class BrokerSource(Source):
    """The messages of a durable queue: one more at a time, sometimes none. After a crash their number is unknown."""
    name = "broker"
    block = {"rabbitmq": {"backend": "broker", "queue": "jobs"}}
    _PURGE_IN = 150

    def __init__(self, folder, chance):
        self.server = RabbitMQ(folder / "server")
        self._length, self._is_known = 0, False
        super().__init__(folder, chance)

    def upstream(self):
        return self.server.port

    def prepare(self):
        self.server.declare("jobs")
        self.server.add_user(USER, PASSWORD, "/")

    def backend(self):
        return {"rabbitmq": {"url": f"amqp://127.0.0.1:{self.relay.port}", "username": self.secret("user", USER),
                             "password": self.secret("password", PASSWORD)}}

    def kill(self):
        self.changes.append(Change(time.monotonic(), None, 0, most=self._length + 1))
        self.server.kill()

    def _change(self):
        if not self._is_known or self._chance.randrange(self._PURGE_IN) == 0:
            value, order = 0, lambda: self.server.call("DELETE", f"/api/queues/{quoted('/')}/jobs/contents")
        else:
            value, order = self._length + 1, lambda: self.server.publish("jobs")
        self._is_known = self._ordered(value, order)
        if self._is_known:
            self._length = value
