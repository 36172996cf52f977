"""Bytes over TLS to Weir, for what no HTTP library sends."""
import contextlib
import socket
import ssl


@contextlib.contextmanager
def raw_tls(weir, cert="front-proxy-client", seconds=10.0, alpn=None, versions=None):
    """A verified TLS connection as a socket. `versions` is (lowest, highest) of ssl.TLSVersion."""
    context = ssl.create_default_context(cafile=weir.certificates.crt("ca"))
    if cert:
        context.load_cert_chain(weir.certificates.crt(cert), weir.certificates.key(cert))
    if alpn:
        context.set_alpn_protocols(alpn)
    if versions:
        context.minimum_version, context.maximum_version = versions
    with socket.create_connection(("127.0.0.1", weir.port), timeout=seconds) as bare:
        with context.wrap_socket(bare, server_hostname="127.0.0.1") as connection:
            yield connection


def read_to_end(connection):
    """All bytes until the peer closes. A reset counts as the end; a timeout raises."""
    data = b""
    while True:
        try:
            more = connection.recv(65536)
        except (ssl.SSLError, ConnectionError) as error:
            if isinstance(error, TimeoutError):
                raise
            return data
        if not more:
            return data
        data += more


def read_answers(connection, count):
    """`count` answers as [(status, body)]; fewer when the peer closes first."""
    data, answers = b"", []
    while len(answers) < count:
        head, found, rest = data.partition(b"\r\n\r\n")
        length = _content_length(head) if found else 0
        if found and len(rest) >= length:
            answers.append((int(head.split(b" ", 2)[1]), rest[:length]))
            data = rest[length:]
            continue
        more = connection.recv(65536)
        if not more:
            return answers
        data += more
    return answers


def _content_length(head):
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0
