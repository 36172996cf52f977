"""What the demo asks, what the exporter offered, and whether the two agree."""
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Callable, Optional

import exporter
from hpa import Hpa, verdict
from support import parse_quantity

EXACT = 0.001    # gauges, and quantiles: ratios of counters that grow in step
GROWING = 0.02   # rate() extrapolates from the scrapes to the edges of its window
PREDICTED_SECONDS = 600


@dataclass(frozen=True)
class Case:
    """One question of an HPA. `offered(at, since)` gives [(labels, value)] for the time of Weir's answer.

    An error instead: its HTTP status, and words its text must hold.
    """
    namespace: str
    metric: str
    selector: Optional[str] = None
    offered: Optional[Callable] = None
    tolerance: float = EXACT
    hpa: Optional[Hpa] = None
    status: int = 200
    words: tuple = ()

    @property
    def asked(self):
        return f"{self.namespace}/{self.metric}" + (f" {self.selector}" if self.selector else "")


def _constant(value, **labels):
    return lambda at, since: [(labels, value)]


def _queues(*names):
    return lambda at, since: [({"queue": name}, exporter.QUEUE_MESSAGES[name]) for name in names]


def _predicted(at, since):
    return [({}, exporter.batch_messages(at + PREDICTED_SECONDS, since))]


def _tokens(model):
    return _constant(exporter.TOKENS_PER_MINUTE[model], model=model)


CASES = [
    Case("ml-inference", "p95_latency", None,
         _constant(exporter.LATENCY_P95_SECONDS), EXACT, Hpa("value", "500m", 3, 20)),
    Case("ml-inference", "inference_queue_len", None,
         _constant(exporter.QUEUE_LEN_MEAN), EXACT, Hpa("value", "20", 3, 20)),
    Case("ml-inference", "tokens_per_minute", "model=gpt-3.5-turbo",
         _tokens("gpt-3.5-turbo"), GROWING, Hpa("averageValue", "5k", 1, 20)),
    Case("ml-inference", "tokens_per_minute", "model=gpt-4",
         _tokens("gpt-4"), GROWING, Hpa("averageValue", "5k", 2, 10)),
    Case("ml-inference", "request_rate", None,
         _constant(exporter.REQUESTS_PER_SECOND), GROWING, Hpa("averageValue", "100", 1, 10)),
    Case("ml-inference", "predicted_queue", None,
         _predicted, GROWING, Hpa("averageValue", "100", 8, 20)),
    Case("ml-inference", "queue_depth", "queue=inference_requests",
         _queues("inference_requests"), EXACT, Hpa("averageValue", "50", 2, 20)),
    Case("bookmarkai-ml", "queue_depth", "queue=ml.summarize",
         _queues("ml.summarize"), EXACT, Hpa("averageValue", "5", 8, 10)),
    Case("bookmarkai-ml", "queue_depth", "queue=ml.transcribe",
         _queues("ml.transcribe"), EXACT, Hpa("averageValue", "2", 3, 5)),
    Case("bookmarkai-ml", "queue_depth", "queue in (ml.embed,ml.summarize)",
         _queues("ml.embed", "ml.summarize"), EXACT, Hpa("averageValue", "10", 5, 20)),
    Case("bookmarkai-ml", "embedding_p95", None,
         _constant(0), EXACT, Hpa("value", "200m", 2, 20)),
    # Without an answer the HPA keeps its replicas: the error must name the metric and what to do.
    Case("bookmarkai-ml", "embedding_p95_unsaid", status=503, words=("embedding_p95_unsaid", "nan: 0")),
    Case("ml-inference", "worker_utilization", status=503, words=("worker_utilization",)),
    Case("ml-inference", "queue_depth", "queue=ml.sumarize", status=503, words=("queue_depth",)),
    Case("ml-inference", "p95_latencey", status=404, words=("p95_latency",)),
]


@dataclass(frozen=True)
class Outcome:
    """A case with Weir's answer, worded. `difference` is empty when the answer is what the exporter offered."""
    case: Case
    answer: str
    offered: str
    hpa: str
    difference: str
    error_text: str = ""


def judge(case, response, since):
    """Compares one answer with what the exporter offered at the time the answer names."""
    if case.status != 200 or response.status != 200:
        return _judge_error(case, response)
    try:
        items = response.json()["items"]
        got = [(item["metricLabels"] or {}, parse_quantity(item["value"])) for item in items]
        offered = case.offered(_seconds(items[0]["timestamp"]), since)
    except (ValueError, KeyError, IndexError, TypeError) as error:
        return Outcome(case, "200  unreadable", "a number", "",
                       f"not a list of external metric values ({error!r}): {response.text[:300]}")
    return Outcome(case, "200  " + " + ".join(item["value"] for item in items),
                   " + ".join(_number(value) for _, value in offered),
                   verdict(case.hpa, parse_quantity(case.hpa.target), [value for _, value in got]),
                   _difference(case, offered, got))


def _seconds(timestamp):
    return datetime.fromisoformat(timestamp.replace("Z", "+00:00")).timestamp()


def _judge_error(case, response):
    try:
        text = response.json()["message"]
    except (ValueError, KeyError, TypeError):
        text = response.text[:300]
    missing = [word for word in case.words if word not in text]
    difference = ""
    if response.status != case.status:
        difference = f"HTTP {response.status}, expected {case.status}"
    elif missing:
        difference = f"the text does not mention {missing}"
    offered = "a number" if case.status == 200 else "nothing"
    return Outcome(case, str(response.status), offered, "keeps its replicas, says why:", difference, text)


def _difference(case, offered, got):
    def by_labels(pair):
        return sorted(pair[0].items())
    offered, got = sorted(offered, key=by_labels), sorted(got, key=by_labels)
    if [labels for labels, _ in offered] != [labels for labels, _ in got]:
        return f"metricLabels {[labels for labels, _ in got]}, expected {[labels for labels, _ in offered]}"
    for (_, expected), (_, value) in zip(offered, got):
        if abs(float(value) - expected) > case.tolerance * abs(expected):
            return f"got {_number(value)}, the exporter offered {_number(expected)} (tolerance {case.tolerance:.1%})"
    return ""


def _number(value):
    text = f"{Decimal(value):.3f}".rstrip("0")
    return text[:-1] if text.endswith(".") else text
