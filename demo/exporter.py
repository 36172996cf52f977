#!/usr/bin/python3
"""The series of the users' documents, with known values: a stand-in for inference pods, workers and a batch queue.

Every value is a pure function of the time. Gauges are constant, counters grow at a constant rate, so what any
query must answer is known beforehand: the constants below are the whole truth, and demo/cases.py compares with them.
"""
import argparse
import os
import sys
import time
from collections import namedtuple
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

Sample = namedtuple("Sample", "name labels value")
Family = namedtuple("Family", "name kind help samples")

# Jobs waiting in each inference pod; the mean is 25.
QUEUE_LEN = {"inference-0": 18, "inference-1": 24, "inference-2": 33}
QUEUE_LEN_MEAN = 25

# Inferences per second and pod that took at most `le` seconds. Of 20, the 19th (95 %) lies halfway between
# 0.5 s (18) and 1 s (20), and so histogram_quantile says 0.75 s.
LATENCY_BUCKETS = {"0.01": 0, "0.05": 1, "0.1": 4, "0.25": 12, "0.5": 18, "1": 20, "2.5": 20, "5": 20, "10": 20,
                   "30": 20, "+Inf": 20}
LATENCY_SUM = 6.4
LATENCY_P95_SECONDS = 0.75

# Requests per second and pod at the model server; 3 pods make 120.
REQUEST_BUCKETS = {"0.1": 10, "0.5": 30, "1": 38, "+Inf": 40}
REQUEST_SUM = 14.0
REQUESTS_PER_SECOND = 120

# Tokens per second by model and type.
TOKENS = {("gpt-3.5-turbo", "prompt"): 90, ("gpt-3.5-turbo", "completion"): 30,
          ("gpt-4", "prompt"): 20, ("gpt-4", "completion"): 10}
TOKENS_PER_MINUTE = {"gpt-3.5-turbo": 7200, "gpt-4": 1800}

# The embedding model is idle: it has served 400 requests in its life, and none since.
EMBEDDING_BUCKETS = {"0.1": 250, "0.5": 390, "+Inf": 400}
EMBEDDING_SUM = 52.0

# Messages in the batch queue, which grows.
BATCH_QUEUE = "batch_inference_requests"
BATCH_FIRST, BATCH_PER_SECOND = 60, 0.25


def batch_messages(at, since):
    """Messages in the batch queue at the time `at`."""
    return BATCH_FIRST + BATCH_PER_SECOND * (at - since)


def _histogram(name, labels, buckets, total, scale):
    yield from (Sample(f"{name}_bucket", {**labels, "le": le}, count * scale) for le, count in buckets.items())
    yield Sample(f"{name}_sum", labels, total * scale)
    yield Sample(f"{name}_count", labels, buckets["+Inf"] * scale)


def _histograms(name, buckets, total, scale):
    return [sample for pod in QUEUE_LEN for sample in _histogram(name, {"pod": pod}, buckets, total, scale)]


def families(at, since):
    """All series at the time `at`, for an exporter whose counters stood at zero at the time `since`."""
    age = at - since
    return [
        Family("inference_latency_seconds", "histogram", "How long inferences took, waiting included.",
               _histograms("inference_latency_seconds", LATENCY_BUCKETS, LATENCY_SUM, age)),
        Family("inference_queue_len", "gauge", "Jobs waiting in the pod.",
               [Sample("inference_queue_len", {"pod": pod}, length) for pod, length in QUEUE_LEN.items()]),
        Family("ml_tokens_processed_total", "counter", "Tokens taken in and given out.",
               [Sample("ml_tokens_processed_total", {"model": model, "type": kind}, rate * age)
                for (model, kind), rate in TOKENS.items()]),
        Family("inference_request_duration_seconds", "histogram", "How long requests to the model server took.",
               _histograms("inference_request_duration_seconds", REQUEST_BUCKETS, REQUEST_SUM, age)),
        Family("ml_embedding_duration_seconds", "histogram", "How long embeddings took; idle since long.",
               list(_histogram("ml_embedding_duration_seconds", {}, EMBEDDING_BUCKETS, EMBEDDING_SUM, 1))),
        Family("rabbitmq_queue_messages", "gauge", "Messages in the queue.",
               [Sample("rabbitmq_queue_messages", {"queue": BATCH_QUEUE}, batch_messages(at, since))]),
    ]


def exposition(at, since):
    """The Prometheus text format."""
    lines = []
    for family in families(at, since):
        lines += [f"# HELP {family.name} {family.help}", f"# TYPE {family.name} {family.kind}"]
        for sample in family.samples:
            labels = ",".join(f'{name}="{value}"' for name, value in sample.labels.items())
            lines.append(f"{sample.name}{{{labels}}} {float(sample.value)!r}")
    return "\n".join(lines) + "\n"


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path != "/metrics":
            self.send_error(404, "only /metrics is here")
            return
        body = exposition(time.time(), self.server.since).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass  # a scrape a second is no news


def main():
    parser = argparse.ArgumentParser(description="Serves the demo's series at http://127.0.0.1:PORT/metrics.")
    parser.add_argument("port", type=int, nargs="?", default=0, help="0, the default, takes a free one")
    parser.add_argument("--port-file", type=Path, help="write the port taken to this file")
    parser.add_argument("--since", type=float, default=time.time() - 3600,
                        help="the time (seconds since 1970) at which the counters stood at zero; an hour ago")
    options = parser.parse_args()

    server = ThreadingHTTPServer(("127.0.0.1", options.port), _Handler)
    server.since = options.since
    port = server.server_address[1]
    if options.port_file:
        beside = options.port_file.with_suffix(".new")  # the reader sees all of the number or none of it
        beside.write_text(f"{port}\n")
        os.replace(beside, options.port_file)
    print(f"serving http://127.0.0.1:{port}/metrics", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main())
