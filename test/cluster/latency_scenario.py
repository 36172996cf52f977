"""How long a published message takes to become desiredReplicas, with the controller looking once a second."""
import math
import statistics
import time

from case import ClusterTest
from objects import external
from support import wait_until

MESSAGES = 50
SYNC_SECONDS = 1.0
LATE_SECONDS = 5.0  # two syncs, Weir's freshness, and a machine with other work


class LatencyScenario(ClusterTest):
    def test_fifty_messages_reach_desired_replicas(self):
        broker = self.cluster.broker
        broker.filled("latency", 1)
        self.addCleanup(broker.delete, "latency")
        # One message is one replica; without a tolerance so that the fiftieth counts too.
        self.scaled("latency", [external("queue_depth", 1, {"queue": "latency"})], most=MESSAGES + 1,
                    scale_up={"tolerance": "0"})
        self.wait_replicas("latency", 1)

        seconds = sorted(self.measured(count) for count in range(2, MESSAGES + 2))

        median, late = statistics.median(seconds), seconds[math.ceil(0.99 * MESSAGES) - 1]
        print(f"\n    published to desiredReplicas, {MESSAGES} messages, sync period {SYNC_SECONDS:g} s, freshness 500 ms: "
              f"median {median:.2f} s, p99 {late:.2f} s", flush=True)
        self.assertLess(late, LATE_SECONDS)

    def measured(self, count):
        """Seconds from publishing the message that makes it `count` to the HPA wanting as many replicas."""
        # The controller has just looked: spread the messages evenly over its period.
        time.sleep(SYNC_SECONDS * count / MESSAGES)
        self.cluster.broker.publish("latency")
        published = time.monotonic()
        wait_until(lambda: self.hpa_status("latency").get("desiredReplicas") == count, f"{count} replicas are wanted", 30,
                   0.01)
        return time.monotonic() - published
