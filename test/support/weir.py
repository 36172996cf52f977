"""The weir binary on a loopback port, queried over TLS as the kube-apiserver does."""
import contextlib
import functools
import http.client
import json
import mmap
import os
import re
import ssl
import subprocess
import urllib.parse
from dataclasses import dataclass
from pathlib import Path

from .certificates import ROOT, shared_certificates
from .processes import MissingTool, Process, free_port

GROUP = "/apis/external.metrics.k8s.io/v1beta1"
HPA_USER = "system:serviceaccount:kube-system:horizontal-pod-autoscaler"


def weir_binary():
    """$WEIR_BIN, or the release build."""
    path = Path(os.environ.get("WEIR_BIN") or ROOT / "build" / "release" / "weir")
    if not os.access(path, os.X_OK):
        raise MissingTool(f"{path} is not there: run ./dev build, or set WEIR_BIN")
    return path


@functools.lru_cache(maxsize=None)
def is_sanitized():
    """True for a build with a sanitizer, which is several times as slow."""
    with open(weir_binary(), "rb") as binary, mmap.mmap(binary.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return data.find(b"__asan_init") >= 0 or data.find(b"__tsan_init") >= 0


def frugal_environment():
    """For tests of memory: what AddressSanitizer holds back once it is freed is little, and no leak."""
    return {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "")
            + ":quarantine_size_mb=1:thread_local_quarantine_size_kb=64"}


def run_weir(*arguments, cwd=None, env=None):
    """One command of the binary to its end: its exit code, stdout and stderr as text."""
    return subprocess.run([weir_binary(), *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=60, cwd=cwd, env=env)


def kind_names():
    """The kinds of the catalog as messages list them."""
    return ", ".join(re.findall(r"(?m)^metrics\[\]\.(\w+)$", run_weir("describe").stdout))


def metric_path(namespace, metric, selector=None):
    query = "?" + urllib.parse.urlencode({"labelSelector": selector}) if selector else ""
    return f"{GROUP}/namespaces/{urllib.parse.quote(namespace)}/{urllib.parse.quote(metric)}{query}"


@dataclass(frozen=True)
class Response:
    status: int
    headers: http.client.HTTPMessage  # looked up without regard to case; get_all() for repeated ones
    body: bytes

    @property
    def text(self):
        return self.body.decode(errors="replace")

    def json(self):
        return json.loads(self.body)


class Weir:
    """`weir serve` with a configuration text. /readyz succeeds when `start` returns.

    kubeconfig  how it reaches its cluster; None: --standalone, with the authorities of `certificates`; "": as in a pod
    is_awaited  False: `start` returns when it answers /livez
    launcher    words in front of the command line, which become the command in the end
    """

    def __init__(self, directory, config, certificates=None, flags=(), env=None, port=None,
                 allowed_names=("front-proxy-client",), kubeconfig=None, is_awaited=True, launcher=()):
        self.directory = Path(directory)
        self.certificates = certificates or shared_certificates()
        self.config_file = self.directory / "weir.yaml"
        self.port = port or free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        self._config = config
        self._flags = list(flags)
        self._allowed_names = list(allowed_names)  # none: any certificate that the front-proxy CA signed
        self._env = env
        self._kubeconfig = kubeconfig
        self._probe = "/readyz" if is_awaited else "/livez"
        self._launcher = list(launcher)
        self.process = None

    def start(self):
        binary = weir_binary()
        self.directory.mkdir(parents=True, exist_ok=True)
        self.write_config(self._config)
        self.process = Process("weir", [*self._launcher, binary, *self._arguments()], self.directory / "weir.log", env=self._env)
        self.process.start_ready(self._is_ready, seconds=20)
        return self

    def stop(self):
        """The exit code; 0 after a clean drain."""
        return self.process.stop() if self.process else None

    def restart(self):
        """Stops and starts on the same port with the configuration last written."""
        self.stop()
        return self.start()

    def write_config(self, text):
        """Replaces the configuration in one step, as a mounted ConfigMap does. A running Weir reloads it."""
        self._config = text
        beside = self.config_file.with_suffix(".new")
        beside.write_text(text)
        beside.replace(self.config_file)

    def connection(self, cert="front-proxy-client", seconds=10.0):
        """A TLS connection that verifies Weir; `cert` names the client pair to show, None shows none."""
        context = ssl.create_default_context(cafile=self.certificates.crt("ca"))
        if cert:
            context.load_cert_chain(self.certificates.crt(cert), self.certificates.key(cert))
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=seconds, context=context)

    def get(self, path, headers=None, cert="front-proxy-client", method="GET"):
        """One request on a connection of its own."""
        connection = self.connection(cert)
        try:
            connection.request(method, path, headers=headers or {})
            answer = connection.getresponse()
            return Response(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    @contextlib.contextmanager
    def persistent_reader(self):
        """A function like `metric` whose reads share one connection, as those of the kube-apiserver do."""
        with contextlib.closing(self.connection()) as connection:
            def read(namespace, name, selector=None):
                connection.request("GET", metric_path(namespace, name, selector), headers={"X-Remote-User": HPA_USER})
                answer = connection.getresponse()
                return Response(answer.status, answer.headers, answer.read())
            yield read

    def metric(self, namespace, name, selector=None, user=HPA_USER):
        """What the HPA controller gets for one external metric, through the front proxy."""
        return self.get(metric_path(namespace, name, selector), {"X-Remote-User": user})

    def _is_ready(self):
        answer = self.get(self._probe, cert=None)
        return answer.status == 200 and answer.text.strip() == "ok"

    def _arguments(self):
        crt, key = self.certificates.crt, self.certificates.key
        common = ["serve", "--config", self.config_file,
                  "--bind-address", "127.0.0.1", "--secure-port", self.port,
                  "--tls-cert-file", crt("serving"), "--tls-private-key-file", key("serving")]
        if self._kubeconfig is not None:
            return [*common, *(("--kubeconfig", self._kubeconfig) if self._kubeconfig else ()), *self._flags]
        return [*common, "--standalone", "--client-ca-file", crt("client-ca"),
                "--requestheader-client-ca-file", crt("front-proxy-ca"),
                *(part for name in self._allowed_names for part in ("--requestheader-allowed-names", name)),
                "--requestheader-username-headers", "X-Remote-User",
                "--requestheader-group-headers", "X-Remote-Group",
                "--requestheader-extra-headers-prefix", "X-Remote-Extra-",
                *self._flags]

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()
