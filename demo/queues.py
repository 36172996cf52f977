"""The queues and keys of the users' documents, with known lengths: the data of RabbitMQ and Redis in the demo.

demo/cases.py compares with the constants below.
"""
from support import NotReady, wait_until

VHOST = "/"

# Messages in each queue of the broker, all different.
MESSAGES = {"inference_requests": 125, "gpu_inference_requests": 34, "high_priority_requests": 27,
            "ml.summarize": 40, "ml.transcribe": 7, "ml.embed": 30}

# One message of this queue is unacknowledged, and therefore not ready.
IN_WORK = "ml.transcribe"
READY = {name: count - (name == IN_WORK) for name, count in MESSAGES.items()}

# The list that a pipeline fills and the workers empty, and a set.
CITIES_KEY, CITIES = "cities", 230
SEEN_KEY = "cities:seen"


def fill_broker(broker):
    """Declares and fills the queues. The caller holds the message IN_WORK, as a worker would."""
    for name, count in MESSAGES.items():
        broker.filled(name, count, VHOST)


def wait_for_totals(broker):
    """Returns when the management API's totals, which follow the queues within half a second, are theirs."""
    expected = {name: (count, READY[name]) for name, count in MESSAGES.items()}
    counts_by_queue = {}

    def has_followed():
        counts_by_queue.clear()
        for queue in broker.call("GET", "/api/queues?disable_stats=true&enable_queue_totals=true"):
            counts_by_queue[queue["name"]] = (queue.get("messages"), queue.get("messages_ready"))
        return counts_by_queue == expected
    try:
        wait_until(has_followed, "RabbitMQ's totals follow its queues", 15)
    except NotReady as error:
        raise NotReady(f"{error}; as (messages, ready) they show\n    {counts_by_queue}, not\n    {expected}") from None


def fill_redis(redis):
    redis.command("RPUSH", CITIES_KEY, *(f"city-{number}" for number in range(CITIES)))
    redis.command("SADD", SEEN_KEY, "Paris", "Lyon")
