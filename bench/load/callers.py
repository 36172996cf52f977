"""The caller in every bench of a whole request: the headers that a kube-apiserver sends for the HPA controller."""
from support.weir import HPA_USER

HEADERS = [("Accept-Encoding", "gzip"), ("Audit-Id", "0f9b4a3e-6c1d-4c52-9f0a-6f3f1f0c8a11"),
           ("User-Agent", "kube-controller-manager/v1.31.0 (linux/amd64) kubernetes/9edcffc/" + HPA_USER),
           ("X-Forwarded-For", "10.244.0.1"), ("X-Remote-User", HPA_USER),
           *(("X-Remote-Group", group) for group in ("system:serviceaccounts", "system:serviceaccounts:kube-system",
                                                     "system:authenticated"))]
JSON = "application/json, */*"
PROTOBUF = "application/vnd.kubernetes.protobuf, */*"
LINES = tuple(f"{name}: {value}" for name, value in [*HEADERS, ("Accept", JSON)])
# Access reviews are cached for longer than a bench lasts, as the values are.
CACHED_REVIEWS = ("--authorization-webhook-cache-authorized-ttl", "1h")


def read(connection, path, accept=JSON):
    """The body of one read on a persistent connection. RuntimeError when it failed."""
    connection.putrequest("GET", path, skip_accept_encoding=True)
    for name, value in [*HEADERS, ("Accept", accept)]:
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{path}: {answer.status} {body[:200]!r}")
    return body
