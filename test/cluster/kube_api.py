"""The kube-apiserver's REST API from Python values, for a single account; each thread has its own connection."""
import contextlib
import http.client
import json
import ssl
import threading

MERGE = "application/merge-patch+json"


class ApiError(RuntimeError):
    """An answer of 400 or above: `status`, and the server's own text."""

    def __init__(self, method, path, status, text):
        super().__init__(f"{method} {path}: {status} {text}")
        self.status = status
        self.text = text


class KubeApi:
    """`pair` names the client certificate to show; None with `token` for a bearer token, or with neither for nobody."""

    def __init__(self, port, certificates, pair="admin", token=None):
        self.port = port
        self._context = ssl.create_default_context(cafile=certificates.crt("ca"))
        if pair:
            self._context.load_cert_chain(certificates.crt(pair), certificates.key(pair))
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._local = threading.local()

    def get(self, path):
        return self.call("GET", path)

    def create(self, path, body):
        return self.call("POST", path, body)

    def merge(self, path, body):
        return self.call("PATCH", path, body, MERGE)

    def delete(self, path):
        return self.call("DELETE", path)

    def call(self, method, path, body=None, content_type="application/json", accept="application/json"):
        """The decoded answer: JSON, or text where there is none."""
        status, data = self.exchange(method, path, body, content_type, accept)
        text = data.decode(errors="replace")
        if status >= 400:
            raise ApiError(method, path, status, _message(text))
        return json.loads(text) if text[:1] in "{[" else text

    def exchange(self, method, path, body=None, content_type="application/json", accept="*/*"):
        """Status and bytes. A connection that the server has closed meanwhile is replaced once."""
        data = None if body is None else json.dumps(body)
        headers = {**self._headers, "Accept": accept, **({"Content-Type": content_type} if data else {})}
        reused = getattr(self._local, "connection", None)
        if reused is not None:
            with contextlib.suppress(OSError, http.client.HTTPException):
                return _exchange(reused, method, path, data, headers)
            reused.close()
        self._local.connection = connection = self._connection(30)
        return _exchange(connection, method, path, data, headers)

    def watch(self, path, is_stopped):
        """The events of a watch, for ever; the server ends each after a while and it is opened again."""
        while not is_stopped():
            with contextlib.suppress(OSError, http.client.HTTPException, ValueError), \
                    contextlib.closing(self._connection(2)) as connection:
                connection.request("GET", f"{path}?watch=true&allowWatchBookmarks=false&timeoutSeconds=1",
                                   headers=self._headers)
                answer = connection.getresponse()
                while line := answer.readline():
                    yield json.loads(line)

    def _connection(self, seconds):
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=seconds, context=self._context)


def _exchange(connection, method, path, data, headers):
    connection.request(method, path, data, headers)
    answer = connection.getresponse()
    return answer.status, answer.read()


def _message(text):
    try:
        return json.loads(text)["message"]
    except (ValueError, KeyError, TypeError):
        return text[:500]
