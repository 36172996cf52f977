"""Numbers from a real Redis: the value of each kind, errors with their texts, and the shared connection."""
import json
import time
import unittest

from support import Redis, ServerTest, Weir, shared_certificates

KEYS = ["RPUSH list a b c", "SADD set a b", "ZADD zset 1 a 2 b 3 c 4 d", "HSET hash f 1", "SET counter 42",
        "SET fraction 2.5", "SET power 1e3", "SET negative -3", "SET word forty-two", "SET nothing NaN", "SET hex 0x10",
        "SET huge 1e999", "XADD stream 1-1 f v", "XADD stream 2-1 f v", "XADD stream 3-1 f v",
        "XGROUP CREATE stream group 0", "XREADGROUP GROUP group one COUNT 1 STREAMS stream >",
        "XGROUP CREATE stream fresh 0", "XADD holed 1-1 f v", "XADD holed 2-1 f v", "XADD holed 3-1 f v",
        "XGROUP CREATE holed group 0", "XREADGROUP GROUP group one COUNT 1 STREAMS holed >", "XDEL holed 2-1",
        "XADD emptied 1-1 f v", "XDEL emptied 1-1", "RPUSH queue:eu 1 2 3 4 5", "RPUSH queue:us 1"]

# name, the metric's redis block, the quantity
VALUES = [
    ("a_list", {"key": "list"}, "3"),
    ("a_set", {"key": "set", "kind": "set"}, "2"),
    ("a_sorted_set", {"key": "zset", "kind": "sortedSet"}, "4"),
    ("a_hash", {"key": "hash", "kind": "hash"}, "1"),
    ("a_counter", {"key": "counter", "kind": "counter"}, "42"),
    ("a_counter_with_a_fraction", {"key": "fraction", "kind": "counter"}, "2500m"),
    ("a_counter_with_an_exponent", {"key": "power", "kind": "counter"}, "1k"),
    ("a_stream", {"key": "stream", "kind": "stream"}, "3"),
    ("an_emptied_stream", {"key": "emptied", "kind": "stream"}, "0"),
    ("pending_entries", {"key": "stream", "kind": "pending", "group": "group"}, "1"),
    ("no_pending_entries", {"key": "stream", "kind": "pending", "group": "fresh"}, "0"),
    ("lag", {"key": "stream", "kind": "lag", "group": "group"}, "2"),
    ("lag_of_a_group_that_read_nothing", {"key": "stream", "kind": "lag", "group": "fresh"}, "3"),
    ("another_database", {"key": "list", "backend": "third"}, "7"),
    ("a_missing_list", {"key": "no"}, "0"),
    ("a_missing_set", {"key": "no", "kind": "set"}, "0"),
    ("a_missing_sorted_set", {"key": "no", "kind": "sortedSet"}, "0"),
    ("a_missing_hash", {"key": "no", "kind": "hash"}, "0"),
    ("a_missing_stream_said_to_be_zero", {"key": "no", "kind": "stream", "missing": 0}, "0"),
    ("a_missing_counter_said_to_be_zero", {"key": "no", "kind": "counter", "missing": 0}, "0"),
    ("missing_pending_said_to_be_zero", {"key": "no", "kind": "pending", "group": "g", "missing": 0}, "0"),
    ("missing_lag_said_to_be_zero", {"key": "no", "kind": "lag", "group": "g", "missing": 0}, "0"),
    ("over_tls", {"key": "list", "backend": "tls"}, "3"),
    ("as_an_acl_user", {"key": "list", "backend": "acl"}, "3"),
]

GONE = 'key "no" does not exist; set missing: 0 if a missing key means zero'
NO_LAG = ('Redis does not know the lag of group "group" (entries were deleted, or its position was set by hand); use '
          'kind: pending or kind: stream')

