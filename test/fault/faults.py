"""Real servers made sick, and servers with a certificate that Weir must not accept."""
import re
import signal
import socket
import ssl

from row import Fault, block_of
from support import Redis, ScriptedServer, free_port, quoted, wait_until


USER, PASSWORD, OTHER_PASSWORD = "weir-test-user", "sekret-1", "sekret-2"


def kill(server):
    """As a crash ends it."""
    server.process.signal(signal.SIGKILL)
    server.process.wait(5)


def kill_broker(broker):
    """As a crash ends it, once what the row has declared is on disk, where the broker writes it up to two seconds late."""
    broker.control("eval", "mnesia:sync_log().")
    broker.kill()


def start(server):
    server.start()


def freeze(server):
    """The kernel goes on accepting connections; nobody answers on them."""
    server.process.suspend()


def thaw(server):
    server.process.resume()


def alarm(broker):
    """The memory alarm: the broker blocks whoever publishes."""
    broker.control("set_vm_memory_high_watermark", "absolute", "1MB")
    wait_until(lambda: broker.call("GET", "/api/nodes")[0].get("mem_alarm"), "the memory alarm is set", 20)


def no_alarm(broker):
    broker.control("set_vm_memory_high_watermark", "absolute", "512MB")
    wait_until(lambda: not broker.call("GET", "/api/nodes")[0].get("mem_alarm"), "the memory alarm is over", 20)


class Real(Fault):
    """A real server; `sicken` and `heal` are functions of it."""

    def __init__(self, place, sicken=None, heal=None, block=None, well="3"):
        super().__init__(place)
        self._sicken, self._heal = sicken, heal
        self.well = self.healed = well
        self.block = block or self.block

    def stop(self):
        if self.is_sick and self._heal:
            self.mend()

    def inject(self):
        super().inject()
        if self._sicken:
            self._sicken(self.server)

    def mend(self):
        super().mend()
        self._heal(self.server)


class RealRedis(Real):
    """A Redis of the row's own, with three entries in the list `jobs`. `fill` are further commands."""
    block = block_of("redis")

    def __init__(self, place, *arguments, fill=("RPUSH jobs 1 2 3",), settings=(), **others):
        super().__init__(place, *arguments, **others)
        self._fill = fill
        self.server = Redis(place.folder / "redis", settings=settings, users={USER: f"on >{PASSWORD} ~* +@all"})

    def start(self):
        self.server.start()
        self.server.fill(*self._fill)
        self.backend = {"url": self.server.url}

    def stop(self):
        super().stop()
        self.server.stop()


class ClusterNode(RealRedis):
    """The one node of a cluster, which serves all slots while it is well."""
    _slots = "0", "16383"

    def __init__(self, place):
        settings = ["cluster-enabled yes", f"cluster-port {free_port()}", "cluster-node-timeout 500"]
        super().__init__(place, self._leave, self._take, fill=(), settings=settings)

    def start(self):
        super().start()
        self._take(self.server)
        self.server.fill("RPUSH jobs 1 2 3")

    def _take(self, redis):
        redis.ask("CLUSTER", "ADDSLOTSRANGE", *self._slots)
        wait_until(lambda: "cluster_state:ok" in redis.ask("CLUSTER", "INFO"), "the cluster is up")

    def _leave(self, redis):
        redis.ask("CLUSTER", "DELSLOTSRANGE", *self._slots)


class RevokedAtRedis(RealRedis):
    """The user's password is changed and its connections are ended."""

    def __init__(self, place):
        super().__init__(place, self._revoke, self._tell)

    def start(self):
        super().start()
        self.backend |= {"username": self.place.secret("user", USER),
                         "password": self.place.secret("password", PASSWORD)}

    def logins(self):
        """How many were refused since the change."""
        entries = [dict(zip(entry[::2], entry[1::2])) for entry in self.server.ask("ACL", "LOG")]
        return sum(entry["count"] for entry in entries if (entry["reason"], entry["username"]) == ("auth", USER))

    def _revoke(self, redis):
        redis.ask("ACL", "SETUSER", USER, "resetpass", f">{OTHER_PASSWORD}")
        redis.ask("CLIENT", "KILL", "USER", USER)

    def _tell(self, _):
        self.place.secret("password", OTHER_PASSWORD)


class RealPrometheus(Real):
    """The Prometheus that all rows share."""
    block = block_of("prometheus")

    def start(self):
        self.server = self.place.world.prometheus
        self.backend = {"url": self.server.url}


