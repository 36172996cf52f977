"""Starts the demo's sources, each on a free loopback port with a folder of its own, and fills them.

exporter.py and queues.py define the data. Every stop is registered on the caller's ExitStack.
"""
import secrets
import sys
import time
from pathlib import Path

import exporter
import queues
from support import Process, Prometheus, RabbitMQ, Redis, Series, require, wait_until

HERE = Path(__file__).resolve().parent
TOOLS = [("prometheus", "prometheus"), ("rabbitmq-server", "rabbitmq-server"), ("epmd", "erlang-base"),
         ("redis-server", "redis-server")]

HISTORY_SECONDS = 360  # more than the longest rate window of weir.yaml.in, 5 minutes
SCRAPED_SECONDS = 40   # Prometheus scrapes for the first time after about 6 s
USER = "weir"          # the user of RabbitMQ and Redis, with permission to read only


def say(text=""):
    print(text, flush=True)


def tools():
    """One check a program that the sources need; each raises MissingTool."""
    return [lambda tool=tool, package=package: require(tool, package) for tool, package in TOOLS]


def start(stack, server, stop=None):
    """Starts `server`. Its stop is registered first: an interrupt in between must not leave an orphan."""
    stack.callback(stop or server.stop)
    return server.start()


def start_sources(stack, folder):
    """The placeholders of weir.yaml.in with their texts, and the time at which the exporter's counters stood at zero.

    Prometheus comes first: it scrapes while RabbitMQ, the slowest, boots.
    """
    since = time.time() - 3600
    prometheus = _start_prometheus(stack, folder, since)
    password = _write_secrets(folder / "secrets")
    redis = _start_redis(stack, folder, password)
    broker = _start_broker(stack, folder, password)
    _wait_for_scrapes(prometheus)
    return {"@PROMETHEUS@": prometheus.url, "@AMQP@": broker.url, "@MANAGEMENT@": broker.management_url,
            "@REDIS@": redis.url, "@SECRETS@": str(folder / "secrets")}, since


def _write_secrets(folder):
    """Writes the files that weir.yaml.in names; the password of this run."""
    password = secrets.token_hex(16)
    folder.mkdir()
    (folder / "username").write_text(USER)
    (folder / "password").write_text(password)
    return password


def _start_prometheus(stack, folder, since):
    port = _start_exporter(stack, folder, since)
    target = f"127.0.0.1:{port}"
    say(f"exporter    http://{target}/metrics")
    prometheus = start(stack, Prometheus(folder / "prometheus", scrape={"demo": [target]}))
    _write_history(prometheus, target, since)
    say(f"prometheus  {prometheus.url}   scrapes the exporter every second; has its last {HISTORY_SECONDS // 60} "
        "minutes already (remote\n            write), so that 5-minute windows are full")
    return prometheus


def _start_exporter(stack, folder, since):
    """The port of a running exporter."""
    port_file = folder / "exporter.port"
    argv = [sys.executable, HERE / "exporter.py", "--port-file", port_file, "--since", since]
    process = start(stack, Process("exporter", argv, folder / "exporter.log"))
    process.wait_ready(port_file.exists)
    return int(port_file.read_text())


def _write_history(prometheus, target, since):
    """Gives Prometheus the exporter's past, one sample a second, as if it had scraped all along."""
    points, now = {}, time.time()
    for at in (now - age for age in range(HISTORY_SECONDS, 0, -1)):
        for family in exporter.families(at, since):
            for sample in family.samples:
                labels = {"__name__": sample.name, "instance": target, "job": "demo", **sample.labels}
                points.setdefault(tuple(sorted(labels.items())), []).append((at, float(sample.value)))
    prometheus.remote_write([Series(dict(labels), samples) for labels, samples in points.items()])


def _wait_for_scrapes(prometheus):
    """Waits for two scrapes, so that the demo reads live data and not only the history."""
    def scraped():
        return any(count >= 2 for _, count in prometheus.query('count_over_time(up{job="demo"}[1m])'))
    wait_until(scraped, "Prometheus has scraped the exporter twice", SCRAPED_SECONDS, interval=0.2)


def _start_redis(stack, folder, password):
    # LLEN is the query; TYPE returns the type of a key with another type; ROLE confirms a 0, in a transaction.
    redis = start(stack, Redis(folder / "redis", users={USER: f"on >{password} ~cities* +ping +llen +type +role +multi +exec"}))
    queues.fill_redis(redis)
    say(f"redis       {redis.url}   has {queues.CITIES} {queues.CITIES_KEY}")
    return redis


def _start_broker(stack, folder, password):
    """A running broker with its queues filled, and one unacknowledged message."""
    say("rabbitmq    starting, while Prometheus scrapes (about 10 s) ...")
    broker = RabbitMQ(folder / "rabbitmq")
    start(stack, broker, broker.kill)  # its data goes away: it need not flush them
    broker.add_user(USER, password, queues.VHOST, tags="management")
    queues.fill_broker(broker)
    stack.enter_context(broker.holding(queues.IN_WORK, queues.VHOST))
    queues.wait_for_totals(broker)
    say(f"            {broker.url}, management {broker.management_url}   has {sum(queues.MESSAGES.values())} "
        f"messages in {len(queues.MESSAGES)} queues.\n            A worker has one of {queues.IN_WORK} and has not "
        "acknowledged it: AMQP counts only the others")
    say(f"            Weir uses RabbitMQ and Redis as the user {USER}; the password is in {folder / 'secrets' / 'password'}")
    return broker
