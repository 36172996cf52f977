"""CPU time that `weir serve` spends on a request, by kind of request, in one run.

Server CPU (user and system, from /proc) divided by requests: the speed of this driver does not matter. Rounds are
interleaved and the median is shown, with its ratio to a health request: that one is TLS, HTTP and the loop alone.
Compare ratios, not microseconds: machines differ, and so does one machine from minute to minute.
"""
import http.server
import os
import statistics
import sys
import tempfile
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "test"))
from support import Weir  # noqa: E402
from support.weir import GROUP, HPA_USER, metric_path  # noqa: E402

REPLY = (b'{"status":"success","data":{"resultType":"vector","result":'
         b'[{"metric":{},"value":[1795219200,"42"]}]}}')
CONFIG = """
backends:
  prom: {{prometheus: {{url: "http://127.0.0.1:{port}"}}}}
metrics:
  - name: cached
    namespaces: [bench]
    freshness: 1h
    prometheus: {{backend: prom, query: up}}
  - name: uncached
    namespaces: [bench]
    freshness: 1ms
    prometheus: {{backend: prom, query: up}}
"""


class Backend(http.server.BaseHTTPRequestHandler):
    """Answers every query with the same sample."""
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        # In one write: the second of two would wait for the acknowledgement of the first.
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(REPLY), REPLY))

    def log_message(self, *args):
        pass


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_kib(pid):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise RuntimeError("no VmRSS in /proc")


def run_round(weir, path, requests):
    """Microseconds of server CPU per request, on one persistent connection."""
    connection = weir.connection()
    before = cpu_seconds(weir.process.pid)
    for _ in range(requests):
        connection.request("GET", path, headers={"X-Remote-User": HPA_USER})
        response = connection.getresponse()
        body = response.read()
        if response.status != 200:
            raise RuntimeError(f"{path}: {response.status} {body[:200]!r}")
    cpu_time = cpu_seconds(weir.process.pid) - before
    connection.close()
    return cpu_time / requests * 1e6


def measure(weir, rounds, requests):
    paths = {
        "health": "/livez",
        "discovery": GROUP,
        "cached read": metric_path("bench", "cached"),
        "uncached read": metric_path("bench", "uncached"),
    }
    samples = {name: [] for name in paths}
    for _ in range(rounds):
        for name, path in paths.items():
            samples[name].append(run_round(weir, path, requests))
    floor = statistics.median(samples["health"])
    print(f"{'request':<14}{'CPU us':>8}{'ratio to health':>18}")
    for name, values in samples.items():
        print(f"{name:<14}{statistics.median(values):>8.1f}{statistics.median(values) / floor:>18.2f}")


def run(rounds=5, requests=4000):
    """Prints the table; `requests` are those of a round, of each kind."""
    backend = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Backend)
    threading.Thread(target=backend.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory(prefix="weir-bench-") as folder:
        weir = Weir(Path(folder) / "weir", CONFIG.format(port=backend.server_address[1]))
        weir.start()
        try:
            print(f"resident after start: {resident_kib(weir.process.pid)} KiB")
            measure(weir, rounds, requests)
            print(f"resident at the end: {resident_kib(weir.process.pid)} KiB")
        finally:
            weir.stop()
            backend.shutdown()
