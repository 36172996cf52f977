"""States of a real Redis in which an absent key, or a number, does not mean what it says."""
import json
import unittest

from support import Redis, ServerTest, Weir, free_port

GRANT = ("a missing key means zero only where ROLE shows that the server has its data; grant +role, +multi, +exec, or write role: "
         "unchecked on the backend")


class StatesTest(ServerTest):
    def weir(self, redis, metrics, **settings):
        return self.start_in_test(Weir(self.folder() / "weir", json.dumps({
            "backends": {"cache": {"redis": {"url": redis.url, **settings}}},
            "metrics": [{"name": name, "namespaces": ["ml-inference"], "freshness": "1ms",
                         "redis": {"backend": "cache", **block}} for name, block in metrics.items()]})))

    def read(self, weir, name):
        return weir.metric("ml-inference", name)

    def assert_unavailable(self, weir, name, pattern):
        answer = self.read(weir, name)
        self.assertEqual(503, answer.status, answer.text)
        self.assertRegex(self.message_of(answer), f"^metric ml-inference/{name}: redis cache: {pattern}$")

    def test_report_3_the_lag_of_a_trimmed_stream_is_what_is_left_to_read(self):
        redis = self.start_in_test(Redis(self.folder() / "redis"))
        weir = self.weir(redis, {"lag": {"key": "x", "kind": "lag", "group": "g1"}})
        redis.fill("XGROUP CREATE x g1 0 MKSTREAM", *(f"XADD x * n {n}" for n in range(5)),
                   "XREADGROUP GROUP g1 c COUNT 1 STREAMS x >")
        self.assert_values(self.read(weir, "lag"), "4")

        redis.fill("XTRIM x MAXLEN 1")
        self.assertIn(4, redis.command("XINFO", "GROUPS", "x")[0])  # what Redis 7.0 itself reports
        self.assert_values(self.read(weir, "lag"), "1")

        redis.fill("XREADGROUP GROUP g1 c COUNT 1 STREAMS x >")
        self.assertIn(3, redis.command("XINFO", "GROUPS", "x")[0])
        self.assert_values(self.read(weir, "lag"), "0")

        # In between nothing shows the true lag, 3, and Redis has been seen to be wrong about this group: no number.
        redis.fill(*(f"XADD x * n {n}" for n in range(9)), "XREADGROUP GROUP g1 c COUNT 6 STREAMS x >")
        self.assertIn(6, redis.command("XINFO", "GROUPS", "x")[0])
        self.assert_unavailable(weir, "lag", 'the lag that Redis reports for group "g1" has entries that were trimmed .*')
        entries = dict(zip(*[iter(redis.command("XINFO", "STREAM", "x"))] * 2))["entries-added"]
        delivered = redis.command("XINFO", "GROUPS", "x")[0][7]
        redis.command("XGROUP", "SETID", "x", "g1", delivered, "ENTRIESREAD", entries - 3)
        redis.fill("XREADGROUP GROUP g1 c COUNT 99 STREAMS x >")
        self.wait_for(lambda: self.read(weir, "lag").status == 200)  # the error is cached for a second
        self.assert_values(self.read(weir, "lag"), "0")
        redis.fill("XADD x * n 1")
        self.assert_values(self.read(weir, "lag"), "1")

    def test_report_8_a_replica_that_was_never_in_sync_has_no_zeros(self):
        replica = self.start_in_test(Redis(self.folder() / "replica", settings=[f"replicaof 127.0.0.1 {free_port()}"]))
        metrics = {"list": {"key": "jobs"}, "set": {"key": "jobs", "kind": "set"},
                   "stream_zero": {"key": "jobs", "kind": "stream", "missing": 0},
                   "counter_zero": {"key": "jobs", "kind": "counter", "missing": 0}}
        weir = self.weir(replica, metrics)
        for name in metrics:
            with self.subTest(name):
                self.assert_unavailable(weir, name, r"the server is a replica that is not in sync with its master \(ROLE: connect"
                                        r"(ing)?\), so a missing key shows nothing")
        unchecked = self.weir(replica, metrics, role="unchecked")
        self.assert_values(self.read(unchecked, "list"), "0")

        master = self.start_in_test(Redis(self.folder() / "master"))
        replica.command("REPLICAOF", "127.0.0.1", master.port)
        self.wait_for(lambda: self.read(weir, "list").status == 200, 20)
        self.assert_values(self.read(weir, "list"), "0")
        master.fill("RPUSH jobs 1 2 3")
        self.wait_for(lambda: replica.command("LLEN", "jobs") == 3)
        self.assert_values(self.read(weir, "list"), "3")

        # Without its master it keeps what it has, for ever; maxAge bounds how old that may be.
        aged = self.weir(replica, {"aged": {"key": "jobs", "maxAge": "1s"}, "list": {"key": "jobs"}})
        self.assert_values(self.read(aged, "aged"), "3")
        master.stop()
        self.wait_for(lambda: self.read(aged, "aged").status == 503, 20)
        self.assert_unavailable(aged, "aged", r"the server is a replica that lost its master \d+ s ago, and maxAge is 1 s")
        self.assert_values(self.read(aged, "list"), "3")

    def test_a_master_confirms_its_zeros(self):
        redis = self.start_in_test(Redis(self.folder() / "redis"))
        weir = self.weir(redis, {"list": {"key": "jobs"}, "pending": {"key": "x", "kind": "pending", "group": "g", "missing": 0},
                                 "stream": {"key": "x", "kind": "stream", "missing": 0}})
        for name in ("list", "pending", "stream"):
            self.assert_values(self.read(weir, name), "0")

    def test_a_user_without_role_reads_numbers_and_learns_what_to_grant(self):
        redis = self.start_in_test(Redis(self.folder() / "redis", users={"reader": "on >reader-pass ~* +llen +ping"}))
        login = {}
        for key, text in (("username", "reader"), ("password", "reader-pass")):
            path = self.folder() / key
            path.write_text(text)
            login[key] = {"file": str(path)}
        metrics = {"list": {"key": "jobs"}, "none": {"key": "none"}}
        weir = self.weir(redis, metrics, **login)
        redis.fill("RPUSH jobs 1 2 3")

        self.assert_values(self.read(weir, "list"), "3")
        self.assert_unavailable(weir, "none", GRANT.replace("+", r"\+") + ": NOPERM .*")
        self.assert_values(self.read(self.weir(redis, metrics, role="unchecked", **login), "none"), "0")

    def test_where_exec_is_missing_other_metrics_do_not_suffer(self):
        for name, options in (("renamed", {"settings": ['rename-command EXEC ""']}),
                              ("not permitted", {"users": {"default": "on nopass ~* &* +@all -exec"}})):
            with self.subTest(name):
                redis = self.start_in_test(Redis(self.folder() / "redis", **options))
                weir = self.weir(redis, {"list": {"key": "jobs"}, "none": {"key": "none"}})
                redis.fill("RPUSH jobs 1 2 3")
                for _ in range(3):
                    self.assert_unavailable(weir, "none", GRANT.replace("+", r"\+") + ": .*")
                    self.assert_values(self.read(weir, "list"), "3")


if __name__ == "__main__":
    unittest.main()
