"""A proxy that has half of the data in every third answer, and says so, as a VictoriaMetrics cluster without one of its nodes."""
import contextlib
import http.client
import itertools
import json

EVERY = 3


class Halving:
    """A script of a ScriptedServer, in front of the Prometheus on `port`."""

    def __init__(self, port):
        self._port = port
        self._numbers = itertools.count(1)

    def __call__(self, turn):
        request = turn.request
        headers = {name: value for name, value in request.headers.items() if name in ("accept", "content-type")}
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)) as connection:
            connection.request(request.method, request.target, request.body or None, headers)
            answer = connection.getresponse()
            body = answer.read()
        if answer.status == 200 and next(self._numbers) % EVERY == 0:
            body = halved(body)
        turn.answer(body, f"{answer.status} {answer.reason}")


def halved(body):
    """An instant vector with half of each value, marked as partial."""
    document = json.loads(body)
    for sample in document["data"]["result"]:
        at, value = sample["value"]
        sample["value"] = [at, f"{float(value) / 2:g}"]
    return json.dumps({"status": document["status"], "isPartial": True, "data": document["data"]})
