"""Configuration and credentials that change all the time, under readers that never stop: nothing lost, nothing mixed."""
import base64
import contextlib
import re
import shutil
import threading
import time
import unittest

from support import ScriptedServer, ServerTest, Weir, config, metric, prometheus_backend, vector

READERS = 4
SECONDS = 3
RELOAD_SECONDS = 0.1
SWAP_SECONDS = 0.02


class ReloadRaceTest(ServerTest):
    def reading(self, weir, read_one):
        """Readers on kept connections inside this block; what they find wrong."""
        end, problems = threading.Event(), []

        def read_on():
            with weir.persistent_reader() as read:
                while not end.is_set():
                    try:
                        problem = read_one(read)
                    except OSError as error:
                        problem = repr(error)
                    if problem:
                        problems.append(problem)
                        return

        @contextlib.contextmanager
        def run():
            readers = [threading.Thread(target=read_on) for _ in range(READERS)]
            for reader in readers:
                reader.start()
            try:
                yield problems
            finally:
                end.set()
                for reader in readers:
                    reader.join(20)
        return run()

    def test_F42_each_response_is_of_a_single_configuration_while_it_changes_every_100_ms(self):
        """An answer has two items, and each item's value is the version of the configuration that asked for it."""
        backend = self.start_in_test(ScriptedServer(
            lambda turn: turn.answer(vector(re.search(r'version="(\d+)"', turn.request.query)[1]))))
        versions = set()

        def text(version):
            return config(backend.url, metric("up", f'x{{version="{version}",q="$(q)"}}', labels={"q": "[a-z]+"},
                                              freshness="1ms"))

        def read_one(read):
            answer = read("ml-inference", "up", "q in (a,b)")
            if answer.status != 200:
                return answer.text
            values = [item["value"] for item in answer.json()["items"]]
            versions.update(values)
            return None if len(values) == 2 and len(set(values)) == 1 else f"mixed: {answer.text}"
        weir = self.start_in_test(Weir(self.folder() / "weir", text(0)))
        version = 0
        with self.reading(weir, read_one) as wrong:
            ends = time.monotonic() + SECONDS
            while time.monotonic() < ends and not wrong:
                version += 1
                weir.write_config(text(version))
                due = time.monotonic() + RELOAD_SECONDS
                self.wait_for(lambda: time.monotonic() >= due)
            self.wait_for(lambda: str(version) in versions)

        self.assertEqual([], wrong)
        self.assertGreater(version, SECONDS / RELOAD_SECONDS / 2)
        self.assertGreater(len(versions), version / 2)

    def test_S62_no_request_pairs_an_old_user_with_a_new_password(self):
        pairs = set()

        def play(turn):
            kind, _, pair = turn.request.headers["authorization"].partition(" ")
            pairs.add(base64.b64decode(pair).decode())
            turn.answer(vector(7))
        backend = self.start_in_test(ScriptedServer(play))
        mount = self.folder()

        def swap_to(state):
            folder = mount / f"..{state}"
            folder.mkdir()
            for name in ("username", "password"):
                (folder / name).write_text(f"{name}-{state}")
            (mount / "..new").symlink_to(folder.name)
            (mount / "..new").rename(mount / "..data")
            with contextlib.suppress(FileNotFoundError):
                shutil.rmtree(mount / f"..{state - 1}")

        def text(freshness):
            credentials = {name: {"file": str(mount / "..data" / name)} for name in ("username", "password")}
            return config({"prom": prometheus_backend(backend.url, **credentials)},
                          metric("up", "up", freshness=f"{freshness}ms"))

        def read_one(read):
            answer = read("ml-inference", "up")
            return None if answer.status == 200 else answer.text
        swap_to(1)
        weir = self.start_in_test(Weir(self.folder() / "weir", text(1)))
        state = 1
        with self.reading(weir, read_one) as wrong:
            ends = time.monotonic() + SECONDS
            while time.monotonic() < ends and not wrong:
                state += 1
                swap_to(state)
                if state % 5 == 0:
                    weir.write_config(text(1 + state % 3))
                due = time.monotonic() + SWAP_SECONDS
                self.wait_for(lambda: time.monotonic() >= due)

        self.assertEqual([], wrong)
        states = {re.fullmatch(r"username-(\d+):password-(\d+)", pair).groups() for pair in pairs}
        self.assertEqual(set(), {pair for pair in states if pair[0] != pair[1]})
        self.assertGreater(len(states), state / 2)

    def test_F43_a_dangling_link_removes_no_metrics(self):
        backend = self.start_in_test(ScriptedServer(lambda turn: turn.answer(vector(turn.request.query))))
        mount = self.folder() / "weir"
        (mount / "..1").mkdir(parents=True)
        (mount / "..1" / "weir.yaml").write_text(config(backend.url, metric("up", "1", freshness="1ms")))
        (mount / "..data").symlink_to("..1")
        (mount / "weir.yaml").symlink_to("..data/weir.yaml")
        weir = Weir(mount, "")
        weir.write_config = lambda text: None  # the mount is not the server's to write
        self.start_in_test(weir)
        self.assert_values(weir.metric("ml-inference", "up"), "1")

        (mount / "..new").symlink_to("..2")
        (mount / "..new").rename(mount / "..data")
        self.wait_for(lambda: "config_invalid" in weir.process.log.read_text())

        self.assert_values(weir.metric("ml-inference", "up"), "1")
        self.assertEqual(200, weir.get("/readyz", cert=None).status)
        (mount / "..2").mkdir()
        (mount / "..2" / "weir.yaml").write_text(config(backend.url, metric("up", "2", freshness="1ms")))
        (mount / "..new").symlink_to("..2")
        (mount / "..new").rename(mount / "..data")
        self.wait_for(lambda: weir.metric("ml-inference", "up").json()["items"][0]["value"] == "2")


if __name__ == "__main__":
    unittest.main()
