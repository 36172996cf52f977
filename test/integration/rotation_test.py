"""Credentials that rotate while RabbitMQ and Redis are read: no failed read, and a wrong secret shows at once."""
import json
import tempfile
import time
import unittest
from pathlib import Path

from support import (MountedSecret, RabbitMQ, Redis, RedisCluster, Sentinel, ServerTest, Weir, metric_path, scaled,
                     shared_certificates)
from support.rotation import ContinuousReads, gauge, log_of

FOLLOWED = 10  # seconds, within which a changed secret is in use
OVERLAP = scaled(4)  # seconds, for which the old login is still valid; 15 and more with WEIR_SCALE=4
EXPLAIN = metric_path("ml-inference", "jobs") + "/explain"


def setUpModule():
    global broker
    folder = Path(unittest.enterModuleContext(tempfile.TemporaryDirectory(prefix="weir-test-")))
    broker = unittest.enterModuleContext(RabbitMQ(folder / "rabbitmq"))
    broker.filled("jobs", 3)


def users_connected():
    return [connection.get("user") for connection in broker.connections()]


class RotationTest(ServerTest):
    def setUp(self):
        self.place = self.folder()

    def weir(self, kind, backend, metric):
        return self.start_in_test(Weir(self.place / "weir", json.dumps({
            "backends": {"store": {kind: backend}},
            "metrics": [{"name": "jobs", "namespaces": ["ml-inference"], "freshness": "1ms",
                         kind: {"backend": "store", **metric}}]})))

    def assert_reads(self, reads, at_least=100):
        self.assertEqual([], reads.failures[:3])
        self.assertGreater(reads.count, at_least)

    def explained(self, weir):
        return weir.get(EXPLAIN, {"X-Remote-User": "alice"}).json()["backend"]

    def assert_refusal_shows(self, weir, change, read=None):
        """`change` makes the secret wrong: a warning within 10 s in the log, in /metrics and in explain.

        Over HTTP it is a `read` that shows it.
        """
        before = log_of(weir).count(" backend_credentials_refused ")
        began = time.monotonic()
        change()
        if read:
            self.assertEqual(503, read("ml-inference", "jobs").status)
        self.wait_for(lambda: log_of(weir).count(" backend_credentials_refused ") > before, FOLLOWED)
        self.wait_for(lambda: gauge(weir, "weir_backend_credentials_refused", backend="store") == 1, 2)
        self.assertLess(time.monotonic() - began, FOLLOWED)
        self.assertIn('backend="store"', log_of(weir).partition(" backend_credentials_refused ")[2].splitlines()[0])
        self.assertIn("credentials are refused", self.explained(weir)["credentialsRefused"])

    def assert_accepted(self, weir, change):
        change()
        self.wait_for(lambda: gauge(weir, "weir_backend_credentials_refused", backend="store") == 0, FOLLOWED)
        self.assertIsNone(self.explained(weir)["credentialsRefused"])
        self.wait_for(lambda: " backend_credentials_accepted " in log_of(weir))


