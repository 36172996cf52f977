"""nginx with one canned answer over TLS: the ceiling, on the same processor, with the same bytes and the same proof asked of
its client."""
import ssl
import urllib.request
from pathlib import Path

from support import Process, free_port, require

CONFIG = """daemon off;
master_process off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  keepalive_requests 1000000000;
  keepalive_timeout 1h;
  large_client_header_buffers 4 16k;
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_tickets off;
    ssl_certificate {crt};
    ssl_certificate_key {key};
    ssl_client_certificate {client_ca};
    ssl_verify_client on;
    root {folder}/www;
    default_type application/json;
    location / {{ return 200 '{body}'; }}
  }}
}}
"""


class Nginx:
    """Answers any path with `body` as JSON. `launcher`: words in front of the command line, such as taskset's."""

    def __init__(self, directory, certificates, body, launcher=()):
        self.directory = Path(directory)
        self.port = free_port()
        self._certificates = certificates
        self._body = body
        self._launcher = list(launcher)
        self.process = None

    def start(self):
        binary = require("nginx", "nginx-light")
        self.directory.mkdir(parents=True, exist_ok=True)
        if "'" in self._body or "\\" in self._body or "$" in self._body:
            raise ValueError("the canned answer has to do without quotes, backslashes and dollars")
        config = self.directory / "nginx.conf"
        config.write_text(CONFIG.format(folder=self.directory, port=self.port, body=self._body,
                                        crt=self._certificates.crt("serving"), key=self._certificates.key("serving"),
                                        client_ca=self._certificates.crt("front-proxy-ca")))
        argv = [*self._launcher, binary, "-p", self.directory, "-c", config]
        self.process = Process("nginx", argv, self.directory / "nginx.log")
        self.process.start_ready(self._is_ready)
        return self

    def stop(self):
        return self.process.stop() if self.process else None

    def _is_ready(self):
        context = ssl.create_default_context(cafile=self._certificates.crt("ca"))
        context.load_cert_chain(self._certificates.crt("front-proxy-client"), self._certificates.key("front-proxy-client"))
        with urllib.request.urlopen(f"https://127.0.0.1:{self.port}/", timeout=5, context=context) as answer:
            return answer.status == 200

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()
