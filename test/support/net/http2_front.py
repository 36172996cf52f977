"""Debian's nginx as an ingress: TLS with HTTP/2 in front of a server that speaks HTTP/1.1 without TLS."""
import socket
from pathlib import Path

from ..processes import Process, free_port, require

CONFIG = """daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
  log_format front '$connection $server_protocol $request_uri';
  access_log {folder}/access.log front;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} ssl http2;
    ssl_certificate {pair[0]};
    ssl_certificate_key {pair[1]};
    location / {{ proxy_pass http://127.0.0.1:{upstream}; }}
  }}
}}
"""


class Http2Front:
    """In front of the server at the port `upstream`; `pair` is (certificate, key)."""

    def __init__(self, directory, upstream, pair):
        self.directory = Path(directory)
        self.port = free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        self._upstream, self._pair = upstream, pair
        self.process = None

    def start(self):
        self.directory.mkdir(parents=True, exist_ok=True)
        config = self.directory / "nginx.conf"
        config.write_text(CONFIG.format(folder=self.directory, port=self.port, upstream=self._upstream, pair=self._pair))
        argv = [require("nginx", "nginx-light"), "-p", self.directory, "-c", config]
        self.process = Process("nginx", argv, self.directory / "nginx.log")
        self.process.start_ready(lambda: socket.create_connection(("127.0.0.1", self.port), timeout=5).close() is None)
        return self

    def stop(self):
        return self.process.stop() if self.process else None

    def requests(self):
        """(connection, protocol, target) of each so far."""
        return [tuple(line.split(" ", 2)) for line in (self.directory / "access.log").read_text().splitlines()]

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()
