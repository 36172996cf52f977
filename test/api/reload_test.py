"""A configuration that changes while Weir serves: a valid configuration is loaded, an invalid one is not, and no read is lost."""
import json
import shutil
import threading
import unittest

from support import GROUP, Redis, ScriptedServer, ServerTest, Weir, config, metric, vector


def answer_with_query(turn):
    """The number in the query: 42 for `vector(42)`."""
    turn.answer(vector(turn.request.query[len("vector("):-1]))


class ReloadTest(ServerTest):
    def setUp(self):
        self.prometheus = self.start_in_test(ScriptedServer(answer_with_query))

    def config_of(self, **metrics):
        return config(self.prometheus.url, *(metric(name, f"vector({value})", freshness="1ms")
                                             for name, value in metrics.items()))

    def weir_with(self, text, **settings):
        return self.start_in_test(Weir(self.folder() / "weir", text, **settings))

    def value(self, weir, name):
        answer = weir.metric("ml-inference", name)
        return answer.json()["items"][0]["value"] if answer.status == 200 else answer.status

    def names(self, weir):
        return [resource["name"] for resource in weir.get(GROUP, {"X-Remote-User": "a"}).json()["resources"]]

    def log_of(self, weir):
        return (weir.directory / "weir.log").read_text()

    def test_a_changed_file_is_loaded_without_a_restart(self):
        weir = self.weir_with(self.config_of(one=1, both=1))

        weir.write_config(self.config_of(both=2, two=2))

        self.wait_for(lambda: self.value(weir, "both") == "2")
        self.assertEqual((404, "2"), (self.value(weir, "one"), self.value(weir, "two")))
        self.assertEqual(["both", "externalmetrics", "two"], sorted(self.names(weir)))
        self.assertEqual(1, self.log_of(weir).count(" config_reloaded "))

    def test_without_a_free_inotify_instance_weir_starts_and_says_so(self):
        none_left = ("unshare", "--user", "--map-root-user", "sh", "-c",
                     'echo 0 > /proc/sys/user/max_inotify_instances && exec "$0" "$@"')

        weir = self.weir_with(self.config_of(one=1), launcher=none_left)

        self.assertEqual("1", self.value(weir, "one"))
        self.assertIn(" files_not_watched reason=\"Too many open files\"", self.log_of(weir))

    def test_an_invalid_file_is_logged_once_and_changes_nothing(self):
        weir = self.weir_with(self.config_of(one=1))

        weir.write_config(self.config_of(one=2).replace('"query"', '"qeury"'))

        self.wait_for(lambda: "config_invalid" in self.log_of(weir))
        weir.write_config(self.config_of(one=2).replace('"query"', '"qeury"'))
        self.assertEqual("1", self.value(weir, "one"))
        self.assertEqual((200, "ok"), (weir.get("/readyz", cert=None).status, weir.get("/readyz", cert=None).text))
        self.assertIn(r'unknown key \"qeury\"', self.log_of(weir))
        self.assertRegex(self.log_of(weir), r"weir\.yaml:\d+:\d+: ")

        weir.write_config(self.config_of(one=3))
        self.wait_for(lambda: self.value(weir, "one") == "3")
        self.assertEqual(1, self.log_of(weir).count('unknown key \\"qeury\\"'))

    def test_the_same_bytes_again_are_not_a_new_configuration(self):
        weir = self.weir_with(self.config_of(one=1))

        weir.write_config("metrics: [")
        self.wait_for(lambda: "config_invalid" in self.log_of(weir))
        weir.write_config(self.config_of(one=1))
        self.wait_for(lambda: " config_valid_again" in self.log_of(weir))

        self.assertNotIn("config_reloaded", self.log_of(weir))
        self.assertEqual("1", self.value(weir, "one"))

    def test_a_file_that_is_missing_for_a_while_removes_no_metrics(self):
        weir = self.weir_with(self.config_of(one=1))

        weir.config_file.unlink()
        self.wait_for(lambda: "the file cannot be read" in self.log_of(weir))
        self.assertEqual("1", self.value(weir, "one"))

        weir.write_config(self.config_of(one=2))
        self.wait_for(lambda: self.value(weir, "one") == "2")

    def test_a_mounted_config_map_swaps_its_link(self):
        mount = self.folder() / "weir"
        for state, text in (("..1", self.config_of(one=1)), ("..2", self.config_of(one=2))):
            (mount / state).mkdir(parents=True)
            (mount / state / "weir.yaml").write_text(text)
        (mount / "..data").symlink_to("..1")
        (mount / "weir.yaml").symlink_to("..data/weir.yaml")
        weir = Weir(mount, (mount / "weir.yaml").read_text())
        weir.write_config = lambda text: None  # the mount is not the server's to write
        self.start_in_test(weir)
        self.assertEqual("1", self.value(weir, "one"))

        (mount / "..new").symlink_to("..2")
        (mount / "..new").rename(mount / "..data")
        shutil.rmtree(mount / "..1")

        self.wait_for(lambda: self.value(weir, "one") == "2")

    def test_an_unchanged_backend_uses_the_same_connection(self):
        redis = self.start_in_test(Redis(self.folder() / "redis"))
        redis.fill("RPUSH list a b c")

        def text(freshness):
            return json.dumps({"backends": {"cache": {"redis": {"url": redis.url}}}, "metrics": [
                {"name": "list", "namespaces": ["ml-inference"], "freshness": freshness,
                 "redis": {"backend": "cache", "key": "list"}}]})
        weir = self.weir_with(text("1ms"))
        self.assertEqual("3", self.value(weir, "list"))
        before = redis.command("CLIENT", "LIST", "TYPE", "normal").splitlines()[0].split()[0]

        weir.write_config(text("2ms"))
        self.wait_for(lambda: " config_reloaded " in self.log_of(weir))

        self.assertEqual("3", self.value(weir, "list"))
        self.assertEqual(before, redis.command("CLIENT", "LIST", "TYPE", "normal").splitlines()[0].split()[0])

    def test_no_read_is_lost_while_the_configuration_changes_continuously(self):
        weir = self.weir_with(self.config_of(version=0))
        end = threading.Event()
        values_by_reader, wrong = [set() for _ in range(4)], []

        def read_on(values):
            with weir.persistent_reader() as read:
                while not end.is_set():
                    answer = read("ml-inference", "version")
                    if answer.status != 200:
                        wrong.append(answer.text)
                    else:
                        values.add(int(answer.json()["items"][0]["value"]))
        readers = [threading.Thread(target=read_on, args=(values,)) for values in values_by_reader]
        for reader in readers:
            reader.start()
        try:
            for version in range(1, 21):
                weir.write_config(self.config_of(version=version))
                self.wait_for(lambda: any(version in values for values in values_by_reader))
        finally:
            end.set()
            for reader in readers:
                reader.join()

        self.assertEqual([], wrong)
        self.assertLessEqual(set(range(1, 21)), set().union(*values_by_reader))


if __name__ == "__main__":
    unittest.main()