class RabbitMqTest(RotationTest):
    def test_a_new_user_is_used_before_the_old_one_is_deleted(self):
        broker.add_user("blue", "blue-password", vhost="/")
        broker.add_user("green", "green-password", vhost="/")
        secret = MountedSecret(self.place / "secret", username="blue", password="blue-password")
        weir = self.weir("rabbitmq", {"url": broker.url, "username": secret.file("username"),
                                      "password": secret.file("password")}, {"queue": "jobs"})
        with ContinuousReads(weir, "jobs") as reads:
            self.wait_for(lambda: "blue" in users_connected(), FOLLOWED)
            rotated = time.monotonic()
            secret.replace(username="green", password="green-password")
            self.wait_for(lambda: "green" in users_connected() and "blue" not in users_connected(), FOLLOWED)
            self.wait_for(lambda: time.monotonic() - rotated > OVERLAP, OVERLAP + 1)
            broker.call("DELETE", "/api/users/blue")
            deleted_at = reads.count
            self.wait_for(lambda: reads.count > deleted_at + 100, 30)
        self.assert_reads(reads)

    def test_a_wrong_password_shows_while_the_old_connection_serves_until_the_broker_ends_it(self):
        broker.add_user("red", "red-password", vhost="/")
        secret = MountedSecret(self.place / "secret", username="red", password="red-password")
        weir = self.weir("rabbitmq", {"url": broker.url, "username": secret.file("username"),
                                      "password": secret.file("password")}, {"queue": "jobs"})
        with ContinuousReads(weir, "jobs") as reads:
            self.wait_for(lambda: "red" in users_connected(), FOLLOWED)
            self.assert_refusal_shows(weir, lambda: secret.replace(password="wrong"))
            wrong_since = reads.count
            self.wait_for(lambda: reads.count > wrong_since + 50, 30)
            self.assert_accepted(weir, lambda: secret.replace(password="red-password"))
        self.assert_reads(reads)
        self.assertNotIn("wrong", log_of(weir))

        self.assert_refusal_shows(weir, lambda: secret.replace(password="wrong again"))
        broker.call("DELETE", "/api/users/red")
        self.wait_for(lambda: weir.metric("ml-inference", "jobs").status == 503, FOLLOWED)
        self.assert_status(weir.metric("ml-inference", "jobs"), 503, "ServiceUnavailable",
                           "metric ml-inference/jobs: rabbitmq store: the credentials are refused")

    def test_the_management_api_gets_the_login_of_the_files_with_each_query(self):
        for name in ("day", "night"):
            broker.add_user(name, f"{name}-password", vhost="/", tags="monitoring")
        secret = MountedSecret(self.place / "secret", username="day", password="day-password")
        weir = self.weir("rabbitmq", {"url": broker.management_url, "username": secret.file("username"),
                                      "password": secret.file("password")}, {"queue": "jobs"})
        with ContinuousReads(weir, "jobs") as reads:
            self.wait_for(lambda: reads.count > 10, FOLLOWED)
            secret.replace(username="night", password="night-password")
            rotated_at = reads.count
            self.wait_for(lambda: reads.count > rotated_at + 3, FOLLOWED)
            broker.call("DELETE", "/api/users/day")
            deleted_at = reads.count
            self.wait_for(lambda: reads.count > deleted_at + 20, 30)
        self.assert_reads(reads, at_least=30)
        self.assert_refusal_shows(weir, lambda: secret.replace(password="wrong"), weir.metric)

    def test_a_url_in_a_file_rotates_as_a_whole(self):
        broker.add_user("a:b", "p@ss/w%rd", vhost="/")
        broker.add_user("next", "next-password", vhost="/")
        broker.add_vhost("other")
        broker.filled("jobs", 7, vhost="other")
        broker.add_user("third", "third-password", vhost="other")
        host = broker.url.removeprefix("amqp://")
        secret = MountedSecret(self.place / "secret", uri=f"amqp://a%3Ab:p%40ss%2Fw%25rd@{host}/%2F\n")
        weir = self.weir("rabbitmq", {"url": secret.file("uri")}, {"queue": "jobs"})
        with ContinuousReads(weir, "jobs") as reads:
            self.wait_for(lambda: "a:b" in users_connected(), FOLLOWED)
            secret.replace(uri=f"amqp://next:next-password@{host}/%2F")
            self.wait_for(lambda: "next" in users_connected() and "a:b" not in users_connected(), FOLLOWED)
            # Another vhost is another backend: the configuration is loaded again.
            secret.replace(uri=f"amqp://third:third-password@{host}/other")
            self.wait_for(lambda: weir.metric("ml-inference", "jobs").json()["items"][0]["value"] == "7", FOLLOWED)
        self.assert_reads(reads)
        for word in ("p@ss/w%rd", "p%40ss", "next-password", "third-password"):
            self.assertNotIn(word, log_of(weir))