class RealBroker(Real):
    """The broker that all rows share, with a vhost of the row's own: three messages in the queue `jobs`."""

    def __init__(self, kind, place, *arguments, **others):
        self.kind = kind
        self.block = block_of(kind)
        super().__init__(place, *arguments, **others)
        self.vhost = place.name

    def start(self):
        self.server = self.place.world.broker
        self.user, self.password = self.server.user, self.server.password
        self.fill(self.server)
        self.backend = self.backend_for(self.user, self.password)

    def backend_for(self, user, password):
        url = self.server.url if self.kind == "amqp" else self.server.management_url
        return {"url": f"{url}/{quoted(self.vhost)}", "username": self.place.secret("user", user),
                "password": self.place.secret("password", password)}

    def stop(self):
        super().stop()
        if any(one["name"] == self.vhost for one in self.server.call("GET", "/api/vhosts")):
            self.server.call("DELETE", f"/api/vhosts/{quoted(self.vhost)}")

    def connections(self):
        """What the broker lists of Weir's connections."""
        return [one for one in self.server.connections() if one.get("vhost") == self.vhost]

    def fill(self, _):
        """The vhost and its queue, as they are at the start."""
        self.server.add_vhost(self.vhost)
        self.server.filled("jobs", 3, self.vhost)

    def refusals(self):
        """How many logins of the row's user the broker has logged as refused."""
        log = self.server.process.log.read_text(errors="replace")
        return len(re.findall(rf"(?:refused|denied): user '{re.escape(self.user)}'", log))


class QueueDeleted(RealBroker):
    def __init__(self, kind, place):
        super().__init__(kind, place, lambda broker: broker.delete("jobs", self.vhost), self.fill)


class VhostDeleted(RealBroker):
    def __init__(self, kind, place):
        super().__init__(kind, place, self._delete, self.fill)

    def _delete(self, broker):
        broker.call("DELETE", f"/api/vhosts/{quoted(self.vhost)}")


class LeaderGone(RealBroker):
    """A quorum queue whose only replica is stopped: nobody leads it."""

    def __init__(self, kind, place):
        super().__init__(kind, place, lambda broker: self._tell(broker, "stop_server"),
                         lambda broker: self._tell(broker, "restart_server"))

    def fill(self, _):
        self.server.add_vhost(self.vhost)
        self.server.declare("jobs", self.vhost, arguments={"x-queue-type": "quorum"})
        self.server.publish("jobs", 3, self.vhost)

    def _tell(self, broker, order):
        broker.control("eval", f"ra:{order}(quorum_queues, {{'{self.vhost}_jobs', node()}}).")


class RevokedAtBroker(RealBroker):
    """The password of the row's own user is changed and its connections are ended."""

    def __init__(self, kind, place):
        super().__init__(kind, place, self._revoke, self._tell)

    def start(self):
        super().start()
        self.user = f"{USER}-{self.kind}"
        self.server.add_user(self.user, PASSWORD, self.vhost, tags="management")
        self.backend = self.backend_for(self.user, PASSWORD)

    def logins(self):
        return self.refusals()

    def _revoke(self, broker):
        broker.add_user(self.user, OTHER_PASSWORD, tags="management")
        if self.kind == "amqp":
            for one in wait_until(self.connections, "the broker lists the connection"):
                broker.call("DELETE", f"/api/connections/{quoted(one['name'])}")
            wait_until(lambda: not self.connections(), "the connection has ended")

    def _tell(self, _):
        self.place.secret("password", OTHER_PASSWORD)


class BadCertificate(Fault):
    """A TLS server with the certificate `name` of the world's. `leaked` tells what it heard beside a handshake."""
    well = healed = None

    def __init__(self, kind, name, place):
        super().__init__(place)
        self.kind, self.block = kind, block_of(kind)
        certificates = place.world.certificates
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificates.crt(name), certificates.key(name))
        self.leaked = b""
        self.handshakes = 0
        self.server = ScriptedServer(raw=self._serve)

    def start(self):
        self.server.start()
        scheme = {"redis": "rediss", "amqp": "amqps"}.get(self.kind, "https")
        self.backend = {"url": f"{scheme}://127.0.0.1:{self.server.port}",
                        "tls": {"ca": str(self.place.world.certificates.crt("ca"))}}
        if self.kind != "redis" and self.kind != "prometheus":
            self.backend |= {"username": self.place.secret("user", "weir-test"),
                             "password": self.place.secret("password", "sekret")}

    def stop(self):
        self.server.stop()

    def _serve(self, connection):
        first = connection.recv(1, socket.MSG_PEEK)
        if first != b"\x16":  # no TLS record of a handshake
            self.leaked += connection.recv(65536)
            return
        self.handshakes += 1
        with self._context.wrap_socket(connection, server_side=True) as secure:
            self.leaked += secure.recv(65536)
