"""A kube-apiserver that plays a part: the ConfigMap's list and watch, TokenReview, SubjectAccessReview and whatever
objects a test puts there, over HTTPS.

It records and checks requests: an unknown account is 401, and a path, a query or a body that Weir must not send to a real
one becomes an entry of `mistakes`, with which the test fails.
"""
import json
import threading
import urllib.parse
from dataclasses import dataclass

from .certificates import shared_certificates
from .scripted import ScriptedServer

CONFIG_MAP = "extension-apiserver-authentication"
CONFIG_MAPS = "/api/v1/namespaces/kube-system/configmaps"
TOKEN_REVIEWS = "/apis/authentication.k8s.io/v1/tokenreviews"
ACCESS_REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
SELF_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"

# kind, group, and where the specs are kept
_REVIEWS = {TOKEN_REVIEWS: ("TokenReview", "authentication", "token_reviews"),
            ACCESS_REVIEWS: ("SubjectAccessReview", "authorization", "access_reviews"),
            SELF_REVIEWS: ("SelfSubjectAccessReview", "authorization", "self_reviews")}


@dataclass(frozen=True)
class Refuse:
    """Instead of an answer: this status, a Kubernetes Status as body."""
    status: int


@dataclass(frozen=True)
class Raw:
    """Instead of an answer: 201 with this body."""
    body: str


HANG = "hang"
CLOSE = "close"


def cluster_config(certificates, **changed):
    """The data of the ConfigMap as a cluster has it. `changed` replaces keys, `_` for `-`; None omits one."""
    data = {"client-ca-file": certificates.crt("client-ca").read_text(),
            "requestheader-client-ca-file": certificates.crt("front-proxy-ca").read_text(),
            "requestheader-allowed-names": '["front-proxy-client"]',
            "requestheader-username-headers": '["X-Remote-User"]',
            "requestheader-group-headers": '["X-Remote-Group"]',
            "requestheader-extra-headers-prefix": '["X-Remote-Extra-"]',
            **{key.replace("_", "-"): value for key, value in changed.items()}}
    return {key: value for key, value in data.items() if value is not None}


