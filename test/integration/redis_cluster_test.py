"""A real Redis cluster: each key is asked of the node that holds it, wherever that is now."""
import json
import signal
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from support import Redis, RedisCluster, RedisError, ServerTest, Weir, free_port, make_certificates, slot_of

FRONT = "metric ml-inference/jobs: redis cache: "
KEYS = [f"jobs-{name}" for name in ("a", "b", "c", "d", "e", "f")]


def has_unread(port):
    """Whether a connection to the port has bytes that the server has not read."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, _, state, queues = line.split()[:5]
        if local.endswith(f":{port:04X}") and state == "01" and int(queues.split(":")[1], 16) > 0:
            return True
    return False


class ClusterTest(ServerTest):
    def weir(self, nodes, policies=None, **settings):
        return self.start_in_test(Weir(self.folder() / "weir", json.dumps({
            "backends": {"cache": {"redis": {"cluster": {"nodes": nodes}, **settings}}},
            "metrics": [{"name": name, "namespaces": ["ml-inference"], "freshness": "1ms", "labels": {"queue": ".*"}, **(policies or {}),
                         "redis": {"backend": "cache", **block}}
                        for name, block in (("jobs", {"key": "jobs-$(queue)"}),
                                            ("lag", {"key": "stream-{jobs-$(queue)}", "kind": "lag", "group": "g"}))]})))

    def cluster(self, **options):
        return self.start_in_test(RedisCluster(self.folder() / "cluster", **options))

    def read(self, weir, key="jobs-a", metric="jobs"):
        return weir.metric("ml-inference", metric, f"queue={key.removeprefix('jobs-')}")

    def test_each_key_is_asked_of_its_node_also_by_one_node_of_many(self):
        cluster = self.cluster()
        self.assertEqual(3, len({id(cluster.owner(key)) for key in KEYS}))
        for length, key in enumerate(KEYS):
            if length:
                cluster.fill(key, length)
        for nodes in (cluster.addresses(), cluster.addresses()[1:2]):
            weir = self.weir(nodes)
            for _ in range(2):  # found, and then known
                for length, key in enumerate(KEYS):
                    self.assert_values(self.read(weir, key), str(length))

    def test_a_slot_that_is_being_moved_and_has_moved_is_followed(self):
        cluster = self.cluster()
        key, slot = "jobs-a", slot_of("jobs-a")
        source = cluster.owner(key)
        target = next(node for node in cluster.nodes if node is not source)
        cluster.fill(key, 3)
        source.fill("XGROUP CREATE stream-{jobs-a} g 0 MKSTREAM", "XADD stream-{jobs-a} * n 1")
        weir = self.weir(cluster.addresses())
        self.assert_values(self.read(weir), "3")
        self.assert_values(self.read(weir, metric="lag"), "1")

        target.command("CLUSTER", "SETSLOT", slot, "IMPORTING", cluster.id_of(source))
        source.command("CLUSTER", "SETSLOT", slot, "MIGRATING", cluster.id_of(target))
        self.assert_values(self.read(weir), "3")
        for name in (key, "stream-{jobs-a}"):
            source.command("MIGRATE", "127.0.0.1", target.port, name, 0, 5000)
        self.assert_values(self.read(weir), "3")  # by ASK
        self.assert_values(self.read(weir, metric="lag"), "1")
        for node in (target, source):
            node.command("CLUSTER", "SETSLOT", slot, "NODE", cluster.id_of(target))
        target.command("RPUSH", key, "more")
        self.assert_values(self.read(weir), "4")  # by MOVED

    def test_a_key_that_was_given_away_is_zero_only_where_it_went(self):
        cluster = self.cluster()
        key, slot = "jobs-a", slot_of("jobs-a")
        source = cluster.owner(key)
        target = next(node for node in cluster.nodes if node is not source)
        target.command("CLUSTER", "SETSLOT", slot, "IMPORTING", cluster.id_of(source))
        source.command("CLUSTER", "SETSLOT", slot, "MIGRATING", cluster.id_of(target))
        weir = self.weir(cluster.addresses())
        self.assert_values(self.read(weir), "0")  # the source has no such key and says ASK; MULTI and ROLE go there, too
        self.assertRegex(self.message_of(self.read(weir, metric="lag")), r'key "stream-\{jobs-a\}" does not exist')

    def test_a_promoted_replica_is_followed_and_a_dead_node_is_left(self):
        cluster = self.cluster(replicas=True)
        key = "jobs-a"
        master = cluster.owner(key)
        replica = cluster.replica_of(master)
        cluster.fill(key, 3)
        weir = self.weir(cluster.addresses()[:3])
        self.assert_values(self.read(weir), "3")

        replica.command("CLUSTER", "FAILOVER")
        self.wait_for(lambda: replica.command("ROLE")[0] == "master", 20)
        # The old master answers as before until the new one has told it, some milliseconds later.
        self.wait_for(lambda: master.command("ROLE")[0] == "slave", 2)
        replica.command("RPUSH", key, "more")
        self.wait_for(lambda: self.read(weir).status == 200, 2)
        self.assert_values(self.read(weir), "4")

        self.wait_for(lambda: master.command("ROLE")[0] == "slave" and master.command("ROLE")[3] == "connected", 20)
        replica.process.signal(signal.SIGKILL)
        replica.process.wait(5)
        self.assertEqual(503, self.read(weir).status)
        self.wait_for(lambda: master.command("ROLE")[0] == "master", 20)
        self.wait_for(lambda: self.read(weir).status == 200, 3)
        self.assert_values(self.read(weir), "4")

    def test_a_node_that_was_stopped_while_its_slots_went_to_another_is_not_believed(self):
        cluster = self.cluster(replicas=True)
        key = "jobs-a"
        master = cluster.owner(key)
        replica = cluster.replica_of(master)
        cluster.fill(key, 3)
        weir = self.weir(cluster.addresses()[:3])
        self.assert_values(self.read(weir), "3")
        self.assertEqual([3, 1], master.commands(["LLEN", key], ["WAIT", 1, 5000]))

        master.process.signal(signal.SIGSTOP)
        self.addCleanup(master.process.signal, signal.SIGCONT)
        self.wait_for(lambda: replica.command("ROLE")[0] == "master", 20)
        replica.command("RPUSH", key, "more")
        self.assert_values(self.read_slowly(weir, key, master), "4")

    def read_slowly(self, weir, key, stopped):
        """The response to a read that has waited for a stopped node, which then goes on."""
        with ThreadPoolExecutor() as pool:
            answer = pool.submit(self.read, weir, key)
            self.wait_for(lambda: has_unread(stopped.port), 2)
            asked_at = time.monotonic()
            self.wait_for(lambda: time.monotonic() - asked_at > 0.3)  # longer than a prompt reply takes
            stopped.process.signal(signal.SIGCONT)
            return answer.result()

    def test_a_doubtful_node_is_believed_by_the_word_of_the_others_alone(self):
        cluster = self.cluster(replicas=True, settings=["cluster-require-full-coverage no"])
        key = "jobs-a"
        master = cluster.owner(key)
        replica = cluster.replica_of(master)
        cluster.fill(key, 3)
        slow, cut = (self.weir(cluster.addresses()[:3]) for _ in range(2))
        for weir in (slow, cut):
            self.assert_values(self.read(weir), "3")
        self.assertEqual([3, 1], master.commands(["LLEN", key], ["WAIT", 1, 5000]))

        # It was slow, and is the holder all the same.
        master.process.suspend()
        self.addCleanup(master.process.resume)
        self.assert_values(self.read_slowly(slow, key, master), "3")

        # From now on the master hears nothing of the others, and believes that it is one for ever.
        for other in cluster.nodes:
            if other is not master:
                master.command("CLUSTER", "FORGET", cluster.id_of(other))
        replica.command("CLUSTER", "FAILOVER", "TAKEOVER")
        self.wait_for(lambda: cluster.holder(key, unasked=master) is replica, 10)
        replica.command("RPUSH", key, "more")
        master.process.suspend()
        self.assert_values(self.read_slowly(slow, key, master), "4")
        master.command("CLIENT", "KILL", "TYPE", "NORMAL")
        self.assert_values(self.read(cut), "4")
        self.assertEqual([3, "master"], [master.command("LLEN", key), master.command("ROLE")[0]])

    def test_a_slow_node_without_others_is_asked_again(self):
        cluster = self.cluster(masters=1)
        master, = cluster.nodes
        cluster.fill("jobs-a", 3)
        weir = self.weir(cluster.addresses())
        self.assert_values(self.read(weir), "3")
        master.process.suspend()
        self.addCleanup(master.process.resume)
        self.assert_values(self.read_slowly(weir, "jobs-a", master), "3")

    def test_a_server_without_cluster_support_is_not_believed(self):
        plain = self.start_in_test(Redis(self.folder() / "redis"))
        answer = self.read(self.weir([f"127.0.0.1:{plain.port}"]))
        self.assertEqual((503, f"{FRONT}the server is not a node of a cluster (cluster-enabled no); write url instead of cluster"),
                         (answer.status, self.message_of(answer)))

    def test_the_outage_of_a_node_ends_when_that_node_is_back(self):
        cluster = self.cluster()
        key = "jobs-a"
        owner = cluster.owner(key)
        other = next(name for name in KEYS if cluster.owner(name) is not owner)
        cluster.fill(key, 3)
        weir = self.weir(cluster.addresses(), policies={"settle": "20s"})
        self.assert_values(self.read(weir), "3")
        owner.stop()
        self.wait_for(lambda: self.read(weir).status == 503)
        self.read(weir, other)  # the first connection to its node is not the end of the outage
        owner.start()
        self.wait_for(lambda: "recovered" in self.message_of(self.read(weir)), 20)

    def test_a_dead_configured_node_is_passed_over(self):
        cluster = self.cluster()
        cluster.fill("jobs-a", 3)
        weir = self.weir([f"127.0.0.1:{free_port()}", *cluster.addresses()])
        self.assert_values(self.read(weir), "3")

    def test_an_address_that_cannot_be_reached_says_which_setting_announces_another(self):
        cluster = self.cluster(settings=[f"cluster-announce-port {free_port()}"])
        key = "jobs-a"
        other = next(node for node in cluster.nodes if node is not cluster.owner(key))
        weir = self.weir([f"127.0.0.1:{other.port}"])
        answer = self.read(weir)
        self.assertEqual(503, answer.status)
        self.assertRegex(self.message_of(answer), f"^{FRONT}the node that holds the key: cannot connect .*; if its address is one of "
                                                  r"another network \(NAT, containers\), set cluster-announce-ip on that server$")

    def test_a_cluster_over_tls(self):
        certificates = make_certificates(self.folder())
        pair = certificates.issue("node", "ca", "/CN=node")  # nodes verify each other, in both directions
        cluster = self.cluster(tls=certificates, settings=[
            "tls-cluster yes", *(f"tls-client-{what}-file {path.resolve()}" for what, path in zip(("cert", "key"), pair))])
        nodes = [f"127.0.0.1:{cluster.nodes[0].tls_port}"]
        trusting = self.weir(nodes, tls={"ca": str(certificates.crt("ca"))})
        for length, key in enumerate(KEYS[:3], 1):
            cluster.fill(key, length)
            self.assert_values(self.read(trusting, key), str(length))
        self.assertRegex(self.message_of(self.read(self.weir(nodes, tls={}))), f"^{FRONT}TLS failed: ")

    def test_a_cluster_that_is_down_is_an_error(self):
        lone = self.start_in_test(Redis(self.folder() / "redis", settings=["cluster-enabled yes", f"cluster-port {free_port()}"]))
        answer = self.read(self.weir([f"127.0.0.1:{lone.port}"]))
        self.assertEqual((503, f"{FRONT}the cluster is down: CLUSTERDOWN Hash slot not served"),
                         (answer.status, self.message_of(answer)))

    def test_a_node_that_has_lost_the_cluster_is_not_asked_again(self):
        cluster = self.cluster()
        key, slot = "jobs-a", slot_of("jobs-a")
        lost = cluster.owner(key)
        others = [node for node in cluster.nodes if node is not lost]
        cluster.fill(key, 3)
        weir = self.weir([f"127.0.0.1:{others[0].port}"])
        self.assert_values(self.read(weir), "3")
        # It has no slot any more, and hears of no other node that takes it.
        for node in others:
            lost.command("CLUSTER", "FORGET", cluster.id_of(node))
        lost.command("CLUSTER", "DELSLOTS", slot)
        others[0].command("CLUSTER", "DELSLOTS", slot)
        others[0].command("CLUSTER", "ADDSLOTS", slot)
        others[0].command("RPUSH", key, "a")

        self.wait_for(lambda: self.read(weir).status == 200, 10)

        self.assert_values(self.read(weir), "1")
        self.assertIn("CLUSTERDOWN", self.refusal_of(lost, key))

    def refusal_of(self, node, key):
        with self.assertRaises(RedisError) as refused:
            node.command("LLEN", key)
        return str(refused.exception)


if __name__ == "__main__":
    unittest.main()