# name, the metric's redis block, status, reason, text after "metric ml-inference/NAME: redis BACKEND: "
ERRORS = [
    ("missing_list", {"key": "no", "missing": "error"}, 404, "NotFound", GONE),
    ("missing_set", {"key": "no", "kind": "set", "missing": "error"}, 404, "NotFound", GONE),
    ("missing_stream", {"key": "no", "kind": "stream"}, 404, "NotFound", GONE),
    ("missing_counter", {"key": "no", "kind": "counter"}, 404, "NotFound", GONE),
    ("missing_pending", {"key": "no", "kind": "pending", "group": "g"}, 404, "NotFound", GONE),
    ("missing_lag", {"key": "no", "kind": "lag", "group": "g"}, 404, "NotFound", GONE),
    ("no_group_for_pending", {"key": "stream", "kind": "pending", "group": "g"}, 404, "NotFound",
     'stream "stream" has no consumer group "g"'),
    ("no_group_for_lag", {"key": "stream", "kind": "lag", "group": "g", "missing": 0}, 404, "NotFound",
     'stream "stream" has no consumer group "g"'),
    ("unknown_lag", {"key": "holed", "kind": "lag", "group": "group"}, 503, "ServiceUnavailable", NO_LAG),
    ("a_set_for_a_list", {"key": "set"}, 503, "ServiceUnavailable",
     'key "set" is a set, not a list; is kind right?'),
    ("a_list_for_a_stream", {"key": "list", "kind": "stream"}, 503, "ServiceUnavailable",
     'key "list" is a list, not a stream; is kind right?'),
    ("a_hash_for_a_counter", {"key": "hash", "kind": "counter"}, 503, "ServiceUnavailable",
     'key "hash" is a hash, not a string; is kind right?'),
    ("a_string_for_a_sorted_set", {"key": "word", "kind": "sortedSet"}, 503, "ServiceUnavailable",
     'key "word" is a string, not a zset; is kind right?'),
    ("a_zset_for_lag", {"key": "zset", "kind": "lag", "group": "g"}, 503, "ServiceUnavailable",
     'key "zset" is a zset, not a stream; is kind right?'),
    ("a_list_for_pending", {"key": "list", "kind": "pending", "group": "g"}, 503, "ServiceUnavailable",
     'key "list" is a list, not a stream; is kind right?'),
    ("a_word_for_a_counter", {"key": "word", "kind": "counter"}, 503, "ServiceUnavailable",
     'the counter "word" does not hold a number'),
    ("NaN_for_a_counter", {"key": "nothing", "kind": "counter"}, 503, "ServiceUnavailable",
     'the counter "nothing" does not hold a number'),
    ("hexadecimal", {"key": "hex", "kind": "counter"}, 503, "ServiceUnavailable",
     'the counter "hex" does not hold a number'),
    ("beyond_a_double", {"key": "huge", "kind": "counter"}, 503, "ServiceUnavailable",
     'the counter "huge" is outside the range of a 64-bit float'),
    ("a_negative_counter", {"key": "negative", "kind": "counter"}, 503, "ServiceUnavailable",
     "the value -3 is negative; an HPA would scale to maxReplicas on it; set negative: zero or "
     "negative: allow if it is meant"),
    ("a_wrong_password", {"key": "list", "backend": "wrong"}, 503, "ServiceUnavailable",
     "the credentials are refused: WRONGPASS invalid username-password pair or user is disabled."),
    ("a_command_not_permitted", {"key": "set", "kind": "set", "backend": "acl"}, 503, "ServiceUnavailable", None),
    ("a_key_not_permitted", {"key": "zset", "backend": "acl"}, 503, "ServiceUnavailable", None),
    ("a_missing_stream_without_TYPE", {"key": "no", "kind": "stream", "backend": "typeless"}, 503, "ServiceUnavailable",
     'checking whether key "no" is empty or missing failed (the check needs TYPE; or set missing: 0): the user has no '
     "permission for this command: NOPERM this user has no permissions to run the 'type' command"),
    ("a_database_that_is_not_there", {"key": "list", "backend": "far"}, 503, "ServiceUnavailable",
     "the server returned an error: ERR DB index is out of range"),
    ("nobody_listens", {"key": "list", "backend": "nobody"}, 503, "ServiceUnavailable", None),
]


def redis_metric(name, block, **settings):
    return {"name": name, "namespaces": ["ml-inference"], "freshness": "1ms", **settings,
            "redis": {"backend": "cache", **block}}


def config_of(backends, metrics):
    return json.dumps({"backends": {name: {"redis": block} for name, block in backends.items()}, "metrics": metrics})


def secret(folder, name, text):
    (folder / name).write_text(text)
    return {"file": str(folder / name)}


