"""Sources whose backend gets into states that look like health: an empty replica, a vhost that was given up, half of the data."""
import contextlib
import time

from checker import Change
from halving import Halving
from sources import PASSWORD, USER, VALUES, PrometheusSource, Source
from support import Redis, RedisError, ScriptedServer, quoted, wait_until
from support.processes import free_port

SETTLED_SECONDS = 2.0  # after so long a purge is on disk
LATENCY_SECONDS = 0.03  # so that Weir is often stopped while a query is in flight


class ReplicatedList(Source):
    """The length of a list on a master that has one replica; at times there is no list, which is none waiting."""
    values = range(1, 600)
    latency_seconds = LATENCY_SECONDS
    users = {USER: f"on >{PASSWORD} ~* +@all"}
    settings = ("repl-diskless-sync-delay 0",)
    keys = ("jobs", "changes")
    _EMPTY_EVERY = 100  # changes
    _EMPTY_CHANGES = 12
    _ACKNOWLEDGED_MS = 300
    _SCRIPT = """
        redis.call('DEL', KEYS[1])
        local items = {}
        for i = 1, ARGV[1] do items[i] = i end
        if #items > 0 then redis.call('RPUSH', KEYS[1], unpack(items)) end
        redis.call('INCR', KEYS[2])
    """  # it always writes, so that there is something to acknowledge

    def __init__(self, folder, chance):
        self._rest = 0
        super().__init__(folder, chance)

    def _change(self):
        if self._rest:
            self._rest -= 1
        elif len(self.changes) % self._EMPTY_EVERY == self._EMPTY_EVERY // 2:
            self._rest = self._EMPTY_CHANGES
            self._replicate(0)
        else:
            self._replicate(self.next_value())

    def _replicate(self, value):
        """Writes the value, and logs when all servers had it."""
        raise NotImplementedError

    def _write_value(self, server, value):
        """How many replicas have the value when this returns."""
        return server.commands(["EVAL", self._SCRIPT, 2, *self.keys, value], ["WAIT", 1, self._ACKNOWLEDGED_MS])[1]


class FailoverSource(ReplicatedList):
    """An address that goes to the master, to its replica, or to a third Redis: a replica that was never in sync.

    A change has taken effect everywhere when the replica has it, too.
    """
    name = "failover"
    block = {"redis": {"backend": "failover", "key": "jobs"}}

    def __init__(self, folder, chance):
        self.master, self.replica = (Redis(folder / name, users=self.users, settings=self.settings) for name in ("a", "b"))
        self.fresh = Redis(folder / "fresh", users=self.users, settings=[f"replicaof 127.0.0.1 {free_port()}"])
        super().__init__(folder, chance)

    def start_servers(self):
        for server in (self.master, self.replica, self.fresh):
            server.start()
        self.replica.follow(self.master)
        self.replica.wait_in_sync()

    def stop_servers(self):
        for server in (self.master, self.replica, self.fresh):
            server.stop()

    def upstream(self):
        return self.master.port

    def _replicate(self, value):
        before, replicas = time.monotonic(), 0
        with contextlib.suppress(OSError, RedisError):  # it may have been carried out
            replicas = self._write_value(self.master, value)
        self.changes.append(Change(before, time.monotonic() if replicas else None, value))

    def backend(self):
        return {"redis": {"url": f"redis://127.0.0.1:{self.relay.port}", "username": self.secret("user", USER),
                          "password": self.secret("password", PASSWORD)}}

    def acts(self):
        return {"failover": (self.fail_over, self.nothing), "replica": (self.show_replica, self.show_master),
                "fresh": (self.show_fresh, self.show_master), "orphaned": (self.orphan, self.adopt)}

    def nothing(self):
        """Such a fault ends with its beginning."""

    def show_master(self):
        self.relay.point(self.master.port)

    def show_replica(self):
        self.relay.point(self.replica.port)

    def show_fresh(self):
        self.relay.point(self.fresh.port)

    def fail_over(self):
        """The replica becomes the master, and the master its replica."""
        self.hold_writer()
        try:
            self._promote()
        finally:
            self.release_writer()

    def orphan(self):
        """The address goes to the replica of a master that was killed: its list is still the last one."""
        self.hold_writer()
        self.show_replica()
        self.master.kill()

    def adopt(self):
        try:
            self.replica.follow(None)
            self.master.start()  # empty, and nobody sees it
            self._promote()
        finally:
            self.release_writer()

    def _promote(self):
        self.replica.follow(None)
        self.master.follow(self.replica)
        self.master, self.replica = self.replica, self.master
        self.show_master()
        self.replica.wait_in_sync()


