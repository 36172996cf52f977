"""KEDA's test cases for Redis with Weir's results: equal where KEDA is right, an error where KEDA guesses."""
import json
import socket
import unittest

from support import Redis, ScriptedServer, ServerTest, Weir, run_weir

ITEMS = 400

# name, commands that make the state, the metric's settings, the quantity
VALUES = [
    ("54_a_missing_key_is_an_empty_list", [], {"key": "no"}, "0"),
    ("55_a_list", [["RPUSH", "k55l", *range(ITEMS)]], {"key": "k55l"}, "400"),
    ("55_a_sorted_set", [["ZADD", "k55z", *(n for index in range(ITEMS) for n in (index, index))]],
     {"key": "k55z", "kind": "sortedSet"}, "400"),
    ("55_a_set", [["SADD", "k55s", *range(ITEMS)]], {"key": "k55s", "kind": "set"}, "400"),
    ("55_a_hash", [["HSET", "k55h", *(n for index in range(ITEMS) for n in (index, index))]], {"key": "k55h", "kind": "hash"},
     "400"),
    ("57_a_stream_without_a_group", [["XADD", "k57", f"{n}-1", "f", "v"] for n in range(1, 101)],
     {"key": "k57", "kind": "stream"}, "100"),
    ("58_pending_entries", [["XADD", "k58", f"{n}-1", "f", "v"] for n in range(1, 21)]
     + [["XGROUP", "CREATE", "k58", "g", "0"], ["XREADGROUP", "GROUP", "g", "c", "COUNT", "17", "STREAMS", "k58", ">"]],
     {"key": "k58", "kind": "pending", "group": "g"}, "17"),
    ("60_lag", [["XGROUP", "CREATE", "k60", "g", "$", "MKSTREAM"]]
     + [["XADD", "k60", f"{n}-1", "f", "v"] for n in range(1, 12)], {"key": "k60", "kind": "lag", "group": "g"}, "11"),
    ("61_more_lag", [["XGROUP", "CREATE", "k61", "g", "$", "MKSTREAM"]]
     + [["XADD", "k61", f"{n}-1", "f", "v"] for n in range(1, 112)], {"key": "k61", "kind": "lag", "group": "g"}, "111"),
    ("63_a_missing_stream_is_0_where_that_is_said", [], {"key": "no", "kind": "lag", "group": "g", "missing": 0}, "0"),
]


def config_of(url, metrics, **settings):
    return json.dumps({"backends": {"cache": {"redis": {"url": url, **settings}}},
                       "metrics": [{"name": name, "namespaces": ["ml"], "redis": {"backend": "cache", **block}}
                                   for name, block in metrics.items()]})


class KedaRedisTest(ServerTest):
    @classmethod
    def setUpClass(cls):
        folder = cls.new_folder()
        redis = cls.start(Redis(folder / "redis"))
        for _, commands, _, _ in VALUES:
            for words in commands:
                redis.command(*words)
        metrics = {f"m{name}": block for name, _, block, _ in VALUES}
        metrics["m63"] = {"key": "no", "kind": "lag", "group": "g"}
        cls.weir = cls.start(Weir(folder / "weir", config_of(redis.url, metrics)))

    def test_63_a_missing_stream_is_an_error_by_default(self):
        self.assert_status(self.weir.metric("ml", "m63"), 404, "NotFound",
                           'metric ml/m63: redis cache: key "no" does not exist; set missing: 0 if a missing key means zero')


def value_case(name, expected):
    def test(self):
        self.assert_values(self.weir.metric("ml", f"m{name}"), expected)
    return test


for _name, _, _, _expected in VALUES:
    setattr(KedaRedisTest, f"test_{_name}", value_case(_name, _expected))


class KedaOldRedisTest(ServerTest):
    def test_64_a_redis_6_reports_no_lag_which_is_an_error(self):
        replies = {b"PING": b"+PONG\r\n", b"TYPE": b"+stream\r\n",
                   b"XINFO": b"*1\r\n*8\r\n$4\r\nname\r\n$1\r\ng\r\n$9\r\nconsumers\r\n:1\r\n$7\r\npending\r\n:0\r\n"
                             b"$17\r\nlast-delivered-id\r\n$3\r\n1-1\r\n"}

        def play(connection: socket.socket):
            while data := connection.recv(4096):
                connection.sendall(b"".join(reply * data.count(command) for command, reply in replies.items()))
        server = self.start_in_test(ScriptedServer(raw=play))
        weir = self.start_in_test(Weir(self.folder(), config_of(
            server.url.replace("http:", "redis:"), {"lag": {"key": "s", "kind": "lag", "group": "g"}})))

        self.assert_status(weir.metric("ml", "lag"), 503, "ServiceUnavailable",
                           "metric ml/lag: redis cache: the server reports no lag; lag needs Redis 7 or later")


class KedaRedisConfigurationTest(ServerTest):
    def test_87_tls_is_set_only_by_the_url(self):
        folder = self.folder()
        (folder / "weir.yaml").write_text(config_of(
            "redis://cache:6379", {"m": {"key": "k"}}, enableTLS=True, tls={"ca": "/etc/hostname"}))

        run = run_weir("check", folder / "weir.yaml")

        self.assertEqual(1, run.returncode)
        self.assertIn('unknown key "enableTLS" in a redis backend', run.stdout + run.stderr)
        self.assertIn("tls needs a url with rediss://", run.stdout + run.stderr)


if __name__ == "__main__":
    unittest.main()