class CertificateTest(RotationTest):
    def test_a_client_certificate_rotates_beside_an_http_backend_with_the_same_files(self):
        """RabbitMQ takes the common name for the user; each connection over HTTP looks at the files, too."""
        certificates = shared_certificates()
        pairs = {}
        for name in ("cert-blue", "cert-green"):
            crt, key = certificates.issue(name, "client-ca", f"/CN={name}")
            pairs[name] = {"tls.crt": crt.read_text(), "tls.key": key.read_text()}
        broker = self.start_in_test(RabbitMQ(self.place / "rabbitmq", tls=certificates))
        broker.filled("jobs", 3)
        for name in pairs:
            broker.add_user(name, f"{name}-password", vhost="/")
        secret = MountedSecret(self.place / "secret", **pairs["cert-blue"], username=broker.user, password=broker.password)
        tls = {"ca": str(certificates.crt("ca")), "certificate": secret.file("tls.crt")["file"], "key": secret.file("tls.key")["file"]}
        login = {name: secret.file(name) for name in ("username", "password")}
        weir = self.start_in_test(Weir(self.place / "weir", json.dumps({
            "backends": {"store": {"rabbitmq": {"url": broker.tls_url, "tls": tls}},
                         "api": {"rabbitmq": {"url": broker.tls_management_url, "tls": tls, **login}}},
            "metrics": [{"name": name, "namespaces": ["ml-inference"], "freshness": "1ms",
                         "rabbitmq": {"backend": backend, "queue": "jobs"}}
                        for name, backend in (("jobs", "store"), ("listed", "api"))]})))

        def users():
            return {connection.get("user") for connection in broker.connections()}
        for name in ("jobs", "listed"):
            self.wait_for(lambda name=name: weir.metric("ml-inference", name).status == 200)
        with ContinuousReads(weir, "listed") as listed, ContinuousReads(weir, "jobs") as reads:
            self.wait_for(lambda: users() == {"cert-blue"}, FOLLOWED)
            for name in ("cert-green", "cert-blue", "cert-green"):
                secret.replace(**pairs[name])
                self.wait_for(lambda name=name: users() == {name}, FOLLOWED)
        self.assert_reads(reads)
        self.assert_reads(listed, at_least=10)


