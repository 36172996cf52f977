"""Names of queues and vhosts with a meaning in a path: they are queried literally, or rejected."""
import json
import unittest

from support import ScriptedServer, ServerTest, Weir, run_weir

TOO_LONG = "queue and vhost names must not exceed 255 bytes"
DOTS = "a vhost named . or .. cannot be part of a url"

# name, the url's path, the vhost setting, the path that the broker is asked
VHOSTS = [
    ("the default one", "", None, "/api/queues/%2F"),
    ("/ encoded", "/%2F", None, "/api/queues/%2F"),
    ("in small letters", "/%2f", None, "/api/queues/%2F"),
    ("a setting is taken as it is", "", "%2f", "/api/queues/%252f"),
    ("dots up", "", "../../..", "/api/queues/..%2F..%2F.."),
    ("a query", "", "a?b#c", "/api/queues/a%3Fb%23c"),
    ("line ends", "", "a\r\nX-Injected: 1", "/api/queues/a%0D%0AX-Injected%3A%201"),
    ("255 bytes", "", "x" * 255, "/api/queues/" + "x" * 255),
]
QUEUES = ["jobs", "../../overview", "%2e%2e%2foverview", "..", ".", "a?b&name=.*#c", "a\r\nX-Injected: 1", "j\u00f6bs",
          ".*", "a|b", "x" * 255]


def play(turn):
    """The one queue that is asked for, with three messages."""
    name = turn.request.form["name"].removeprefix("^(?:\\Q").removesuffix("\\E)$")
    turn.answer(json.dumps({"page_count": 1, "items": [{"name": name, "messages": 3}]}))


class QueueNamesTest(ServerTest):
    def setUp(self):
        self.broker = self.start_in_test(ScriptedServer(play))
        self.path = self.folder()
        (self.path / "secret").write_text("guest")

    def backend(self, path="", vhost=None):
        file = {"file": str(self.path / "secret")}
        return {"rabbitmq": {"url": self.broker.url + path, "username": file, "password": file,
                             **({"vhost": vhost} if vhost else {})}}

    def metric(self, name, backend, queue, **settings):
        return {"name": name, "namespaces": ["ns"], "rabbitmq": {"backend": backend, "queue": queue}, **settings}

    def serve(self, backends, *metrics):
        return self.start_in_test(Weir(self.path / "weir", json.dumps({"backends": backends, "metrics": metrics})))

    def test_S21_a_vhost_is_one_segment_of_the_path(self):
        backends = {f"b{at}": self.backend(path, vhost) for at, (_, path, vhost, _) in enumerate(VHOSTS)}
        weir = self.serve(backends, *(self.metric(f"m{at}", f"b{at}", "jobs") for at in range(len(VHOSTS))))
        for at, (name, _, _, path) in enumerate(VHOSTS):
            with self.subTest(name):
                before = len(self.broker.requests)
                self.assert_values(weir.metric("ns", f"m{at}"), "3")

                self.assertEqual([path], [request.target.partition("?")[0] for request in self.broker.requests[before:]])

    def test_S21_a_queues_name_is_one_literal_value_of_the_query(self):
        weir = self.serve({"b": self.backend()}, *(self.metric(f"m{at}", "b", name) for at, name in enumerate(QUEUES)))
        for at, name in enumerate(QUEUES):
            with self.subTest(name):
                before = len(self.broker.requests)
                self.assert_values(weir.metric("ns", f"m{at}"), "3")

                request, = self.broker.requests[before:]
                self.assertEqual(f"^(?:\\Q{name}\\E)$", request.form["name"])
                self.assertRegex(request.target, r"^/api/queues/%2F\?[\w%.=&~,-]+$")
                self.assertNotIn("x-injected", request.headers)

    def test_S21_a_name_of_256_bytes_is_rejected_without_a_query(self):
        names = ["x" * 256, "\u00f6" * 128]
        weir = self.serve({"b": self.backend()}, *(self.metric(f"m{at}", "b", name) for at, name in enumerate(names)))
        for at in range(len(names)):
            self.assert_status(weir.metric("ns", f"m{at}"), 400, "BadRequest", f"metric ns/m{at}: rabbitmq b: {TOO_LONG}")
        for vhost, problem in (("x" * 256, TOO_LONG), ("..", DOTS), (".", DOTS)):
            with self.subTest(vhost):
                file = self.path / "weir.yaml"
                file.write_text(json.dumps({"backends": {"b": self.backend(vhost=vhost)}}))
                run = run_weir("check", file)

                self.assertEqual(1, run.returncode, run.stdout)
                self.assertIn(problem, run.stderr)
        self.assertEqual([], self.broker.requests)

    def test_S21_a_selector_with_such_a_name_is_rejected(self):
        weir = self.serve({"b": self.backend()}, self.metric("by_label", "b", "$(queue)", labels={"queue": ".*"}))
        for value in ("..", "../x", "a/b", "%2f", "a%2fb", "x" * 64, "?x", "#x", "a\r\nb"):
            with self.subTest(value):
                self.assertEqual(400, weir.metric("ns", "by_label", f"queue={value}").status)
        self.assertEqual([], self.broker.requests)


if __name__ == "__main__":
    unittest.main()
