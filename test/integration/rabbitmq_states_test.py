"""States of a real RabbitMQ whose listings do not have the messages of a queue: given up, crashed, behind a proxy."""
import json
import socket
import tempfile
import unittest
from pathlib import Path

from support import NotReady, Process, RabbitMQ, ServerTest, Weir, free_port, require

CRASHED = ('the broker lists queue "crash" without its messages; has its process crashed? a restart of its node brings them '
           "back")


def setUpModule():
    global broker
    folder = Path(unittest.enterModuleContext(tempfile.TemporaryDirectory(prefix="weir-test-")))
    broker = unittest.enterModuleContext(RabbitMQ(folder / "rabbitmq", statistics_seconds=1))
    for vhost in ("staging", "given-up"):
        broker.add_vhost(vhost)
    for name, count, vhost in (("jobs.a", 7, "/"), ("jobs", 7, "/"), ("jobs.b", 50, "staging"), ("jobs", 40, "staging"),
                               ("only-staging", 33, "staging"), ("jobs", 30, "given-up"), ("crash", 12, "/")):
        broker.filled(name, count, vhost)


class StatesTest(ServerTest):
    def weir(self, url, **blocks):
        folder = self.folder()
        login = {}
        for key, text in (("username", broker.user), ("password", broker.password)):
            (folder / key).write_text(text)
            login[key] = {"file": str(folder / key)}
        return self.start_in_test(Weir(folder / "weir", json.dumps({
            "backends": {"api": {"rabbitmq": {"url": url, **login}}},
            "metrics": [{"name": name, "namespaces": ["ml-inference"], "freshness": "1ms",
                         "rabbitmq": {"backend": "api", **block}} for name, block in blocks.items()]})))

    def assert_unavailable(self, weir, name, text):
        answer = weir.metric("ml-inference", name)
        self.assert_status(answer, 503, "ServiceUnavailable", f"metric ml-inference/{name}: rabbitmq api: {text}")

    def nginx(self, *location):
        """Its port: a reverse proxy in front of the management API."""
        require("nginx", "nginx-light")
        folder, port = self.folder(), free_port()
        (folder / "nginx.conf").write_text("\n".join([
            "daemon off; worker_processes 1; pid nginx.pid; error_log stderr; events {}",
            "http { access_log off;", *(f"{name}_temp_path {folder};" for name in ("client_body", "proxy", "fastcgi", "uwsgi",
                                                                                   "scgi")),
            f"server {{ listen 127.0.0.1:{port};", *location, "} }"]))
        process = Process("nginx", ["nginx", "-p", folder, "-c", folder / "nginx.conf"], folder / "nginx.log")
        self.addCleanup(process.stop)
        process.start_ready(lambda: self.is_open(port))
        return port

    def is_open(self, port):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    def test_report_4_a_proxy_that_decodes_the_path_shows_no_other_vhosts_numbers(self):
        blocks = {"of_staging": {"queue": "only-staging"}, "several": {"queueRegex": "jobs.*"}, "of_both": {"queue": "jobs"},
                  "missing_is_zero": {"queue": "only-staging", "missing": 0}}
        direct = self.weir(broker.management_url, **blocks)
        self.assert_values(direct.metric("ml-inference", "of_both"), "7")
        self.assert_values(direct.metric("ml-inference", "several"), "14")
        target = broker.management_url
        for location in (f"location /rabbitmq/ {{ proxy_pass {target}/; }}",
                         f"location /rabbitmq/ {{ rewrite ^/rabbitmq/(.*)$ /$1 break; proxy_pass {target}; }}"):
            weir = self.weir(f"http://127.0.0.1:{self.nginx(location)}/rabbitmq/", **blocks)
            for name in blocks:
                with self.subTest(location, name=name):
                    message = self.message_of(weir.metric("ml-inference", name))

                    self.assertRegex(message, r'^metric ml-inference/\w+: rabbitmq api: the response has queue "[a-z.-]+" of '
                                     r'vhost "[a-z-]+", not of vhost "/"; does a proxy in front of the management API decode '
                                     r"%2F in the path\?$")

    def test_report_5_a_vhost_that_was_given_up_has_no_empty_queues(self):
        weir = self.weir(broker.management_url + "/given-up", depth={"queue": "jobs"}, all={"queueRegex": ".*"},
                         rate={"queue": "jobs", "mode": "MessageRate"}, missing_is_zero={"queue": "jobs", "missing": 0})
        self.assert_values(weir.metric("ml-inference", "depth"), "30")

        broker.give_up("given-up")

        for name in ("depth", "all", "rate", "missing_is_zero"):
            with self.subTest(name):
                self.assertRegex(self.message_of(weir.metric("ml-inference", name)),
                                 r'^metric ml-inference/\w+: rabbitmq api: queue "jobs" is stopped( on node weir@localhost)?, so '
                                 r"its messages are not counted$")
        broker.restart_vhost("given-up")
        self.wait_for(lambda: weir.metric("ml-inference", "depth").status == 200, 20)
        self.assert_values(weir.metric("ml-inference", "depth"), "30")

    def test_report_6_a_queue_whose_process_crashed_is_neither_missing_nor_empty(self):
        weir = self.weir(broker.management_url, depth={"queue": "crash"}, missing_is_zero={"queue": "crash", "missing": 0},
                         several={"queueRegex": "crash|jobs"}, other={"queue": "jobs"},
                         rate={"queue": "crash", "mode": "MessageRate"}, rates={"queueRegex": "crash|jobs", "mode": "MessageRate"})
        self.assert_values(weir.metric("ml-inference", "several"), "19")

        broker.crash("crash")

        for name in ("depth", "missing_is_zero", "several", "rate", "rates"):
            with self.subTest(name):
                self.assert_unavailable(weir, name, CRASHED)
        self.assert_values(weir.metric("ml-inference", "other"), "7")
        broker.restart()
        self.wait_for(lambda: weir.metric("ml-inference", "depth").status == 200, 20)
        self.assert_values(weir.metric("ml-inference", "depth"), "12")
        self.assert_values(weir.metric("ml-inference", "several"), "19")

    def test_report_13_a_queue_whose_node_is_down_says_so(self):
        peer = RabbitMQ(self.folder() / "peer", statistics_seconds=1, peer=broker)
        self.addCleanup(lambda: broker.control("forget_cluster_node", peer.node))
        self.start_in_test(peer)
        peer.filled("far", 40)
        blocks = {"depth": {"queue": "far"}, "several": {"queueRegex": "far|jobs"}, "missing_is_zero": {"queue": "far", "missing": 0}}
        weir, amqp = self.weir(broker.management_url, **blocks), self.weir(broker.url, depth={"queue": "far"})
        self.assert_values(weir.metric("ml-inference", "depth"), "40")
        self.assert_values(amqp.metric("ml-inference", "depth"), "40")

        peer.kill()

        self.wait_for(lambda: weir.metric("ml-inference", "depth").status != 200, 30)
        for name in blocks:
            with self.subTest(name):
                self.assert_unavailable(weir, name, 'queue "far" is down on node peer@localhost, so its messages are not counted')
        self.assertRegex(self.message_of(amqp.metric("ml-inference", "depth")), "home node .* is down or inaccessible")

    def test_report_14_urls_of_keda_mean_the_same_or_say_what_to_write(self):
        self.assert_values(self.weir(broker.management_url + "//", depth={"queue": "jobs"}).metric("ml-inference", "depth"), "7")
        for path, text in (("/%2F/", "remove the slash after %2F"), ("/api/", "the url must not contain /api"),
                           ("/api/queues/%2F/jobs", "the url must not contain /api")):
            with self.subTest(path), self.assertRaisesRegex(NotReady, text):
                self.weir(broker.management_url + path, depth={"queue": "jobs"})


if __name__ == "__main__":
    unittest.main()
