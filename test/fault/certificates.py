"""Servers with a certificate that Weir must not accept."""
import socket
import ssl

from fault import Fault
from support import ScriptedServer


class BadCertificate(Fault):
    """A TLS server with the certificate `name` of the world's. `leaked` is what it received beside a handshake."""
    healthy_value = recovered_value = None

    def __init__(self, backend, name, place):
        super().__init__(place)
        self._backend = backend
        self.query_settings = backend.query_settings
        certificates = place.world.certificates
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificates.crt(name), certificates.key(name))
        self.leaked = b""
        self.handshakes = 0
        self.server = ScriptedServer(raw=self._serve)

    def start(self):
        self.server.start()
        self.backend_settings = {"url": f"{self._backend.tls_scheme}://127.0.0.1:{self.server.port}",
                                 "tls": {"ca": str(self.place.world.certificates.crt("ca"))}}
        if self._backend.needs_credentials:
            self.backend_settings |= {"username": self.place.secret("user", "weir-test"),
                                      "password": self.place.secret("password", "sekret")}

    def stop(self):
        self.server.stop()

    def _serve(self, connection):
        first = connection.recv(1, socket.MSG_PEEK)
        if first != b"\x16":  # no TLS record of a handshake
            self.leaked += connection.recv(65536)
            return
        self.handshakes += 1
        with self._context.wrap_socket(connection, server_side=True) as secure:
            self.leaked += secure.recv(65536)
