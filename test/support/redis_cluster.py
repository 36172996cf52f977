"""Debian's Redis as a cluster of a few nodes."""
import contextlib

from .processes import free_port, wait_until
from .redis import Redis, RedisError

SLOTS = 16384


def slot_of(key):
    """The slot of a key without a hash tag, bit by bit as the specification has it."""
    crc = 0
    for byte in key.encode():
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1) ^ 0x1021 if crc & 0x8000 else crc << 1
        crc &= 0xFFFF
    return crc % SLOTS


class RedisCluster:
    """Masters that share the slots evenly, and one replica each after them where `replicas` is true: all in `nodes`."""

    def __init__(self, directory, masters=3, replicas=False, settings=(), **options):
        self.masters = masters
        count = 2 * masters if replicas else masters
        # Without cluster-port a node listens at its own port plus 10,000, which may be taken, or no port at all.
        self._bus_ports = [free_port() for _ in range(count)]
        self.nodes = [Redis(directory / f"node-{number}", settings=["cluster-enabled yes", "cluster-node-timeout 1000",
                                                                    f"cluster-port {port}", *settings], **options)
                      for number, port in enumerate(self._bus_ports)]
        self._servers = contextlib.ExitStack()

    def start(self):
        with contextlib.ExitStack() as servers:
            for node in self.nodes:
                servers.enter_context(node)
            self._join()
            self._servers = servers.pop_all()
        return self

    def stop(self):
        self._servers.close()

    def addresses(self):
        return [f"127.0.0.1:{node.port}" for node in self.nodes]

    def id_of(self, node):
        return node.command("CLUSTER", "MYID")

    def owner(self, key):
        """The master that was given the slot of `key` at the start."""
        return self.nodes[slot_of(key) * self.masters // SLOTS]

    def replica_of(self, master):
        """The replica that `master` was given at the start."""
        return self.nodes[self.masters + self.nodes.index(master)]

    def named_by(self, node, key):
        """The port of the node that holds `key` as `node` has it: its own where it replies itself. None when it cannot say."""
        try:
            node.command("EXISTS", key)
            return node.port
        except RedisError as error:
            return int(str(error).rpartition(":")[2]) if str(error).startswith("MOVED ") else None
        except OSError:  # it is down
            return None

    def holder(self, key, unasked=None):
        """The node that all that can say name, itself among them; None while there is none. `unasked` has no say."""
        ports = {self.named_by(node, key) for node in self.nodes if node is not unasked} - {None}
        return next((node for node in self.nodes if ports == {node.port} and node is not unasked), None)

    def is_up(self):
        """By the word of every node."""
        return all(map(self._knows_all, self.nodes))

    def fill(self, key, length):
        """A list of that length, at its owner."""
        self.owner(key).command("RPUSH", key, *range(length))

    def _join(self):
        first = self.nodes[0]
        for number, node in enumerate(self.nodes):
            if number < self.masters:
                # The first slot whose SLOT * masters // SLOTS is `number`.
                begin = -(-SLOTS * number // self.masters)
                end = -(-SLOTS * (number + 1) // self.masters) - 1
                node.command("CLUSTER", "ADDSLOTSRANGE", begin, end)
            if node is not first:
                node.command("CLUSTER", "MEET", "127.0.0.1", first.tls_port or first.port, self._bus_ports[0])
        for node in self.nodes:
            wait_until(lambda each=node: self._knows_all(each), "the nodes know each other", 20)
        for number, replica in enumerate(self.nodes[self.masters:]):
            replica.command("CLUSTER", "REPLICATE", self.id_of(self.nodes[number]))
            wait_until(lambda each=replica: each.command("ROLE")[3] == "connected", "the replica is in sync", 20)
        for node in self.nodes:
            wait_until(lambda each=node: self._knows_all(each), "the cluster is up", 20)

    def _knows_all(self, node):
        info = node.command("CLUSTER", "INFO")
        return "cluster_state:ok" in info and f"cluster_known_nodes:{len(self.nodes)}\r" in info

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()
