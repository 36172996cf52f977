"""A Redis whose master the Sentinels name, and change."""
import dataclasses
import time

from checker import Change
from sources import PASSWORD, USER
from states_sources import ReplicatedList
from support import RedisError, RedisSentinel, wait_until


class MasterLog:
    """What writes to changing masters mean for the value that clients may read: pure. `changes` is the log that it writes.

    A new master has one of the values from the last one that it acknowledged as a replica on. Until it acknowledges a change
    itself, a client may read any of them, because it may have followed the Sentinels before the old master's last changes.
    """

    def __init__(self, changes):
        self._changes = changes
        self._master = None
        self.switches = 0
        self._replicated_count = 0  # of the changes, up to the last one that a replica acknowledged

    def written(self, master, change, is_replicated):
        """`change` was written to `master`."""
        if self._master not in (None, master):
            self.switches += 1
            for index in range(self._replicated_count, len(self._changes)):
                self._changes[index] = dataclasses.replace(self._changes[index], after=None)
            self._replicated_count = len(self._changes)
        self._changes.append(change)
        self._master = master
        if is_replicated:
            self._replicated_count = len(self._changes)

    def forget_since(self, began, most):
        """Any value up to `most` is possible from `began` on, until a write that begins later is acknowledged."""
        for index, change in enumerate(self._changes):
            if change.before >= began:
                self._changes[index] = dataclasses.replace(change, after=None)
        self._changes.append(Change(began, None, 0, most=most))


class SentinelSource(ReplicatedList):
    """The list of the master that the Sentinels name. The relay is in front of the first Sentinel.

    A change has taken effect when the master has it (see MasterLog). An old master that goes on as one by its own word is
    not believed: a client has to follow the Sentinels within the metric's allowed age.
    """
    name = "sentinel"
    block = {"redis": {"backend": "sentinel", "key": "jobs"}}
    change_seconds = 0.08

    def __init__(self, folder, chance):
        self.server = RedisSentinel(folder / "servers", users=self.users)
        super().__init__(folder, chance)
        self._log = MasterLog(self.changes)

    def upstream(self):
        return self.server.sentinels[0].port

    def backend(self):
        return {"redis": {"sentinel": {"service": self.server.service,
                                       "nodes": [f"127.0.0.1:{self.relay.port}", *self.server.nodes[1:]]},
                          "username": self.secret("user", USER), "password": self.secret("password", PASSWORD)}}

    def acts(self):
        return {"failover": (self.fail_over, self.end_failover), "killed": (self.kill, self.revive),
                "killed_and_back": (self.kill, self.come_back), "connections_cut": (self.cut_connections, self.nothing),
                "sentinel_stopped": (self.stop_sentinel, self.resume_sentinel)}

    def nothing(self):
        """Such a fault ends with its beginning."""

    def fail_over(self):
        """A planned one. For about 10 s the old master goes on as a master."""
        self._old = self._master()
        wait_until(self.server.fail_over, "a Sentinel begins a failover")

    def end_failover(self):
        self.server.wait_failed_over(self._old)
        self.server.wait_replicated()

    def kill(self):
        self._old = self._master()
        self._old.kill()

    def revive(self):
        new = self.server.wait_failed_over(self._old)  # before, it would be an empty master in their eyes, too
        self._old.start()
        self._old.follow(new)
        self.server.wait_replicated()

    def come_back(self):
        """A master with old data for about 10 s, until the Sentinels make it a replica."""
        new = self.server.wait_failed_over(self._old)
        began, switches = time.monotonic(), self._log.switches
        self._old.start()
        self.server.wait_replicated()
        if self._master() is not new or self._log.switches > switches + 1:
            # Seldom, another Sentinel fails over once more, and back to the old data.
            with self._turn:
                self._log.forget_since(began, max(self.values))

    def cut_connections(self):
        for server in (*self.server.servers, *self.server.sentinels):
            server.command("CLIENT", "KILL", "TYPE", "NORMAL")

    def stop_sentinel(self):
        self._stopped = self._chance.choice(self.server.sentinels)
        self._stopped.process.suspend()

    def resume_sentinel(self):
        self._stopped.process.resume()

    def _master(self):
        return wait_until(self.server.master, "there is a master")

    def _replicate(self, value):
        master = self.server.master()
        if master is None:
            return
        before, after, replicas = time.monotonic(), None, 0
        try:
            replicas = self._write_value(master, value)
            after = time.monotonic()
        except (OSError, RedisError):  # it may have been carried out
            pass
        self._log.written(master, Change(before, after, value), replicas > 0)
