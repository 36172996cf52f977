"""A Redis cluster of three masters with a replica each; the key's holder changes by failovers and by moves of its slot."""
import contextlib
import time

from checker import Change
from sentinel_source import MasterLog
from sources import PASSWORD, USER
from states_sources import ReplicatedList
from support import RedisCluster, RedisError, slot_of, wait_until

REPLY_SECONDS = 0.5  # a stopped node accepts connections and is silent
PROMOTION_SECONDS = 8.0  # of a planned failover, which a node that is down may prevent


class ClusterSource(ReplicatedList):
    """The list of the node that all others name as the holder of its slot. The relay is in front of the first node.

    A change has taken effect when the holder has it (see MasterLog). A node that was stopped while another one took its
    place goes on as a master until it hears of it, and is not believed.
    """
    name = "cluster"
    block = {"redis": {"backend": "cluster", "key": "jobs"}}
    # Without full coverage the others name a holder that is down until its replica has taken its place.
    settings = (*ReplicatedList.settings, "cluster-require-full-coverage no")
    keys = ("jobs", "{jobs}changes")
    change_seconds = 0.08

    def __init__(self, folder, chance):
        self.server = RedisCluster(folder / "servers", replicas=True, users=self.users, settings=self.settings)
        for node in self.server.nodes:
            node.reply_seconds = REPLY_SECONDS
        self._down = None  # the node that a fault has stopped: it is not asked
        super().__init__(folder, chance)
        self._log = MasterLog(self.changes)

    def upstream(self):
        return self.server.nodes[0].port

    def backend(self):
        nodes = [f"127.0.0.1:{self.relay.port}", *self.server.addresses()[1:3]]
        return {"redis": {"cluster": {"nodes": nodes}, "username": self.secret("user", USER),
                          "password": self.secret("password", PASSWORD)}}

    def acts(self):
        return {"failover": (self.fail_over, self.end_failover), "stopped": (self.stop_holder, self.resume_replaced),
                "stopped_briefly": (self.stop_holder, self.resume), "killed": (self.kill, self.revive),
                "other_stopped": (self.stop_other, self.resume), "moved": (self.move_slot, self.nothing),
                "connections_cut": (self.cut_connections, self.nothing)}

    def nothing(self):
        """Such a fault ends with its beginning."""

    def fail_over(self):
        """A planned one: the replica tells the holder to stop writes, and takes its place."""
        self._promoted = self._replica_of(self._holder())
        self._promoted.command("CLUSTER", "FAILOVER")

    def end_failover(self):
        with contextlib.suppress(RuntimeError):  # no majority of the masters has voted for it
            wait_until(lambda: self._promoted.role()[0] == "master", "a planned failover", PROMOTION_SECONDS)
        self._wait_healthy()

    def stop_holder(self):
        self._stop(self._holder())

    def stop_other(self):
        holder = self._holder()
        self._stop(self._chance.choice([node for node in self.server.nodes if node is not holder]))

    def _stop(self, node):
        self._down = node
        node.process.suspend()

    def resume_replaced(self):
        """It goes on as a master that does not know of its successor."""
        self._wait_replaced()
        self.resume()

    def resume(self):
        self._down.process.resume()
        self._wait_healthy()
        self._down = None

    def kill(self):
        self._down = self._holder()
        self._down.kill()

    def revive(self):
        self._wait_replaced()  # before, it would be an empty master in their eyes, too
        self._down.start()
        self._wait_healthy()
        self._down = None

    def move_slot(self):
        """The slot goes to another master, with its keys."""
        self.hold_writer()
        try:
            source, slot = self._holder(), slot_of("jobs")
            target = self._chance.choice([node for node in self._masters() if node is not source])
            target.command("CLUSTER", "SETSLOT", slot, "IMPORTING", self.server.id_of(source))
            source.command("CLUSTER", "SETSLOT", slot, "MIGRATING", self.server.id_of(target))
            for key in source.command("CLUSTER", "GETKEYSINSLOT", slot, 10):
                source.command("MIGRATE", "127.0.0.1", target.port, key, 0, 5000)
            for node in (target, source, *self._masters()):
                node.command("CLUSTER", "SETSLOT", slot, "NODE", self.server.id_of(target))
            wait_until(lambda: self.server.holder("jobs", self._down) is target, "all nodes know where the slot is", 30)
        finally:
            self.release_writer()

    def cut_connections(self):
        for node in self.server.nodes:
            node.command("CLIENT", "KILL", "TYPE", "NORMAL")

    def _holder(self):
        return wait_until(lambda: self.server.holder("jobs", self._down), "the nodes agree who holds the key", 30)

    def _masters(self):
        return [node for node in self.server.nodes if node.role()[0] == "master"]

    def _replica_of(self, master):
        return next(node for node in self.server.nodes
                    if (role := node.command("ROLE"))[0] == "slave" and int(role[2]) == master.port)

    def _wait_replaced(self):
        wait_until(lambda: self.server.holder("jobs", self._down), "the others agree on another holder", 30)

    def _wait_healthy(self):
        wait_until(self._is_healthy, "a cluster with a replica in sync for each master", 60)

    def _is_healthy(self):
        roles = [node.command("ROLE") for node in self.server.nodes]
        followed = [int(role[2]) for role in roles if role[0] == "slave" and role[3] == "connected"]
        masters = [node.port for node, role in zip(self.server.nodes, roles) if role[0] == "master"]
        return sorted(followed) == sorted(masters) and self.server.is_up() and self.server.holder("jobs")

    def _replicate(self, value):
        holder = self.server.holder("jobs", self._down)
        if holder is None:
            return
        before, after, replicas = time.monotonic(), None, 0
        try:
            replicas = self._write_value(holder, value)
            after = time.monotonic()
        except (OSError, RedisError):  # it may have been carried out
            pass
        self._log.written(holder, Change(before, after, value), replicas > 0)
