"""Redis behind real Sentinels: the master is asked, and a failover is followed without a wrong number."""
import json
import time
import unittest

from support import Redis, RedisSentinel, Sentinel, ServerTest, Weir, free_port, shared_certificates

SERVICE = "jobs-cache"
FRONT = "metric ml-inference/jobs: redis cache: "


class SentinelTest(ServerTest):
    def setUp(self):
        self.place = self.folder()
        self.master = self.start_in_test(Redis(self.place / "master"))

    def weir(self, sentinels, **settings):
        """One that reads the list jobs; `sentinels` are addresses, or a whole block."""
        block = sentinels if isinstance(sentinels, dict) else {
            "service": SERVICE, "nodes": sentinels}
        return self.start_in_test(Weir(self.folder() / "weir", json.dumps({
            "backends": {"cache": {"redis": {"sentinel": block, **settings}}},
            "metrics": [{"name": "jobs", "namespaces": ["ml-inference"], "freshness": "1ms",
                         "redis": {"backend": "cache", "key": "jobs"}}]})))

    def read(self, weir):
        return weir.metric("ml-inference", "jobs")

    def assert_error(self, weir, message):
        answer = self.read(weir)
        self.assertEqual((503, FRONT + message), (answer.status, self.message_of(answer)))

    def servers(self):
        """A master, a replica in sync, and three Sentinels."""
        return self.start_in_test(RedisSentinel(self.place / "servers", SERVICE))

    def lone(self, master_port, **options):
        """A Sentinel alone."""
        return self.start_in_test(Sentinel(self.place / "sentinel", SERVICE, master_port, **options))

    def assert_followed(self, weir, old, new):
        """From now on `new`, within two seconds; an error until then, and never `old`."""
        end = time.monotonic() + 2
        while (answer := self.read(weir)).status != 200:
            self.assertLess(time.monotonic(), end, answer.text)
        self.assertNotEqual(old, answer.json()["items"][0]["value"])
        self.assert_values(answer, new)

    def test_the_master_is_asked_and_a_failover_is_followed_though_the_old_master_lives(self):
        servers = self.servers()
        old = servers.master()
        old.command("RPUSH", "jobs", 1, 2, 3)
        weir = self.weir(servers.nodes)
        self.assert_values(self.read(weir), "3")

        for length in (4, 5):
            old = servers.master()
            new = servers.other(old)
            self.wait_for(lambda: new.command("LLEN", "jobs") == length - 1)
            self.wait_for(servers.fail_over, 30)
            self.wait_for(lambda: new.port in servers.named_ports(), 20)
            # The Sentinels make the old master a replica some seconds later; until then ROLE there says master.
            new.command("RPUSH", "jobs", "more")
            self.assert_followed(weir, str(length - 1), str(length))
            end = time.monotonic() + 30
            while old.role()[0] != "slave":
                self.assertLess(time.monotonic(), end)
                answer = self.read(weir)
                if answer.status == 200:  # the Sentinels may be without a common opinion
                    self.assert_values(answer, str(length))
            servers.wait_replicated()

    def test_a_killed_master_is_an_error_until_the_replica_is_promoted(self):
        servers = self.servers()
        old = servers.master()
        old.commands(["RPUSH", "jobs", 1, 2, 3], ["WAIT", 1, 5000])
        weir = self.weir(servers.nodes)
        self.assert_values(self.read(weir), "3")

        old.kill()
        self.assertEqual(503, self.read(weir).status)
        new = servers.wait_failed_over(old)
        new.command("RPUSH", "jobs", "more")
        self.assert_followed(weir, "3", "4")

    def test_a_minority_of_sentinels_is_not_believed(self):
        servers = self.servers()
        weir = self.weir(servers.nodes)
        self.assert_values(self.read(weir), "0")
        servers.sentinels[0].stop()
        self.wait_for(lambda: self.read(weir).status == 200)
        servers.sentinels[1].stop()
        self.wait_for(lambda: self.read(weir).status == 503)
        self.assertRegex(self.message_of(self.read(weir)), f"^{FRONT}1 of 3 Sentinels named the master, which is no majority: ")

    def test_a_replica_that_sentinels_name_does_not_count(self):
        replica = self.start_in_test(Redis(self.place / "replica", settings=[f"replicaof 127.0.0.1 {self.master.port}"]))
        lone = self.lone(replica.port)
        self.assert_error(self.weir([f"127.0.0.1:{lone.port}"]), "the server that the Sentinels name as the master is a replica (ROLE: slave); "
                                                  "is a failover in progress?")

    def test_an_address_that_cannot_be_reached_says_which_setting_announces_another(self):
        lone = self.lone(free_port())
        answer = self.read(self.weir([f"127.0.0.1:{lone.port}"]))
        self.assertEqual(503, answer.status)
        self.assertRegex(self.message_of(answer), f"^{FRONT}the master that the Sentinels name: cannot connect .*; if its address is "
                                                  r"one of another network \(NAT, containers\), set replica-announce-ip on that server$")

    def test_sentinels_and_master_are_verified_each_by_its_own_tls(self):
        certificates = shared_certificates()
        self.master = self.start_in_test(Redis(self.place / "tls", tls=certificates))
        lone = self.lone(self.master.tls_port, tls=certificates, settings=["tls-replication yes"])
        self.master.command("RPUSH", "jobs", 1, 2, 3)
        block = {"service": SERVICE, "nodes": [f"127.0.0.1:{lone.tls_port}"]}
        trusting = {"ca": str(certificates.crt("ca"))}

        self.assert_values(self.read(self.weir({**block, "tls": trusting}, tls=trusting)), "3")
        for name, weir, text in (("Sentinel", self.weir({**block, "tls": {}}, tls=trusting), "the Sentinel: TLS failed: "),
                                 ("master", self.weir({**block, "tls": trusting}, tls={}),
                                  "the master that the Sentinels name: TLS failed: ")):
            with self.subTest(name):
                self.assertRegex(self.message_of(self.read(weir)), f"^{FRONT}{text}")

    def test_what_is_wrong_with_the_settings_is_named(self):
        lone = self.lone(self.master.port, users={"default": "on >sekret-1 ~* &* +@all", "weak": "on >sekret-2 ~* &* +ping"})
        secrets = self.folder()
        for name, text in (("right", "sekret-1"), ("wrong", "sekret-3"), ("weak-user", "weak"), ("weak", "sekret-2")):
            (secrets / name).write_text(text)

        def block(service=SERVICE, **login):
            return {"service": service, "nodes": [f"127.0.0.1:{lone.port}"],
                    **{key: {"file": str(secrets / name)} for key, name in login.items()}}

        self.assert_values(self.read(self.weir(block(password="right"))), "0")
        for name, settings, message in (
                ("service", block("other", password="right"),
                 'the Sentinel: a Sentinel does not monitor "other"; is the name of the service right?'),
                ("no password", block(), "the Sentinel: the server requires a password: NOAUTH Authentication required."),
                ("password", block(password="wrong"),
                 "the Sentinel: the credentials are refused: WRONGPASS invalid username-password pair or user is disabled."),
                ("permission", block(username="weak-user", password="weak"),
                 "the Sentinel: the user may not ask the Sentinel; grant +sentinel|master and +sentinel|get-master-addr-by-name"),
                ("no Sentinel", {"service": SERVICE, "nodes": [f"127.0.0.1:{self.master.port}"]},
                 "the Sentinel: a node is not a Sentinel; write the addresses of the Sentinels, by default with port 26379")):
            with self.subTest(name):
                self.assert_error(self.weir(settings), message)


if __name__ == "__main__":
    unittest.main()
