"""Bytes over TLS to Weir, for requests that no HTTP library sends."""
import contextlib
import socket
import ssl
import threading


@contextlib.contextmanager
def raw_tls(weir, cert="front-proxy-client", seconds=10.0, alpn=None, versions=None):
    """A verified TLS connection as a socket. `versions` is (lowest, highest) of ssl.TLSVersion."""
    context = _context(weir, cert)
    if alpn:
        context.set_alpn_protocols(alpn)
    if versions:
        context.minimum_version, context.maximum_version = versions
    with socket.create_connection(("127.0.0.1", weir.port), timeout=seconds) as bare:
        with context.wrap_socket(bare, server_hostname="127.0.0.1") as connection:
            yield connection


def answer_to(weir, data, cert="front-proxy-client", seconds=10.0):
    """Everything that Weir sends after `data` until it closes, even when it closes before it has read all of it."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = _context(weir, cert).wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")
    with socket.create_connection(("127.0.0.1", weir.port), timeout=seconds) as bare:
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                bare.sendall(outgoing.read())
                incoming.write(bare.recv(65536))
        tls.write(data)
        sender = threading.Thread(target=_send, args=(bare, outgoing.read()))
        sender.start()
        try:
            return _decrypted(tls, incoming, bare)
        finally:
            with contextlib.suppress(OSError):
                bare.shutdown(socket.SHUT_RDWR)
            sender.join(seconds)


def _context(weir, cert):
    context = ssl.create_default_context(cafile=weir.certificates.crt("ca"))
    if cert:
        context.load_cert_chain(weir.certificates.crt(cert), weir.certificates.key(cert))
    return context


def _send(bare, data):
    with contextlib.suppress(OSError):  # Weir closed before it had read all
        bare.sendall(data)


def _decrypted(tls, incoming, bare):
    """Until TLS says goodbye, or the connection ends without it."""
    out = b""
    while True:
        try:
            chunk = tls.read(65536)
            if not chunk:
                return out
            out += chunk
        except ssl.SSLWantReadError:
            try:
                data = bare.recv(65536)
            except ConnectionError:
                return out
            if not data:
                return out
            incoming.write(data)
        except ssl.SSLError:
            return out


def read_to_end(connection):
    """All bytes until the peer closes. A reset counts as the end; a timeout raises."""
    data = b""
    while True:
        try:
            chunk = connection.recv(65536)
        except (ssl.SSLError, ConnectionError) as error:
            if isinstance(error, TimeoutError):
                raise
            return data
        if not chunk:
            return data
        data += chunk


def read_answers(connection, count):
    """`count` responses as [(status, body)]; fewer when the peer closes first."""
    data, answers = b"", []
    while len(answers) < count:
        head, separator, rest = data.partition(b"\r\n\r\n")
        length = _content_length(head) if separator else 0
        if separator and len(rest) >= length:
            answers.append((int(head.split(b" ", 2)[1]), rest[:length]))
            data = rest[length:]
            continue
        chunk = connection.recv(65536)
        if not chunk:
            return answers
        data += chunk
    return answers


def _content_length(head):
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0
