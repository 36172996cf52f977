"""The faults of each backend and their times: pure, and the same for the same seed."""
import random
from dataclasses import dataclass

BACKENDS = ("redis", "prometheus", "broker")
# What the relay in front of a backend does; what is done to its process; to its credentials; to Weir itself.
RELAYED = ("cut", "mute", "slow", "late", "garbage", "broken_off")
OF_PROCESS = ("stopped", "killed")
KINDS = {
    "redis": (*RELAYED, *OF_PROCESS, "password"),
    "prometheus": (*RELAYED, *OF_PROCESS),
    "broker": (*RELAYED, *OF_PROCESS, "password"),
    "weir": ("reloaded", "clock"),
    "certificates": ("serving_pair",),
}
# Those of states_history_test.py: states of a backend that look like health.
STATE_BACKENDS = ("failover", "sentinel", "cluster", "given_up", "crashing", "partial")
KINDS |= {
    "failover": ("failover", "replica", "fresh", "orphaned", "cut", "late"),
    "sentinel": ("failover", "killed", "killed_and_back", "sentinel_stopped", "connections_cut"),
    "cluster": ("failover", "stopped", "stopped_briefly", "other_stopped", "killed", "moved", "connections_cut", "late"),
    "given_up": ("given_up", "slow", "cut"),
    "crashing": ("crashed", "late"),
    "partial": ("slow", "mute"),
    "pauses": ("paused",),
}
LEAST_SECONDS, MOST_SECONDS = 0.3, 2.5
MOST_OF_KIND = {"paused": 5.0}
REST_SECONDS = 3.5  # at most, between two faults of a backend
BROKER_KILLS = 1  # it takes ten seconds to come back


@dataclass(frozen=True)
class Step:
    """`kind` of fault lasts `seconds`, starting `rest` seconds after the end of the last one."""
    kind: str
    rest: float
    seconds: float
    number: int  # a whole number for whatever the fault leaves open


def steps(seed, backend, count):
    """The first `count` faults of `backend`: in each round every kind once, in an order of chance."""
    chance = random.Random(f"{seed} {backend}")
    kinds, out, kills = KINDS[backend], [], 0
    while len(out) < count:
        for kind in chance.sample(kinds, len(kinds)):
            rest, most = chance.uniform(0.2, REST_SECONDS), MOST_OF_KIND.get(kind, MOST_SECONDS)
            step = Step(kind, rest, chance.uniform(LEAST_SECONDS, most), chance.randrange(1 << 30))
            if backend == "broker" and kind == "killed":
                kills += 1
                if kills > BROKER_KILLS:
                    continue
            out.append(step)
    return out[:count]