class RedisTest(ServerTest):
    @classmethod
    def setUpClass(cls):
        folder = cls.new_folder()
        certificates = shared_certificates()
        cls.redis = cls.start(Redis(folder / "redis", tls=certificates, users={
            "reader": "on >reader-pass ~list ~set +llen +ping",
            "typeless": "on >reader-pass ~* +xlen +ping"}))
        cls.redis.fill(*KEYS)
        cls.redis.fill("RPUSH list 1 2 3 4 5 6 7", database=3)
        user = secret(folder, "user", "reader")
        typeless = secret(folder, "typeless", "typeless")
        right, wrong = secret(folder, "right", "reader-pass"), secret(folder, "wrong", "not-the-pass")
        backends = {"cache": {"url": cls.redis.url}, "third": {"url": cls.redis.url + "/3"},
                    "far": {"url": cls.redis.url + "/99"}, "nobody": {"url": "redis://127.0.0.1:1"},
                    "acl": {"url": cls.redis.url, "username": user, "password": right},
                    "typeless": {"url": cls.redis.url, "username": typeless, "password": right},
                    "wrong": {"url": cls.redis.url, "username": user, "password": wrong},
                    "tls": {"url": cls.redis.tls_url, "tls": {"ca": str(certificates.crt("ca"))}}}
        metrics = [redis_metric(name, block) for name, block, *_ in VALUES + ERRORS]
        metrics += [redis_metric("by_region", {"key": "queue:$(region)"}, labels={"region": "[a-z]+"}),
                    redis_metric("by_group", {"key": "stream", "kind": "lag", "group": "$(group)"},
                                 labels={"group": "[a-z]+"})]
        cls.weir = cls.start(Weir(folder / "weir", config_of(backends, metrics)))

    def test_each_kind_of_key_has_its_number(self):
        for name, _, expected in VALUES:
            with self.subTest(name):
                self.assert_values(self.weir.metric("ml-inference", name), expected)

    def test_a_result_without_a_number_is_an_error_with_its_text(self):
        for name, block, status, reason, text in ERRORS:
            with self.subTest(name):
                start = f"metric ml-inference/{name}: redis {block.get('backend', 'cache')}: "

                answer = self.weir.metric("ml-inference", name)

                if text is None:
                    self.assertEqual((status, reason), (answer.status, answer.json()["reason"]))
                    self.assertTrue(self.message_of(answer).startswith(start), answer.text)
                else:
                    self.assert_status(answer, status, reason, start + text)

    def test_a_user_without_permission_is_an_error_with_the_text_of_redis(self):
        for name in ("a_command_not_permitted", "a_key_not_permitted"):
            with self.subTest(name):
                text = self.message_of(self.weir.metric("ml-inference", name))

                self.assertIn("redis acl: the user has no permission for this command: NOPERM", text)
                self.assertNotIn("reader-pass", text)

    def test_an_error_names_neither_the_password_nor_the_address(self):
        text = "".join(self.weir.metric("ml-inference", name).text for name, *_ in ERRORS)
        text += (self.weir.directory / "weir.log").read_text()

        self.assertNotIn("not-the-pass", text)
        self.assertNotIn("reader-pass", text)

    def test_a_label_selects_the_key_and_the_group(self):
        self.assert_values(self.weir.metric("ml-inference", "by_region", "region=eu"), "5")
        self.assert_values(self.weir.metric("ml-inference", "by_region", "region in (eu,us)"), "5", "1")
        self.assert_values(self.weir.metric("ml-inference", "by_region", "region=mars"), "0")
        self.assert_values(self.weir.metric("ml-inference", "by_group", "group=fresh"), "3")

    def test_a_label_that_does_not_match_its_pattern_sends_no_query(self):
        answer = self.weir.metric("ml-inference", "by_region", "region=EU")

        self.assert_status(answer, 400, "BadRequest",
                           'metric ml-inference/by_region: value "EU" of label region does not match the pattern '
                           '[a-z]+')


class RedisConnectionTest(ServerTest):
    """A Redis a test, because these count its connections or take it away."""

    def setUp(self):
        folder = self.folder()
        self.redis = self.start_in_test(Redis(folder / "redis"))
        self.redis.fill("RPUSH list a b c", "SET word x")
        metrics = [redis_metric(f"m{n}", {"key": f"list{n}"}) for n in range(40)]
        metrics += [redis_metric("list", {"key": "list"}), redis_metric("word", {"key": "word"})]
        self.weir = self.start_in_test(Weir(folder / "weir", config_of({"cache": {"url": self.redis.url}}, metrics)))

    def reads(self, name="list"):
        return self.weir.metric("ml-inference", name)

    def test_many_metrics_and_errors_share_one_connection(self):
        before = self.redis.connections_received()

        for n in range(40):
            self.assert_values(self.reads(f"m{n}"), "0")
        self.assertEqual(503, self.reads("word").status)
        self.assert_values(self.reads(), "3")

        self.assertEqual(1, self.redis.clients())
        self.assertLessEqual(self.redis.connections_received() - before, 3)  # two of them count and list

    def test_a_connection_that_redis_closed_is_opened_again_within_the_read(self):
        self.assert_values(self.reads(), "3")

        self.assertEqual(1, self.redis.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"))

        self.assert_values(self.reads(), "3")

    def test_a_stopped_redis_is_an_error_and_its_return_is_seen_within_two_seconds(self):
        self.assert_values(self.reads(), "3")

        self.redis.stop()
        error = self.wait_for(lambda: (response := self.reads()).status != 200 and response)
        self.redis.start()
        back = time.monotonic()
        answer = self.wait_for(lambda: (response := self.reads()).status == 200 and response)

        self.assertEqual((503, "ServiceUnavailable"), (error.status, error.json()["reason"]))
        self.assert_values(answer, "0")
        self.assertLess(time.monotonic() - back, 2)

    def test_a_silent_redis_is_a_timeout_within_the_deadline(self):
        self.assert_values(self.reads(), "3")
        self.redis.command("CLIENT", "PAUSE", "30000", "ALL")

        began = time.monotonic()
        answer = self.reads()

        self.assertEqual((504, "Timeout"), (answer.status, answer.json()["reason"]))
        self.assertLess(time.monotonic() - began, 3.5)


if __name__ == "__main__":
    unittest.main()
