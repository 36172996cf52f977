"""A Redis master, its replica and the Sentinels that fail over between them, on loopback ports."""
import contextlib
from pathlib import Path

from .processes import wait_until
from .redis import Redis, RedisError

FAST_SYNC = "repl-diskless-sync-delay 0"


class Sentinel(Redis):
    """One Sentinel, which watches the server at `master_port` under the name `service`; `words` are further settings of that.

    After a start it knows nothing of earlier failovers.
    """
    _name, _flags = "sentinel", ("--sentinel",)
    reply_seconds = 0.5  # a suspended one accepts connections and is silent

    def __init__(self, directory, service, master_port, quorum=1, words=(), **options):
        super().__init__(directory, **options)
        self._service, self._master_port, self._quorum, self._words = service, master_port, quorum, words

    def master_port(self):
        """The port of the master that this Sentinel names."""
        return int(self.command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", self._service)[1])

    def _config(self):
        kept = [line for line in super()._config() if not line.startswith(("save", "appendonly"))]
        return [*kept, f"sentinel monitor {self._service} 127.0.0.1 {self._master_port} {self._quorum}",
                *(f"sentinel {words.replace('NAME', self._service)}" for words in self._words)]


class RedisSentinel:
    """Two Redis servers, the first of them the master at the start, and `count` Sentinels.

    users           as of Redis, of both servers; the Sentinels ask for no login
    down_after_ms   after so long without a reply a Sentinel takes a server for down
    failover_ms     Sentinel's failover-timeout: two failovers of its own are at least twice as far apart
    """

    def __init__(self, directory, service="cache", users=None, count=3, down_after_ms=500, failover_ms=2000):
        directory = Path(directory)
        self.service = service
        self.servers = [Redis(directory / f"redis-{n}", users=users, settings=[FAST_SYNC]) for n in range(2)]
        words = [f"down-after-milliseconds NAME {down_after_ms}", f"failover-timeout NAME {failover_ms}"]
        self.sentinels = [Sentinel(directory / f"sentinel-{n}", service, self.servers[0].port, count // 2 + 1, words)
                          for n in range(count)]
        self.nodes = [f"127.0.0.1:{sentinel.port}" for sentinel in self.sentinels]

    def start(self):
        """Returns when the replica is in sync, and every Sentinel knows it and the other Sentinels."""
        try:
            for server in self.servers:
                server.start()
            self.servers[1].follow(self.servers[0])
            self.servers[1].wait_in_sync()
            for sentinel in self.sentinels:
                sentinel.start()
            wait_until(lambda: all(map(self._is_informed, self.sentinels)), "the Sentinels know each other", 30)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self):
        for server in (*self.sentinels, *self.servers):
            if server.process and server.process.running:
                server.process.resume()
                server.stop()

    def master(self):
        """The server that all Sentinels that reply name, and that is a master by its own word; None while there is none."""
        ports = self.named_ports()
        for server in self.servers:
            with contextlib.suppress(OSError, RedisError):  # it is down
                if ports == {server.port} and server.role()[0] == "master":
                    return server
        return None

    def named_ports(self):
        """The ports of the master that the Sentinels name; more than one while they do not agree."""
        return {port for port in map(_port_named_by, self.sentinels) if port}

    def other(self, server):
        return self.servers[1 - self.servers.index(server)]

    def fail_over(self):
        """Has the first Sentinel that can begin a planned failover; False when none can for now. It goes on after the return."""
        for sentinel in self.sentinels:
            with contextlib.suppress(OSError, RedisError):  # stopped; one is in progress, or there is no good replica
                sentinel.command("SENTINEL", "FAILOVER", self.service)
                return True
        return False

    def wait_failed_over(self, old, seconds=30.0):
        """The new master, when every Sentinel that replies names the other server, and none has a failover in progress."""
        new = self.other(old)

        def is_over():
            states = [state for state in map(self._state_at, self.sentinels) if state]
            named = {(state["port"], state["flags"]) for state in states}
            return named == {(str(new.port), "master")} and new.role()[0] == "master"
        wait_until(is_over, f"a failover from {old.port} to {new.port}", seconds)
        return new

    def wait_replicated(self, seconds=60.0):
        """Returns when there is one master and a replica in sync with it, for the Sentinels, too."""
        wait_until(self._is_replicated, "a master with a replica in sync", seconds)

    def _is_replicated(self):
        master = self.master()
        return master is not None and self.other(master).role() == ("slave", "connected")

    def _is_informed(self, sentinel):
        state = self._state_at(sentinel) or {}
        return (state.get("num-slaves"), state.get("num-other-sentinels")) == ("1", str(len(self.sentinels) - 1))

    def _state_at(self, sentinel):
        """What the Sentinel has of the master; None when it does not reply."""
        with contextlib.suppress(OSError, RedisError):
            words = sentinel.command("SENTINEL", "MASTER", self.service)
            return dict(zip(words[::2], words[1::2]))
        return None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


def _port_named_by(sentinel):
    """None when it does not reply."""
    with contextlib.suppress(OSError, RedisError):
        return sentinel.master_port()
    return None
