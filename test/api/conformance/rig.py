"""What the conformance tables share: a cluster, a backend, one Weir a table, tests made from numbered rows, and words."""
import contextlib
import json
from dataclasses import dataclass, field

from support import (GROUP, KubeApiserver, MakesPairs, ScriptedServer, ServerTest, Weir, config, metric, metric_path,
                     shared_certificates, vector)

GROUP_NAME = "external.metrics.k8s.io"
M = metric_path("default", "queue-len")
LABELLED = metric_path("default", "labelled")
JSON, YAML, TEXT = "application/json", "application/yaml", "text/plain; charset=utf-8"
PROTOBUF = "application/vnd.kubernetes.protobuf"
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
AGGREGATED_BETA = "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
ONLY = "only the following media types are accepted: application/json, application/yaml, " + PROTOBUF
NOT_FOUND = "the server could not find the requested resource"
NOT_ALLOWED = "the server does not allow this method on the requested resource"
ANONYMOUS = "system:anonymous"
VALUE = '"value":"7"'
USER = "X-Remote-User"


@dataclass(frozen=True)
class Row:
    """One case: a request through the front proxy, and its response. `text` is part of the body; "" means an empty body."""
    number: int
    path: str
    headers: dict = field(default_factory=dict)
    status: int = 200
    content_type: str = JSON
    text: str = ""
    method: str = "GET"
    cert: str = "front-proxy-client"


def in_json(text):
    """As it stands between quotes in an answer: Go escapes what HTML might take for a tag."""
    quoted = json.dumps(text, ensure_ascii=False)[1:-1]
    return quoted.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def error_row(number, path, status, reason, message, headers=None, details=None):
    """A row that ends in a Status of exactly this form, in compact JSON."""
    message_text = in_json(message)
    details_text = f'"details":{details},' if details else ""
    return Row(number, path, headers or {}, status, JSON, '{"kind":"Status","apiVersion":"v1","metadata":{},'
               f'"status":"Failure","message":"{message_text}","reason":"{reason}",{details_text}"code":{status}}}\n')


def cases(table):
    """A class decorator: test_NNN for each number of the table, its rows as sub-tests."""
    def make_test(number, rows):
        def test(self):
            for row in rows:
                with self.subTest(case=number, path=row.path, headers=row.headers, method=row.method):
                    self.play(row)
        return test

    def decorate(kind):
        for number in sorted({row.number for row in table}):
            name = f"test_{number:03}"
            if name in vars(kind):
                raise ValueError(f"{name} is there already")
            setattr(kind, name, make_test(number, [row for row in table if row.number == number]))
        return kind
    return decorate


def answer_with_query(turn):
    """The number in a query v:NUMBER; no series for `none`, and 7 otherwise."""
    query = turn.request.query
    turn.answer(vector() if query == "none" else vector(query[2:] if query.startswith("v:") else 7))


class ConformanceCase(MakesPairs, ServerTest):
    """alice may everything, nobody nothing. Each row that looks at the reviews has users of its own: they are kept."""
    metrics = (metric("queue-len", "v:7", namespaces=["default"]),
               metric("labelled", 'depth{a="$(a)"}', namespaces=["default"],
                      labels={"a": {"pattern": ".*", "default": "unset"}}))
    flags = ()

    @classmethod
    def setUpClass(cls):
        cls.certificates = shared_certificates()
        cls.apiserver = cls.start(KubeApiserver())
        cls.backend = cls.start(ScriptedServer(answer_with_query))
        cls.weir = cls.new_weir(cls.flags, *cls.metrics)

    @classmethod
    def new_weir(cls, flags, *metrics, **settings):
        folder = cls.new_folder()
        return cls.start(Weir(folder / "weir", config(cls.backend.url, *metrics), flags=flags,
                              kubeconfig=cls.apiserver.kubeconfig(folder), **settings))

    def setUp(self):
        self.apiserver.allow = lambda spec: spec["user"] != ANONYMOUS
        self.addCleanup(lambda: self.assertEqual([], self.apiserver.mistakes))

    def get(self, path, headers=None, cert="front-proxy-client", method="GET", user="alice", weir=None):
        identity = {USER: user} if user else {}
        return (weir or self.weir).get(path, {**identity, **(headers or {})}, cert, method)

    def play(self, row):
        answer = self.get(row.path, row.headers, row.cert, row.method)

        self.assertEqual((row.status, row.content_type), (answer.status, answer.headers["Content-Type"]), answer.text)
        self.assertIn(row.text.encode("latin-1"), answer.body)
        self.assertEqual(not row.text, not answer.body)
        self.assertEqual("nosniff", answer.headers["X-Content-Type-Options"])
        self.assertNotIn("Retry-After", answer.headers)

    def queries_of(self, path, headers=None):
        """The answer, and what the backend was asked for it."""
        before = len(self.backend.requests)
        answer = self.get(path, headers)
        return answer, [request.query for request in self.backend.requests[before:]]

    def reviews_of(self, user):
        return [spec for spec in self.apiserver.access_reviews if spec["user"] == user]

    def attributes(self, user):
        """The one question about a resource that the kube-apiserver was asked of this user."""
        reviews = self.reviews_of(user)
        self.assertEqual(1, len(reviews), reviews)
        return reviews[0]["resourceAttributes"]

    @contextlib.contextmanager
    def connection(self, cert="front-proxy-client"):
        with contextlib.closing(self.weir.connection(cert)) as connection:
            yield connection


def listing(resource, namespace="default", **fields):
    """The attributes of a SubjectAccessReview for one read."""
    return {"verb": "list", "group": GROUP_NAME, "version": "v1beta1", "resource": resource, "namespace": namespace, **fields}
