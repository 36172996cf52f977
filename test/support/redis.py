"""Debian's Redis on a loopback port, and a client of a few lines to fill its keys."""
import signal
import socket
import ssl
from contextlib import contextmanager
from pathlib import Path

from .processes import Process, free_port, require, wait_until


class RedisError(RuntimeError):
    """An error reply, with Redis' own text."""


class Redis:
    """redis-server in `directory`, reachable at `url`, with nothing on disk.

    users    name -> ACL rules, such as "on >password ~queue* +llen"; the user `default` may do all unless it is named
    tls      Certificates: serves TLS at `tls_url` too, with their serving pair; without client certificates
    settings  further lines of redis.conf
    """
    reply_seconds = 5

    _name, _flags = "redis", ()

    def __init__(self, directory, users=None, tls=None, port=None, settings=()):
        self.directory = Path(directory)
        self.port = port or free_port()
        self.tls_port = free_port() if tls else None
        self.url = f"redis://127.0.0.1:{self.port}"
        self.tls_url = f"rediss://127.0.0.1:{self.tls_port}"
        self._users = {"default": "on nopass ~* &* +@all", **(users or {})}
        self._tls = tls
        self._settings = list(settings)
        self.process = None

    def start(self):
        binary = require("redis-server", "redis-server")
        self.directory.mkdir(parents=True, exist_ok=True)
        (self.directory / "redis.conf").write_text("\n".join(self._config()) + "\n")
        rules = [f"user {name} {text}" for name, text in self._users.items()]
        (self.directory / "users.acl").write_text("\n".join(rules) + "\n")
        self.process = Process(self._name, [binary, self.directory / "redis.conf", *self._flags], self.directory / "redis.log")
        self.process.start_ready(self._is_ready)
        return self

    def stop(self):
        return self.process.stop() if self.process else None

    def restart(self):
        """Stops and starts on the same port; every key is gone."""
        self.stop()
        return self.start()

    def command(self, *words, database=0):
        """The reply to one command of the user `default`, on a connection of its own: int, str, None or list."""
        with self._connected() as stream:
            if database:
                _send(stream, ["SELECT", database])
            return _send(stream, words)

    def commands(self, *commands):
        """The replies to commands, each a list of words, on one connection."""
        with self._connected() as stream:
            return [_send(stream, words) for words in commands]

    def role(self):
        """("master", None), or ("slave", state of the link to its master, such as "connected")."""
        name, *rest = self.command("ROLE")
        return name, rest[2] if name == "slave" else None

    def follow(self, master):
        """Becomes a replica of another Redis; with None a master."""
        self.command("REPLICAOF", *(("127.0.0.1", master.port) if master else ("NO", "ONE")))

    def wait_in_sync(self, seconds=20.0):
        """Returns when this replica has its master's data."""
        wait_until(lambda: self.role() == ("slave", "connected"), f"the replica {self.port} is in sync", seconds)

    def kill(self):
        self.process.signal(signal.SIGKILL)
        self.process.wait(5)

    def fill(self, *commands, database=0):
        """Runs commands, each a line of words parted by blanks."""
        for command in commands:
            self.command(*command.split(" "), database=database)

    def clients(self):
        """The number of open connections without that of this query."""
        return len(self.command("CLIENT", "LIST").splitlines()) - 1

    def connections_received(self):
        """The number of connections accepted so far, including that of this query."""
        text = self.command("INFO", "stats")
        return int(next(line for line in text.splitlines() if line.startswith("total_connections_received:"))[27:])

    @contextmanager
    def _connected(self):
        with socket.create_connection(("127.0.0.1", self.port), timeout=self.reply_seconds) as plain:
            with plain.makefile("rwb") as stream:
                yield stream

    def _is_ready(self):
        if self._tls:
            context = ssl.create_default_context(cafile=self._tls.crt("ca"))
            with socket.create_connection(("127.0.0.1", self.tls_port), timeout=5) as plain:
                context.wrap_socket(plain, server_hostname="127.0.0.1").close()
        try:
            return self.command("PING") == "PONG"
        except RedisError as error:
            return str(error).startswith("NOAUTH")

    def _config(self):
        lines = ["bind 127.0.0.1", f"port {self.port}", f"dir {self.directory.resolve()}", 'save ""', "appendonly no",
                 f"aclfile {(self.directory / 'users.acl').resolve()}", *self._settings]
        if self._tls:
            lines += [f"tls-port {self.tls_port}", "tls-auth-clients no",
                      f"tls-cert-file {self._tls.crt('serving').resolve()}",
                      f"tls-key-file {self._tls.key('serving').resolve()}",
                      f"tls-ca-cert-file {self._tls.crt('ca').resolve()}"]
        return lines

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


def _send(stream, words):
    parts = [str(word).encode() for word in words]
    stream.write(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts))
    stream.flush()
    return _reply(stream)


def _reply(stream):
    line = stream.readline()
    if not line:
        raise ConnectionError("redis closed the connection")
    kind, rest = line[:1], line[1:].strip().decode()
    if kind == b"-":
        raise RedisError(rest)
    if kind == b"+":
        return rest
    if kind == b":":
        return int(rest)
    if int(rest) < 0:
        return None
    if kind == b"$":
        return stream.read(int(rest) + 2)[:-2].decode()
    return [_reply(stream) for _ in range(int(rest))]