class KubeApiserver:
    """`trouble[PATH]` is a list of Refuse, Raw, HANG or CLOSE, played once each before the real responses; `always[PATH]`
    is one that is played every time. `objects[PATH]` is what a GET of it gives: an object, None for a 404, or a
    function of the query's parameters that gives either. `token` is the account's; None: its client certificate
    `weir-account` instead."""

    def __init__(self, token="the-token", certificates=None, host="127.0.0.1", pair="serving"):
        self.certificates = certificates or shared_certificates()
        self._host, self._pair = host, pair
        self.tokens = {token} if token else set()
        self.data = cluster_config(self.certificates)  # of the ConfigMap; None: there is none
        self.users = {}  # bearer token -> status of its TokenReview
        self.allow = lambda spec: True  # a SubjectAccessReview's spec -> True, False, (allowed, reason) or a status
        self.trouble = {}
        self.always = {}
        self.objects = {}
        self.mistakes = []
        self.token_reviews = []  # specs
        self.access_reviews = []  # specs
        self.self_reviews = []  # specs of SelfSubjectAccessReviews
        self.lists = 0
        self.watches = 0
        self._version = 100
        self._changed = threading.Condition()
        self._events = []  # (version, event)
        self._closed_watches = 0

    def start(self):
        pair = self.certificates.crt(self._pair), self.certificates.key(self._pair)
        self._server = ScriptedServer(self._play, tls=pair, host=self._host)
        self._server.start()
        if not self.tokens:
            self._server._context.load_verify_locations(self.certificates.crt("client-ca"))
            self._server._context.verify_mode = 2  # CERT_REQUIRED
        self.port = self._server.port
        self.url = f"https://{self._host}:{self.port}"
        return self

    @property
    def requests(self):
        """Every request as received, including rejected requests."""
        return self._server.requests

    def stop(self):
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._server.stop()

    _stopped = False

    def write_config(self, data, event=None):
        """Creates, replaces or, with None, deletes the ConfigMap, and notifies the watches."""
        with self._changed:
            before, self.data = self.data, data
            self._version += 1
            kind = "DELETED" if data is None else "ADDED" if before is None else "MODIFIED"
            self._events.append((self._version, event or {"type": kind, "object": self._object(data or before or {})}))
            self._changed.notify_all()

    def send_line(self, line):
        """One raw line into every watch."""
        with self._changed:
            self._version += 1
            self._events.append((self._version, line))
            self._changed.notify_all()

    def close_watches(self):
        with self._changed:
            self._closed_watches += 1
            self._changed.notify_all()

    def kubeconfig(self, folder, **user):
        """A kubeconfig file for this server; `user` replaces the account's token."""
        path = folder / "kubeconfig"
        path.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "here",
            "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
            "clusters": [{"name": "c", "cluster": {"server": self.url,
                                                   "certificate-authority": str(self.certificates.crt("ca"))}}],
            "users": [{"name": "u", "user": user or {"token": next(iter(self.tokens))}}]}))
        return path

    def _object(self, data):
        return {"kind": "ConfigMap", "apiVersion": "v1", "data": data,
                "metadata": {"name": CONFIG_MAP, "namespace": "kube-system", "resourceVersion": str(self._version)}}

    def _play(self, turn):
        path, _, query = turn.request.target.partition("?")
        if not self._is_known(turn.request.headers.get("authorization")):
            return self._refuse(turn, 401)
        with self._changed:
            queued = self.trouble.get(path)
            trouble = queued.pop(0) if queued else self.always.get(path)
        if trouble is not None:
            return self._make_trouble(turn, trouble)
        if path == CONFIG_MAPS:
            return self._config_maps(turn, dict(urllib.parse.parse_qsl(query)))
        if path in (TOKEN_REVIEWS, ACCESS_REVIEWS, SELF_REVIEWS):
            return self._review(turn, path)
        if path in self.objects and turn.request.method == "GET":
            result = self.objects[path]
            result = result(dict(urllib.parse.parse_qsl(query))) if callable(result) else result
            return self._refuse(turn, 404) if result is None else turn.answer(json.dumps(result))
        self.mistakes.append(f"{turn.request.method} {turn.request.target}")
        return self._refuse(turn, 404)

    def _is_known(self, header):
        return header in {f"Bearer {token}" for token in self.tokens} if self.tokens else header is None

    def _make_trouble(self, turn, trouble):
        if trouble == HANG:
            turn.hang()
        elif trouble == CLOSE:
            turn.close()
        elif isinstance(trouble, Raw):
            turn.answer(trouble.body, "201 Created")
        else:
            self._refuse(turn, trouble.status)

    def _refuse(self, turn, status):
        turn.answer(json.dumps({"kind": "Status", "status": "Failure", "code": status,
                                "message": f"played by {self.url}"}), f"{status} Played")

    def _config_maps(self, turn, query):
        if turn.request.method != "GET" or query.get("fieldSelector") != f"metadata.name={CONFIG_MAP}":
            self.mistakes.append(f"{turn.request.method} {turn.request.target}")
        if query.get("watch") == "true":
            return self._watch(turn, query)
        with self._changed:
            self.lists += 1
            items = [] if self.data is None else [self._object(self.data)]
            body = {"kind": "ConfigMapList", "apiVersion": "v1", "items": items,
                    "metadata": {"resourceVersion": str(self._version)}}
        return turn.answer(json.dumps(body))

    def _watch(self, turn, query):
        if not query.get("timeoutSeconds") or not query.get("resourceVersion", "").isdigit():
            self.mistakes.append(turn.request.target)
        sent_version = int(query.get("resourceVersion") or 0)
        turn.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
        with self._changed:
            self.watches += 1
            closed_watches = self._closed_watches
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._stopped or self._closed_watches > closed_watches
                                       or (self._events and self._events[-1][0] > sent_version), 60)
                if self._stopped or self._closed_watches > closed_watches:
                    break
                news = [event for version, event in self._events if version > sent_version]
                sent_version = self._version
            for event in news:
                data = (event if isinstance(event, str) else json.dumps(event)).encode() + b"\n"
                turn.send(b"%x\r\n%s\r\n" % (len(data), data))
        turn.send(b"0\r\n\r\n")

    def _review(self, turn, path):
        kind, group, reviews = _REVIEWS[path]
        body = json.loads(turn.request.body)
        expected = {"kind": kind, "apiVersion": f"{group}.k8s.io/v1", "spec": body.get("spec")}
        if turn.request.method != "POST" or body != expected:
            self.mistakes.append(f"{turn.request.method} {path} {turn.request.body}")
        if turn.request.headers.get("content-type") != "application/json":
            self.mistakes.append(f"{path}: Content-Type {turn.request.headers.get('content-type')}")
        spec = body["spec"]
        status = self._token_status(spec) if path == TOKEN_REVIEWS else self._access_status(path, spec)
        with self._changed:
            getattr(self, reviews).append(spec)
        turn.answer(json.dumps({**expected, "status": status}), "201 Created")

    def _token_status(self, spec):
        if not set(spec) <= {"token", "audiences"}:
            self.mistakes.append(f"TokenReview {spec}")
        return self.users.get(spec["token"], {"error": "invalid bearer token"})

    def _access_status(self, path, spec):
        allowed = {"resourceAttributes", "nonResourceAttributes"}
        allowed |= set() if path == SELF_REVIEWS else {"user", "uid", "groups", "extra"}
        if not set(spec) <= allowed or ("resourceAttributes" in spec) == ("nonResourceAttributes" in spec):
            self.mistakes.append(f"SubjectAccessReview {spec}")
        verdict = self.allow(spec)
        if isinstance(verdict, dict):
            return verdict
        allowed, reason = verdict if isinstance(verdict, tuple) else (verdict, "")
        return {"allowed": allowed, **({"reason": reason} if reason else {})}

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()
