"""Redis: a real one of the row's own, and a scripted one."""
import os
import socket

from servers.real import OTHER_PASSWORD, PASSWORD, USER, Real, kill
from servers.scripted import DelayedReplies, Scripted
from support import Redis, ScriptedServer, free_port, wait_until
from support.redis import RedisError

QUERY = {"key": "jobs$(n)"}


class RealRedis(Real):
    """A Redis of the row's own, with three entries in the list `jobs`. `fill` are further commands."""
    query_settings = QUERY

    def __init__(self, place, *arguments, fill=("RPUSH jobs 1 2 3",), settings=(), **options):
        super().__init__(place, *arguments, **options)
        self._fill = fill
        self.server = Redis(place.folder / "redis", settings=settings, users={USER: f"on >{PASSWORD} ~* +@all"})

    def start(self):
        self.server.start()
        self.server.fill(*self._fill)
        self.backend_settings = {"url": self.server.url}

    def stop(self):
        super().stop()
        self.server.stop()


class ClusterNode(RealRedis):
    """The one node of a cluster, which serves all slots while it is healthy."""
    _SLOTS = "0", "16383"

    def __init__(self, place):
        settings = ["cluster-enabled yes", f"cluster-port {free_port()}", "cluster-node-timeout 500"]
        super().__init__(place, self._drop_slots, self._add_slots, fill=(), settings=settings)

    def start(self):
        super().start()
        self._add_slots(self.server)
        self.server.fill("RPUSH jobs 1 2 3")

    def _add_slots(self, redis):
        redis.command("CLUSTER", "ADDSLOTSRANGE", *self._SLOTS)
        wait_until(lambda: "cluster_state:ok" in redis.command("CLUSTER", "INFO"), "the cluster is up")

    def _drop_slots(self, redis):
        redis.command("CLUSTER", "DELSLOTSRANGE", *self._SLOTS)


class RedisOtherPassword(RealRedis):
    """The user's password is changed and its connections are ended."""

    def __init__(self, place):
        super().__init__(place, self._change_password, self._update_secret)

    def start(self):
        super().start()
        self.backend_settings |= {"username": self.place.secret("user", USER),
                                  "password": self.place.secret("password", PASSWORD)}

    def logins(self):
        """How many were refused since the change."""
        entries = [dict(zip(entry[::2], entry[1::2])) for entry in self.server.command("ACL", "LOG")]
        return sum(entry["count"] for entry in entries if (entry["reason"], entry["username"]) == ("auth", USER))

    def _change_password(self, redis):
        redis.command("ACL", "SETUSER", USER, "resetpass", f">{OTHER_PASSWORD}")
        redis.command("CLIENT", "KILL", "USER", USER)

    def _update_secret(self, _):
        self.place.secret("password", OTHER_PASSWORD)


def stored_and_killed(redis):
    redis.command("SAVE")
    kill(redis)


def loading(redis):
    """Started over data of which each key takes a while."""
    redis.command("CONFIG", "SET", "key-load-delay", "0")
    for n in range(300):
        redis.command("SET", f"key{n}", os.urandom(200).hex())
    stored_and_killed(redis)
    redis.process.start()

    def is_loading():
        try:
            return not redis.command("PING")
        except RedisError as error:
            return str(error).startswith("LOADING")
    wait_until(is_loading, "redis is loading")


def busy(redis):
    """A script that never ends, started on a connection of its own."""
    asker = socket.create_connection(("127.0.0.1", redis.port))
    script = b"while true do end"
    asker.sendall(b"*3\r\n$4\r\nEVAL\r\n$%d\r\n%s\r\n$1\r\n0\r\n" % (len(script), script))

    def is_busy():
        try:
            return not redis.command("PING")
        except RedisError as error:
            return str(error).startswith("BUSY")
    wait_until(is_busy, "the script runs")
    asker.close()


class RedisScript(Scripted):
    """While the fault holds, its reply to PING is `greeting`, and `faulty_reply` to all else."""
    query_settings = {**QUERY, "kind": "list"}

    def __init__(self, place, faulty_reply=None, greeting=None, **settings):
        super().__init__(place, faulty_reply, **settings)
        self.greeting = greeting

    def make_server(self):
        return ScriptedServer(raw=self._serve)

    def settings_at(self, port):
        return {"url": f"redis://127.0.0.1:{port}"}

    def inject(self):
        super().inject()
        if self.greeting is not None:
            self.server.drop()  # only a new connection gets a greeting

    def _serve(self, connection):
        replies = DelayedReplies(connection, self)
        stream = connection.makefile("rb")
        while command := _command(stream):
            self._reply(connection, replies, command)

    def _reply(self, connection, replies, command):
        is_ping = command[0] == b"PING"
        faulty_reply = self.greeting if is_ping else self.faulty_reply
        if not self.is_injected or faulty_reply is None:
            data = b"+PONG\r\n" if is_ping else b":3\r\n"
            replies.put(data, self.latency if self.is_injected and not is_ping else 0)
        elif callable(faulty_reply):
            faulty_reply(connection)
        else:
            connection.sendall(faulty_reply)


def _command(stream):
    """The next command's words, or None at the end."""
    line = stream.readline()
    if not line.startswith(b"*"):
        return None
    words = []
    for _ in range(int(line[1:])):
        size = int(stream.readline()[1:])
        words.append(stream.read(size + 2)[:-2])
    return words
