"""Debian's RabbitMQ with its management plugin on loopback ports, filled over its HTTP API."""
import base64
import json
import os
import signal
import socket
import struct
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from .processes import MissingTool, NotReady, Process, free_port, require, wait_until

USER = "weir-test"
PASSWORD = "weir-test-password"

# Kills the message store of a vhost until RabbitMQ gives the vhost up, and returns whether the vhost is alive.
_GIVE_UP = """
F = fun() -> try exit(rabbit_vhost_msg_store:vhost_store_pid(<<"VHOST">>, msg_store_persistent), kill)
             catch _:_ -> none end end,
[begin F(), timer:sleep(400) end || _ <- lists:seq(1, 12)],
rabbit_vhost_sup_sup:is_vhost_alive(<<"VHOST">>).
"""
# Kills the process of a queue more often than RabbitMQ restarts it.
_CRASH = """
[begin case rabbit_amqqueue:lookup(rabbit_misc:r(<<"VHOST">>, queue, <<"QUEUE">>)) of
         {ok, Q} -> exit(amqqueue:get_pid(Q), kill);
         _ -> ok
       end, timer:sleep(150) end || _ <- lists:seq(1, 20)].
"""


class RabbitMQ:
    """One broker in `directory`, with an epmd of its own: AMQP at `url`, management API at `management_url`.

    It boots in about 6 s: one a test module. `user` and `password` may do everything.
    tls  Certificates: serves TLS at `tls_url` and `tls_management_url` too, with their serving pair; a client that
         shows a certificate of their client CA may log in as its CN (SASL EXTERNAL)
    statistics_seconds  how old counts and rates are, and what rates are averaged over. By default counts are half a second
         old and rates 0 most of the time: they are of 5 s, and the broker tells 0 until as much has passed
    peer  a broker that runs already: this one becomes the second node of its cluster
    """

    def __init__(self, directory, tls=None, statistics_seconds=None, peer=None):
        self.directory = Path(directory).resolve()
        self.user, self.password = USER, PASSWORD
        self.port, self.management_port, self._distribution_port, self._epmd_port = (free_port() for _ in range(4))
        self.url = f"amqp://127.0.0.1:{self.port}"
        self.management_url = f"http://127.0.0.1:{self.management_port}"
        self.node = "peer@localhost" if peer else "weir@localhost"
        self._peer = peer
        if peer:
            self._epmd_port = peer._epmd_port
        self._tls = tls
        self._statistics_seconds = statistics_seconds
        if tls:
            self._tls_port, self._tls_management_port = free_port(), free_port()
            self.tls_url = f"amqps://127.0.0.1:{self._tls_port}"
            self.tls_management_url = f"https://127.0.0.1:{self._tls_management_port}"
        self.process = None
        self._epmd = None

    def start(self):
        # The rabbitmq-server on PATH is a wrapper that becomes another user; the script itself lies beside it.
        require("rabbitmq-server", "rabbitmq-server")
        script = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
        if not script.exists():
            raise MissingTool(f"{script} is not there: apt-get install rabbitmq-server")
        self.directory.mkdir(parents=True, exist_ok=True)
        (self.directory / "rabbitmq.conf").write_text("\n".join(self._config()) + "\n")
        (self.directory / "enabled_plugins").write_text("[rabbitmq_auth_mechanism_ssl,rabbitmq_management].\n")
        environment = self._environment()
        self.process = Process("rabbitmq", [script], self.directory / "rabbitmq.log", env=environment,
                               cwd=self.directory, stop_seconds=60)
        try:
            if not self._peer:
                self._start_epmd(environment)
            self.process.start()
            self.process.wait_ready(self._is_ready, seconds=90)
            if self._peer:
                for words in (["stop_app"], ["join_cluster", self._peer.node], ["start_app"]):
                    self.control(*words)
                wait_until(self._is_ready, "the second node is ready", 60)
        except BaseException:
            self.kill()
            raise
        return self

    def stop(self):
        """A clean stop, which keeps what is durable. Returns when the Erlang machine has gone."""
        if self.process is None:
            return None
        code = self.process.stop()
        self._wait_gone()
        if self._epmd:
            self._epmd.stop()
        return code

    def kill(self):
        """Ends the broker at once, as a crash would, and its epmd."""
        if self.process is not None and self.process.pid:
            try:
                os.killpg(self.process.pid, signal.SIGKILL)  # it leads its session: the script and the machine
            except ProcessLookupError:
                pass
            self.process.stop()
            self._wait_gone()
        if self._epmd:
            self._epmd.stop()

    def restart(self):
        """A clean stop and a start on the same ports, over the same data."""
        self.stop()
        return self.start()

    def declare(self, name, vhost="/", **settings):
        self.call("PUT", f"/api/queues/{quoted(vhost)}/{quoted(name)}", {"durable": True, **settings})

    def delete(self, name, vhost="/"):
        self.call("DELETE", f"/api/queues/{quoted(vhost)}/{quoted(name)}")

    def publish(self, name, count=1, vhost="/"):
        """Puts messages into the queue `name`; they are in it when this returns."""
        body = {"properties": {"delivery_mode": 2}, "routing_key": name, "payload": "x", "payload_encoding": "string"}
        for _ in range(count):
            answer = self.call("POST", f"/api/exchanges/{quoted(vhost)}/amq.default/publish", body)
            if not answer["routed"]:
                raise RuntimeError(f"no queue {name!r} in vhost {vhost!r}")

    def filled(self, name, count, vhost="/"):
        """Declares the queue `name` with this many messages."""
        self.declare(name, vhost)
        self.publish(name, count, vhost)

    def get(self, name, count=1, vhost="/"):
        """Takes messages out of the queue, for good."""
        return self.call("POST", f"/api/queues/{quoted(vhost)}/{quoted(name)}/get",
                         {"count": count, "ackmode": "ack_requeue_false", "encoding": "auto"})

    def add_user(self, name, password, vhost=None, read=".*", tags=""):
        """A user who may read what `read` matches in `vhost`; without vhost, one who may enter none."""
        self.call("PUT", f"/api/users/{quoted(name)}", {"password": password, "tags": tags})
        if vhost is not None:
            self.call("PUT", f"/api/permissions/{quoted(vhost)}/{quoted(name)}",
                      {"configure": "", "write": "", "read": read})

    def add_vhost(self, name):
        self.call("PUT", f"/api/vhosts/{quoted(name)}")
        self.call("PUT", f"/api/permissions/{quoted(name)}/{self.user}",
                  {"configure": ".*", "write": ".*", "read": ".*"})

    def connections(self):
        """The AMQP connections that the broker itself lists; it notices a new one within its interval."""
        return self.call("GET", "/api/connections")

    def connections_accepted(self):
        """How many AMQP connections there ever were, as the broker logs them."""
        # On the console: the broker writes its log files seconds late.
        return self.process.log.read_text(errors="replace").count("accepting AMQP connection")

    def control(self, *words):
        """Runs rabbitmqctl against the broker, which takes about two seconds; its output."""
        run = subprocess.run(["/usr/lib/rabbitmq/bin/rabbitmqctl", "-n", self.node, *words],
                             env={**os.environ, **self._environment()}, cwd=self.directory, stdin=subprocess.DEVNULL,
                             capture_output=True, text=True, timeout=60)
        if run.returncode != 0:
            raise RuntimeError(f"rabbitmqctl {' '.join(words)}: {run.stdout}{run.stderr}")
        return run.stdout

    def give_up(self, vhost):
        """Makes the broker give the vhost up, as after a message store that keeps failing; this takes six seconds."""
        if self.control("eval", _GIVE_UP.replace("VHOST", vhost)).strip() != "false":
            raise RuntimeError(f"the broker has not given vhost {vhost!r} up")

    def restart_vhost(self, vhost):
        """The end of `give_up`: the vhost is alive, with its messages."""
        self.control("restart_vhost", "-p", vhost)

    def crash(self, queue, vhost="/"):
        """Ends the process of the queue for good; until the node restarts, its messages are on disk alone."""
        self.control("eval", _CRASH.replace("VHOST", vhost).replace("QUEUE", queue))

    def holding(self, name, vhost="/"):
        """A context in which one message of the queue is delivered and not acknowledged."""
        return Holder(self, name, vhost)

    def call(self, method, path, body=None):
        """One request to the management API, its answer decoded; a refusal raises with the API's own text."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.management_url + path, data=data, method=method)
        token = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        request.add_header("Authorization", f"Basic {token}")
        request.add_header("Content-Type", "application/json")
        # No proxy from the environment: the broker is on loopback.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=10) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            text = error.read().decode(errors="replace").strip()
            raise RuntimeError(f"rabbitmq {method} {path}: HTTP {error.code}: {text[:500]}") from None
        return json.loads(text) if text else None

    def _is_ready(self):
        try:
            return bool(self.call("GET", "/api/overview"))
        except RuntimeError:
            return False

    def _start_epmd(self, environment):
        """Started here, in the foreground, because one that the broker starts would outlive it as a daemon."""
        epmd = [require("epmd", "erlang-base"), "-port", str(self._epmd_port)]
        self._epmd = Process("epmd", [*epmd, "-address", "127.0.0.1"], self.directory / "epmd.log", env=environment)
        self._epmd.start()
        probe = [*epmd, "-names"]
        wait_until(lambda: _succeeds(probe, environment), "epmd is ready")

    def _wait_gone(self):
        """A second boot finds its ports taken unless the whole process group has ended."""
        def is_gone():
            try:
                os.killpg(self.process.pid, 0)
            except ProcessLookupError:
                return True
            return False
        try:
            wait_until(is_gone, "the broker has ended", 15)
        except NotReady:
            os.killpg(self.process.pid, signal.SIGKILL)

    def _environment(self):
        here = self.directory
        home = self._peer.directory if self._peer else here  # nodes of a cluster have one cookie
        return {"HOME": str(home), "RABBITMQ_NODENAME": self.node,
                "RABBITMQ_CONFIG_FILE": str(here / "rabbitmq"),
                "RABBITMQ_ENABLED_PLUGINS_FILE": str(here / "enabled_plugins"), "RABBITMQ_CONF_ENV_FILE": "/dev/null",
                "RABBITMQ_MNESIA_BASE": str(here / "mnesia"), "RABBITMQ_LOG_BASE": str(here / "log"),
                "RABBITMQ_PID_FILE": str(here / "pid"), "ERL_EPMD_PORT": str(self._epmd_port),
                "ERL_EPMD_ADDRESS": "127.0.0.1", "RABBITMQ_DIST_PORT": str(self._distribution_port),
                "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}"}

    def _config(self):
        return self._plain_config() + (self._tls_config() if self._tls else [])

    def _tls_config(self):
        files = [("cacertfile", self._tls.crt("client-ca")), ("certfile", self._tls.crt("serving")),
                 ("keyfile", self._tls.key("serving"))]
        return [f"listeners.ssl.default = 127.0.0.1:{self._tls_port}",
                "ssl_options.verify = verify_peer", "ssl_options.fail_if_no_peer_cert = false",
                "auth_mechanisms.1 = PLAIN", "auth_mechanisms.2 = AMQPLAIN", "auth_mechanisms.3 = EXTERNAL",
                "ssl_cert_login_from = common_name", "management.ssl.ip = 127.0.0.1",
                f"management.ssl.port = {self._tls_management_port}",
                *(f"{part}.{name} = {path.resolve()}" for part in ("ssl_options", "management.ssl") for name, path in files)]

    def _statistics_config(self):
        seconds = self._statistics_seconds
        samples = [f"management.sample_retention_policies.{kind}.minute = {seconds}" for kind in ("global", "basic", "detailed")]
        return [f"collect_statistics_interval = {1000 * seconds}", *samples] if seconds else ["collect_statistics_interval = 500"]

    def _plain_config(self):
        return [f"listeners.tcp.default = 127.0.0.1:{self.port}", "management.tcp.ip = 127.0.0.1",
                f"management.tcp.port = {self.management_port}", "loopback_users = none",
                f"default_user = {self.user}", f"default_pass = {self.password}",
                "vm_memory_high_watermark.absolute = 512MB", "disk_free_limit.absolute = 50MB",
                *self._statistics_config(), "log.console = true", "log.console.level = info"]

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.kill()


class Holder:
    """An AMQP connection that takes one message and keeps it unacknowledged until it is closed."""

    def __init__(self, broker, queue, vhost):
        self._broker, self._queue, self._vhost = broker, queue, vhost

    def __enter__(self):
        who = f"\0{self._broker.user}\0{self._broker.password}".encode()
        self._socket = socket.create_connection(("127.0.0.1", self._broker.port), timeout=10)
        self._stream = self._socket.makefile("rwb")
        self._stream.write(b"AMQP\0\0\x09\x01")
        self._expect(10, 10)
        self._send(0, 10, 11, struct.pack(">I", 0) + _short("PLAIN") + struct.pack(">I", len(who)) + who + _short("C"))
        self._expect(10, 30)
        self._send(0, 10, 31, struct.pack(">HIH", 1, 131072, 0))
        self._send(0, 10, 40, _short(self._vhost) + b"\0\0")
        self._expect(10, 41)
        self._send(1, 20, 10, b"\0")
        self._expect(20, 11)
        self._send(1, 60, 70, b"\0\0" + _short(self._queue) + b"\0")
        self._expect(60, 71)
        return self

    def __exit__(self, *_):
        self._stream.close()
        self._socket.close()

    def _send(self, channel, group, method, arguments):
        payload = struct.pack(">HH", group, method) + arguments
        self._stream.write(struct.pack(">BHI", 1, channel, len(payload)) + payload + b"\xce")

    def _expect(self, group, method):
        self._stream.flush()
        _, _, size = struct.unpack(">BHI", self._stream.read(7))
        payload = self._stream.read(size + 1)
        if struct.unpack(">HH", payload[:4]) != (group, method):
            raise RuntimeError(f"not method {group}.{method} but {payload[:200]!r}")


def _short(text):
    data = text.encode()
    return bytes([len(data)]) + data


def quoted(text):
    return urllib.parse.quote(text, safe="")


def _succeeds(argv, environment):
    return subprocess.run(argv, env={**os.environ, **environment}, stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=10).returncode == 0
