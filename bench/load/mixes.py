"""The reads that each bench/load round puts on a server, by name."""
from dataclasses import dataclass, field

from support.weir import GROUP, metric_path

NAMESPACE = "bench"
DISTINCT = 1_000  # queries of the emulated HPAs
HPAS = 100_000
SYNC_SECONDS = 15
EMULATED_RATE = HPAS / SYNC_SECONDS
EMULATED_FRESHNESS_SECONDS = 5
QUEUES = 100  # k0 and on


@dataclass(frozen=True)
class Mix:
    """name: of the row. paths: read in turn. rate: reads a second, 0 for as many as there are answers.

    freshness_seconds: of their answers, where questions are held against it: each path is a question of its own. seconds: of
    a round, 0 for the usual ones. is_asked: each read is to be a question to a backend.
    """
    name: str
    paths: list = field(repr=False)
    connections: int = 16
    rate: float = 0
    reconnects: bool = False
    is_for_peers: bool = False
    freshness_seconds: float = 0
    seconds: float = 0
    is_asked: bool = False


def keyed(metric, count):
    return [metric_path(NAMESPACE, metric, f"key=k{number}") for number in range(count)]


def mixes():
    return [
        Mix("one hot key", [metric_path(NAMESPACE, "kept")], is_for_peers=True),
        Mix("1,000 keys", keyed("kept_list", 1_000)),
        Mix("10,000 keys", keyed("kept_list", 10_000)),
        Mix("asked: redis", keyed("asked_list", 1_000), is_asked=True),
        Mix("asked: rabbitmq", keyed("asked_queue", QUEUES), is_asked=True),
        Mix("asked: prometheus", keyed("asked_query", QUEUES), is_asked=True),
        Mix("discovery", [GROUP]),
        Mix("new connection", [metric_path(NAMESPACE, "kept")], connections=4, reconnects=True),
        Mix("100,000 HPAs", keyed("emulated", DISTINCT), connections=25, rate=EMULATED_RATE,
            freshness_seconds=EMULATED_FRESHNESS_SECONDS, seconds=4 * EMULATED_FRESHNESS_SECONDS),
    ]


def configuration(redis, broker, prometheus, login):
    """Weir's, for all mixes. `login`: the files with RabbitMQ's user and password."""
    def metric_entry(name, freshness, block, **more):
        return {"name": name, "namespaces": [NAMESPACE], "freshness": freshness, **block, **more}

    by_key = {"labels": {"key": "k[0-9]+"}}
    a_list = {"redis": {"backend": "cache", "key": "$(key)", "kind": "list"}}
    return {
        "backends": {"cache": {"redis": {"url": redis.url}}, "prom": {"prometheus": {"url": prometheus.url}},
                     "broker": {"rabbitmq": {"url": broker.url, **{key: {"file": file} for key, file in login.items()}}}},
        "metrics": [
            metric_entry("kept", "1h", {"redis": {"backend": "cache", "key": "k0"}}),
            metric_entry("kept_list", "1h", a_list, **by_key),
            metric_entry("asked_list", "1ms", a_list, **by_key),
            metric_entry("asked_queue", "1ms", {"rabbitmq": {"backend": "broker", "queue": "$(key)"}}, **by_key),
            metric_entry("asked_query", "1ms", {"prometheus": {"backend": "prom", "query": 'label_replace(vector(42), "k", "$(key)", "", "")'}},
                **by_key),
            metric_entry("emulated", f"{EMULATED_FRESHNESS_SECONDS}s", a_list, **by_key),
        ]}