class QueueSource(Source):
    """The messages of a durable queue in a vhost of its own, by the management API. The broker is another source's, too."""
    change_seconds = 0.12
    latency_seconds = LATENCY_SECONDS
    _PURGE_IN = 150

    def __init__(self, folder, chance, broker):
        self.server = broker
        self.vhost = self.name
        self._length, self._is_known, self._purged = 0, False, 0.0
        super().__init__(folder, chance)

    def start_servers(self):
        self.server.add_vhost(self.vhost)
        self.server.add_user(f"{self.name}-{USER}", PASSWORD, self.vhost, tags="management")

    def stop_servers(self):
        """The test stops the broker."""

    def upstream(self):
        return self.server.management_port

    def prepare(self):
        self.server.declare("jobs", self.vhost)

    def backend(self):
        return {"rabbitmq": {"url": f"http://127.0.0.1:{self.relay.port}/{self.vhost}",
                             "username": self.secret("user", f"{self.name}-{USER}"),
                             "password": self.secret("password", PASSWORD)}}

    def hold_writer_settled(self):
        """What was acknowledged is on disk from then on, and nothing else."""
        self.hold_writer()
        wait_until(lambda: time.monotonic() > self._purged + SETTLED_SECONDS, "the last purge is on disk")

    def _change(self):
        if not self._is_known or self._chance.randrange(self._PURGE_IN) == 0:
            path = f"/api/queues/{quoted(self.vhost)}/jobs/contents"
            value, order = 0, lambda: self.server.call("DELETE", path)
            self._purged = time.monotonic()
        else:
            value, order = self._length + 1, lambda: self.server.publish("jobs", vhost=self.vhost)
        self._is_known = self._ordered(value, order)
        if self._is_known:
            self._length = value


class GivenUpSource(QueueSource):
    """The broker gives the vhost up, whose queues are then stopped with their messages on disk."""
    name = "given_up"
    block = {"rabbitmq": {"backend": "given_up", "queue": "jobs"}}

    def acts(self):
        return {"given_up": (self.give_up, self.restart)}

    def give_up(self):
        self.hold_writer_settled()
        self.server.give_up(self.vhost)

    def restart(self):
        try:
            self.server.restart_vhost(self.vhost)
        finally:
            self.release_writer()


class CrashingSource(QueueSource):
    """The process of the queue crashes, which is then in no list of totals, with its messages on disk. No queue is no message."""
    name = "crashing"
    block = {"rabbitmq": {"backend": "crashing", "queue": "jobs", "missing": 0}}

    def acts(self):
        return {"crashed": (self.crash, self.declare_again)}

    def crash(self):
        self.hold_writer_settled()
        self.server.crash("jobs", self.vhost)

    def declare_again(self):
        """Without the messages."""
        try:
            self._length, before = 0, time.monotonic()
            self.server.delete("jobs", self.vhost)
            self.server.declare("jobs", self.vhost)
            self.changes.append(Change(before, time.monotonic(), 0))
        finally:
            self.release_writer()


class PartialSource(PrometheusSource):
    """Behind a proxy that has half of the data at times. The values are odd, so that no half is a value."""
    name = "partial"
    block = {"prometheus": {"backend": "partial", "query": "jobs"}}
    values = range(1, 2 * VALUES, 2)
    latency_seconds = LATENCY_SECONDS

    def start_servers(self):
        super().start_servers()
        self.proxy = ScriptedServer(Halving(self.server.port)).start()

    def stop_servers(self):
        self.proxy.stop()
        super().stop_servers()

    def upstream(self):
        return self.proxy.port

    def acts(self):
        return {}
