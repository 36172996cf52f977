"""A url in a file: its login goes to its own server alone, and a change is followed whatever else is wrong meanwhile."""
import base64
import unittest

from support import ScriptedServer, ServerTest, Weir, config, metric, vector

FOLLOWED_SECONDS = 15


def basic(login):
    return f"Basic {base64.b64encode(login.encode()).decode()}"


class UrlFileTest(ServerTest):
    def setUp(self):
        self.place = self.folder()
        self.first, self.second = (self.start_in_test(ScriptedServer(lambda turn, n=n: turn.answer(vector(n)))) for n in (1, 2))
        self.write_url(self.first, "u:passA")
        self.weir = self.start_in_test(Weir(self.place / "weir", self.text()))
        self.assertEqual("1", self.value())

    def text(self, *further):
        return config({"prom": {"prometheus": {"url": {"file": str(self.place / "url")}}}}, metric("m", "m", freshness="1ms"),
                      *further)

    def write_url(self, server, login):
        beside = self.place / "url.new"
        beside.write_text(f"http://{login}@{server.url.removeprefix('http://')}\n")
        beside.replace(self.place / "url")

    def value(self):
        """None: an error."""
        answer = self.weir.metric("ml-inference", "m")
        return answer.json()["items"][0]["value"] if answer.status == 200 else None

    def assert_each_has_its_own_login(self):
        for server, login in ((self.first, "u:passA"), (self.second, "u:passB")):
            self.assertEqual({basic(login)}, {request.headers.get("authorization") for request in server.requests})

    def test_the_login_of_a_new_server_is_not_sent_to_the_old_one(self):
        self.write_url(self.second, "u:passB")

        self.wait_for(lambda: self.value() == "2", FOLLOWED_SECONDS)

        self.assert_each_has_its_own_login()

    def test_a_change_during_an_invalid_configuration_is_followed(self):
        valid = self.text()
        self.weir.write_config("metrics: [{}]\n")
        self.wait_for(lambda: "config_invalid" in self.weir.process.log.read_text(), FOLLOWED_SECONDS)
        self.write_url(self.second, "u:passB")
        self.wait_for(lambda: self.value() is None, FOLLOWED_SECONDS)

        self.weir.write_config(valid)
        self.wait_for(lambda: self.value() == "2", FOLLOWED_SECONDS)

        self.assert_each_has_its_own_login()

    def test_a_file_that_comes_back_as_it_was_is_used_again(self):
        content = (self.place / "url").read_text()
        (self.place / "url").unlink()
        self.weir.write_config(self.text(metric("other", "other")))
        self.wait_for(lambda: self.value() is None, FOLLOWED_SECONDS)

        (self.place / "url").write_text(content)

        self.wait_for(lambda: self.value() == "1", FOLLOWED_SECONDS)


if __name__ == "__main__":
    unittest.main()