class RedisTest(RotationTest):
    def server(self, **options):
        return self.start_in_test(Redis(self.place / "redis", users={"reader": "on >old ~* +@all"}, **options))

    def backend(self, redis):
        self.secret = MountedSecret(self.place / "secret", username="reader", password="old")
        return {"url": redis.url, "username": self.secret.file("username"), "password": self.secret.file("password")}

    def clients_of_reader(self, redis):
        return {line.split()[0] for line in redis.command("CLIENT", "LIST").splitlines() if "user=reader" in line}

    def rotate(self, redis, weir, change):
        """Two passwords, then the new one alone, with the connections of the user ended."""
        with ContinuousReads(weir, "jobs") as reads:
            old = self.wait_for(lambda: self.clients_of_reader(redis))
            redis.command("ACL", "SETUSER", "reader", ">new")
            rotated = time.monotonic()
            change()
            self.wait_for(lambda: (now := self.clients_of_reader(redis)) and not now & old, FOLLOWED)
            self.wait_for(lambda: time.monotonic() - rotated > OVERLAP, OVERLAP + 1)
            redis.command("ACL", "SETUSER", "reader", "<old")
            redis.command("CLIENT", "KILL", "USER", "reader")
            ended_at = reads.count
            self.wait_for(lambda: reads.count > ended_at + 100, 30)
        self.assert_reads(reads)

    def test_a_new_password_is_used_before_the_old_one_is_removed(self):
        redis = self.server()
        redis.command("RPUSH", "jobs", 1, 2, 3)
        weir = self.weir("redis", self.backend(redis), {"key": "jobs"})

        self.rotate(redis, weir, lambda: self.secret.replace(password="new"))

    def test_the_password_of_a_url_in_a_file_rotates(self):
        redis = self.server()
        redis.command("RPUSH", "jobs", 1, 2, 3)
        host = redis.url.removeprefix("redis://")
        self.secret = MountedSecret(self.place / "secret", uri=f"redis://reader:old@{host}/0")
        weir = self.weir("redis", {"url": self.secret.file("uri")}, {"key": "jobs"})

        self.rotate(redis, weir, lambda: self.secret.replace(uri=f"redis://reader:new@{host}/0"))
        self.assertNotIn("config_reloaded", log_of(weir))

    def test_a_wrong_password_shows_while_the_old_connection_serves(self):
        redis = self.server()
        weir = self.weir("redis", self.backend(redis), {"key": "jobs"})
        with ContinuousReads(weir, "jobs") as reads:
            self.wait_for(lambda: self.clients_of_reader(redis))
            self.assert_refusal_shows(weir, lambda: self.secret.replace(password="wrong"))
            self.assert_accepted(weir, lambda: self.secret.replace(password="old"))
        self.assert_reads(reads)

    def test_behind_sentinels_the_login_of_the_master_rotates(self):
        redis = self.server()
        redis.command("RPUSH", "jobs", 1, 2, 3)
        sentinel = self.start_in_test(Sentinel(self.place / "sentinel", "cache", redis.port))
        block = self.backend(redis)
        del block["url"]
        weir = self.weir("redis", {"sentinel": {"service": "cache", "nodes": [f"127.0.0.1:{sentinel.port}"]}, **block},
                         {"key": "jobs"})

        self.rotate(redis, weir, lambda: self.secret.replace(password="new"))

    def test_the_login_of_a_cluster_rotates(self):
        cluster = self.start_in_test(RedisCluster(self.place / "cluster"))
        for node in cluster.nodes:
            node.command("ACL", "SETUSER", "reader", "on", ">old", "~*", "+@all")
        redis = cluster.owner("jobs")
        cluster.fill("jobs", 3)
        block = self.backend(redis)
        del block["url"]
        weir = self.weir("redis", {"cluster": {"nodes": cluster.addresses()}, **block}, {"key": "jobs"})

        def change():
            for node in cluster.nodes:
                node.command("ACL", "SETUSER", "reader", ">new")
            self.secret.replace(password="new")
        self.rotate(redis, weir, change)

    def test_a_broken_ca_keeps_the_last_good_one_and_says_so(self):
        certificates = shared_certificates()
        redis = self.server(tls=certificates)
        authority = certificates.crt("ca").read_text()
        trust = MountedSecret(self.place / "trust", **{"ca.crt": authority})
        weir = self.weir("redis", {**self.backend(redis), "url": redis.tls_url, "tls": {"ca": trust.file("ca.crt")["file"]}},
                         {"key": "jobs"})
        path = trust.file("ca.crt")["file"]
        with ContinuousReads(weir, "jobs") as reads:
            self.wait_for(lambda: self.clients_of_reader(redis))
            trust.replace(**{"ca.crt": "no certificate"})
            self.wait_for(lambda: f"the CA bundle {path}: " in log_of(weir), FOLLOWED)
            self.assertEqual(1, gauge(weir, "weir_backend_files_unusable", backend="store"))
            self.assertIn(path, self.explained(weir)["fileProblem"])
            old = self.clients_of_reader(redis)
            redis.command("CLIENT", "KILL", "USER", "reader")
            self.wait_for(lambda: (now := self.clients_of_reader(redis)) and not now & old, FOLLOWED)
            trust.replace(**{"ca.crt": authority})
            self.wait_for(lambda: gauge(weir, "weir_backend_files_unusable", backend="store") == 0, FOLLOWED)
        self.assert_reads(reads)


if __name__ == "__main__":
    unittest.main()
