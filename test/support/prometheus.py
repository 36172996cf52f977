"""Debian's Prometheus on a loopback port, with samples by remote write, by scrape, or by neither."""
import base64
import json
import ssl
import struct
import time
import urllib.error
import urllib.parse
import urllib.request
import warnings
from dataclasses import dataclass
from pathlib import Path

from .processes import Process, free_port, require

# The NaN with which Prometheus marks a series as ended; any other NaN is a value.
STALE = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]


@dataclass(frozen=True)
class Series:
    """Samples of one series, as (seconds since 1970, value), oldest first. `labels` includes __name__."""
    labels: dict
    samples: list


class Prometheus:
    """Prometheus in `directory`, reachable at `url`.

    scrape   job name -> list of "host:port", or a map of its further settings; the first sample arrives after about 6 s (discovery is batched by 5 s)
    tls      Certificates: serves HTTPS with their serving pair
    users    name -> password: asks for basic authentication
    host     the address of this host that it listens at
    client_ca  name of a pair of `tls`: only clients with a certificate signed by it may ask
    rules    files of rules, evaluated as often as it scrapes
    """

    def __init__(self, directory, scrape=None, scrape_interval="1s", tls=None, users=None, port=None,
                 client_ca=None, host="127.0.0.1", rules=()):
        self.directory = Path(directory)
        self.port = port or free_port()
        self.url = f"{'https' if tls else 'http'}://{host}:{self.port}"
        self._host = host
        self._scrape = dict(scrape or {})
        self._scrape_interval = scrape_interval
        self._tls = tls
        self._users = dict(users or {})
        self._client_ca = client_ca
        self._rules = [str(path) for path in rules]
        self.process = None

    def start(self):
        binary = require("prometheus", "prometheus")
        self.directory.mkdir(parents=True, exist_ok=True)
        config = self.directory / "prometheus.yml"
        config.write_text(self._config())
        argv = [binary, f"--config.file={config}", f"--storage.tsdb.path={self.directory / 'data'}",
                f"--web.listen-address={self._host}:{self.port}", "--web.enable-lifecycle",
                "--web.enable-remote-write-receiver", "--log.level=warn"]
        if self._tls or self._users:
            web = self.directory / "web.yml"
            web.write_text(json.dumps(self._web_config()))
            argv.append(f"--web.config.file={web}")
        self.process = Process("prometheus", argv, self.directory / "prometheus.log")
        self.process.start_ready(self._is_ready, seconds=20)
        return self

    def stop(self):
        return self.process.stop() if self.process else None

    def restart(self):
        """Stops and starts on the same port, over the same data."""
        self.stop()
        return self.start()

    def reload(self, scrape):
        """Replaces the scrape targets of the running server."""
        self._scrape = dict(scrape)
        (self.directory / "prometheus.yml").write_text(self._config())
        self._request("/-/reload", data=b"")

    def remote_write(self, series):
        """Stores the series; they are visible to the next query. A refusal raises with Prometheus' own text."""
        self._request("/api/v1/write", data=_snappy(_write_request(series)), headers={
            "Content-Type": "application/x-protobuf", "Content-Encoding": "snappy",
            "X-Prometheus-Remote-Write-Version": "0.1.0"})

    def write(self, name, value, at=None, **labels):
        """Stores one sample, taken now unless `at` (seconds since 1970) is given."""
        self.remote_write([Series({"__name__": name, **labels}, [(time.time() if at is None else at, value)])])

    def query(self, promql, at=None):
        """The instant vector of `promql` as a list of (labels, value); a scalar has no labels."""
        form = {"query": promql} if at is None else {"query": promql, "time": f"{at:.3f}"}
        data = json.loads(self._request("/api/v1/query", data=urllib.parse.urlencode(form).encode()))["data"]
        if data["resultType"] == "scalar":
            return [({}, float(data["result"][1]))]
        return [(sample["metric"], float(sample["value"][1])) for sample in data["result"]]

    def firing_alerts(self):
        """The alerts that fire, as /api/v1/alerts has them."""
        return [alert for alert in json.loads(self._request("/api/v1/alerts"))["data"]["alerts"] if alert["state"] == "firing"]

    def query_count(self):
        """The number of instant queries so far; this call does not count."""
        text = self._request("/metrics").decode()
        return sum(int(float(line.rsplit(" ", 1)[1])) for line in text.splitlines()
                   if line.startswith("prometheus_http_requests_total{") and '"/api/v1/query"' in line)

    def _request(self, path, data=None, headers=None):
        request = urllib.request.Request(self.url + path, data=data, headers=headers or {})
        for name, password in list(self._users.items())[:1]:
            token = base64.b64encode(f"{name}:{password}".encode()).decode()
            request.add_header("Authorization", f"Basic {token}")
        context = ssl.create_default_context(cafile=self._tls.crt("ca")) if self._tls else None
        if self._client_ca:
            context.load_cert_chain(self._tls.crt("client"), self._tls.key("client"))
        # No proxy from the environment: the server is on this host.
        handlers = [urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)]
        try:
            with urllib.request.build_opener(*handlers).open(request, timeout=10) as answer:
                return answer.read()
        except urllib.error.HTTPError as error:
            text = error.read().decode(errors="replace").strip()
            raise RuntimeError(f"prometheus {path}: HTTP {error.code}: {text[:500]}") from None

    def _is_ready(self):
        try:
            return b"Ready" in self._request("/-/ready")
        except RuntimeError:
            return False

    def _config(self):
        jobs = [{"job_name": job, **(targets if isinstance(targets, dict)
                                     else {"static_configs": [{"targets": list(targets)}]})}
                for job, targets in self._scrape.items()]
        interval = {name: self._scrape_interval for name in ("scrape_interval", "scrape_timeout", "evaluation_interval")}
        return json.dumps({"global": interval, "rule_files": self._rules, "scrape_configs": jobs})  # JSON is YAML

    def _web_config(self):
        config = {}
        if self._tls:
            config["tls_server_config"] = {"cert_file": str(self._tls.crt("serving").resolve()),
                                           "key_file": str(self._tls.key("serving").resolve())}
        if self._client_ca:
            config["tls_server_config"] |= {"client_auth_type": "RequireAndVerifyClientCert",
                                            "client_ca_file": str(self._tls.crt(self._client_ca).resolve())}
        if self._users:
            config["basic_auth_users"] = {name: _bcrypt(word) for name, word in self._users.items()}
        return config

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


def _bcrypt(password):
    # Deprecated, but the only bcrypt in the standard library, and Debian 12's Python still has it.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import crypt
    return crypt.crypt(password, crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=16))


def _varint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _field(number, content):
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _time_series(series):
    """message TimeSeries { repeated Label labels = 1; repeated Sample samples = 2; }, labels sorted by name."""
    out = bytearray()
    for name, value in sorted(series.labels.items()):
        out += _field(1, _field(1, name.encode()) + _field(2, value.encode()))
    for at, value in series.samples:
        out += _field(2, b"\x09" + struct.pack("<d", value) + b"\x10" + _varint(round(at * 1000)))
    return bytes(out)


def _write_request(series):
    return b"".join(_field(1, _time_series(item)) for item in series)


def _snappy(data):
    """The snappy block form in literals only: valid, merely not smaller."""
    out = bytearray(_varint(len(data)))
    for start in range(0, len(data), 65536):
        chunk = data[start:start + 65536]
        out += b"\xf4" + struct.pack("<H", len(chunk) - 1) + chunk  # tag 61: a two-byte length follows
    return bytes(out)
