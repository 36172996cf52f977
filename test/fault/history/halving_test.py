"""The proxy's half answers: marked, and with half of each value."""
import json
import unittest

from halving import Halving, halved
from support import ScriptedServer, ServerTest, vector


class HalvedTest(unittest.TestCase):
    def test_each_value_is_half_and_the_answer_says_that_it_is_partial(self):
        document = json.loads(halved(vector(7, 9, at=5)))

        self.assertIs(True, document["isPartial"])
        self.assertEqual([[5, "3.5"], [5, "4.5"]], [sample["value"] for sample in document["data"]["result"]])

    def test_half_of_nothing_is_marked_as_well(self):
        document = json.loads(halved(vector()))

        self.assertEqual((True, []), (document["isPartial"], document["data"]["result"]))


class ProxyTest(ServerTest):
    def test_every_third_answer_is_half_and_the_others_are_as_they_were(self):
        behind = self.start_in_test(ScriptedServer(lambda turn: turn.answer(vector(7, at=5))))
        answers = []

        class OneTurn:
            request = None

            def answer(self, body, status):
                answers.append((body.decode() if isinstance(body, bytes) else body, status))

        proxy, turn = Halving(behind.port), OneTurn()
        with self.subTest("requests"):
            for target in ("/api/v1/query?query=a", "/api/v1/query?query=b", "/api/v1/query?query=c"):
                turn.request = type("Request", (), {"method": "GET", "target": target, "headers": {}, "body": ""})
                proxy(turn)

        whole = (vector(7, at=5), "200 OK")
        self.assertEqual([whole, whole, (halved(vector(7, at=5)), "200 OK")], answers)
        self.assertEqual(["/api/v1/query?query=a", "/api/v1/query?query=b", "/api/v1/query?query=c"],
                         [request.target for request in behind.requests])


if __name__ == "__main__":
    unittest.main()
