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

    freshness_seconds: of the values, where queries are compared with it: each path is a query of its own. seconds: of
    a round, 0 for the default. is_uncached: each read must query a backend.
    """
    name: str
    paths: list = field(repr=False)
    connections: int = 16
    rate: float = 0
    reconnects: bool = False
    is_for_peers: bool = False
    freshness_seconds: float = 0
    seconds: float = 0
    is_uncached: bool = False


def keyed(metric, count):
    return [metric_path(NAMESPACE, metric, f"key=k{number}") for number in range(count)]


def mixes():
    return [
        Mix("one hot key", [metric_path(NAMESPACE, "cached")], is_for_peers=True),
        Mix("1,000 keys", keyed("cached_list", 1_000)),
        Mix("10,000 keys", keyed("cached_list", 10_000)),
        Mix("uncached: redis", keyed("uncached_list", 1_000), is_uncached=True),
        Mix("uncached: rabbitmq", keyed("uncached_queue", QUEUES), is_uncached=True),
        Mix("uncached: prometheus", keyed("uncached_query", QUEUES), is_uncached=True),
        Mix("discovery", [GROUP]),
        Mix("new connection", [metric_path(NAMESPACE, "cached")], connections=4, reconnects=True),
        Mix("100,000 HPAs", keyed("emulated", DISTINCT), connections=25, rate=EMULATED_RATE,
            freshness_seconds=EMULATED_FRESHNESS_SECONDS, seconds=4 * EMULATED_FRESHNESS_SECONDS),
    ]


def configuration(redis, broker, prometheus, login):
    """Weir's configuration for all mixes. `login`: the files with RabbitMQ's user and password."""
    def metric_entry(name, freshness, block, **settings):
        return {"name": name, "namespaces": [NAMESPACE], "freshness": freshness, **block, **settings}

    by_key = {"labels": {"key": "k[0-9]+"}}
    a_list = {"redis": {"backend": "cache", "key": "$(key)", "kind": "list"}}
    return {
        "backends": {"cache": {"redis": {"url": redis.url}}, "prom": {"prometheus": {"url": prometheus.url}},
                     "broker": {"rabbitmq": {"url": broker.url, **{key: {"file": file} for key, file in login.items()}}}},
        "metrics": [
            metric_entry("cached", "1h", {"redis": {"backend": "cache", "key": "k0"}}),
            metric_entry("cached_list", "1h", a_list, **by_key),
            metric_entry("uncached_list", "1ms", a_list, **by_key),
            metric_entry("uncached_queue", "1ms", {"rabbitmq": {"backend": "broker", "queue": "$(key)"}}, **by_key),
            metric_entry("uncached_query", "1ms", {"prometheus": {
                "backend": "prom", "query": 'label_replace(vector(42), "k", "$(key)", "", "")'}}, **by_key),
            metric_entry("emulated", f"{EMULATED_FRESHNESS_SECONDS}s", a_list, **by_key),
        ]}
