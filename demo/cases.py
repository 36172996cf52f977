"""The reads of the demo, the data of the sources, and the comparison with Weir's responses."""
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Callable, Optional
from zoneinfo import ZoneInfo

import exporter
import queues
from hpa import Hpa, verdict
from support import parse_quantity, served

COUNTED = 0      # messages and keys are counted exactly
EXACT = 0.001    # gauges, and quantiles: ratios of counters that grow in step
GROWING = 0.02   # because rate() extrapolates from the scrapes to the edges of its window
PREDICTED_SECONDS = 600


@dataclass(frozen=True)
class Case:
    """A read of an HPA. `expected(at, since)` returns [(labels, value)] for the time of Weir's value.

    For an error: its HTTP status, and texts that the error must contain.
    """
    namespace: str
    metric: str
    selector: Optional[str] = None
    expected: Optional[Callable] = None
    tolerance: float = EXACT
    hpa: Optional[Hpa] = None
    status: int = 200
    words: tuple = ()

    @property
    def query_text(self):
        return f"{self.namespace}/{self.metric}" + (f" {self.selector}" if self.selector else "")


def _constant(value, **labels):
    return lambda at, since: [(labels, value)]


def _ready(*names):
    """An item for each queue, with the labels of the selector."""
    return lambda at, since: [({"queue": name}, queues.READY[name]) for name in names]


def _predicted(at, since):
    return [({}, exporter.batch_messages(at + PREDICTED_SECONDS, since))]


def _office_hours(at, since):
    local = datetime.fromtimestamp(at, ZoneInfo("Europe/Berlin"))
    is_open = {5: 8 <= local.hour < 12, 6: False}.get(local.weekday(), 8 <= local.hour < 18)
    return [({}, (4 if local.weekday() == 5 else 8) if is_open else 2)]


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
    Case("bookmarkai-ml", "embedding_p95", None,
         _constant(0), EXACT, Hpa("value", "200m", 2, 20)),

    Case("ml-inference", "queue_depth", "queue=inference_requests",
         _ready("inference_requests"), COUNTED, Hpa("averageValue", "50", 2, 20)),
    Case("bookmarkai-ml", "queue_depth", "queue=ml.summarize",
         _ready("ml.summarize"), COUNTED, Hpa("averageValue", "5", 8, 10)),
    Case("bookmarkai-ml", "queue_depth", "queue=ml.transcribe",
         _ready("ml.transcribe"), COUNTED, Hpa("averageValue", "2", 3, 5)),
    Case("bookmarkai-ml", "queue_depth", "queue=ml.embed",
         _ready("ml.embed"), COUNTED, Hpa("averageValue", "10", 1, 20)),
    Case("bookmarkai-ml", "queue_depth", "queue in (ml.embed,ml.summarize)",
         _ready("ml.embed", "ml.summarize"), COUNTED, Hpa("averageValue", "10", 5, 20)),
    Case("ml-inference", "inference_requests", None,
         _constant(queues.READY["inference_requests"]), COUNTED, Hpa("averageValue", "50", 2, 20)),
    Case("ml-inference", "gpu_inference_requests", None,
         _constant(queues.READY["gpu_inference_requests"]), COUNTED, Hpa("averageValue", "10", 2, 5)),
    Case("ml-inference", "high_priority_requests", None,
         _constant(queues.READY["high_priority_requests"]), COUNTED, Hpa("averageValue", "5", 2, 10)),
    Case("bookmarkai-ml", "transcribe_unfinished", None,
         _constant(queues.MESSAGES["ml.transcribe"]), COUNTED, Hpa("averageValue", "2", 3, 5)),
    Case("bookmarkai-ml", "ml_messages", None,
         _constant(sum(count for name, count in queues.MESSAGES.items() if name.startswith("ml."))), COUNTED,
         Hpa("averageValue", "10", 5, 20)),
    Case("default", "cities", None,
         _constant(queues.CITIES), COUNTED, Hpa("averageValue", "10", 20, 100)),
    Case("default", "office_hours", None, _office_hours, COUNTED, Hpa("averageValue", "1", 2, 20)),

    # On an error the HPA keeps its replicas: the error must name the metric and the fix.
    Case("bookmarkai-ml", "embedding_p95_unsaid", status=503, words=("embedding_p95_unsaid", "nan: 0")),
    Case("ml-inference", "worker_utilization", status=503, words=("worker_utilization",)),
    Case("bookmarkai-ml", "queue_depth", "queue=ml.sumarize", status=404,
         words=("queue_depth", f'queue "ml.sumarize" does not exist in vhost "{queues.VHOST}"')),
    Case("default", "cities_seen", status=503, words=(f'key "{queues.SEEN_KEY}" is a set, not a list',)),
    Case("ml-inference", "p95_latencey", status=404, words=('"p95_latency"',)),
    Case("ml-inference", "high_priority_request", status=404, words=('"high_priority_requests"',)),
]


@dataclass(frozen=True)
class Outcome:
    """A case with Weir's response as text. `difference` is empty when the value equals the data of the source."""
    case: Case
    answer: str
    expected: str
    hpa: str
    difference: str
    error_text: str = ""


def compare(case, response, since):
    """Compares a response with the data of the source at the time of the value."""
    if case.status != 200 or response.status != 200:
        return _compare_error(case, response)
    try:
        items = response.json()["items"]
        actual = [(item["metricLabels"] or {}, parse_quantity(item["value"])) for item in items]
        expected = case.expected(_seconds(items[0]["timestamp"]), since)
    except (ValueError, KeyError, IndexError, TypeError) as error:
        return Outcome(case, "200  unreadable", "a number", "",
                       f"not a list of external metric values ({error!r}): {response.text[:300]}")
    return Outcome(case, "200  " + " + ".join(f"{value:.6g}" for _, value in actual),
                   " + ".join(_number(value) for _, value in expected),
                   verdict(case.hpa, parse_quantity(case.hpa.target), [value for _, value in actual]),
                   _difference(case, expected, actual))


def _seconds(timestamp):
    return datetime.fromisoformat(timestamp.replace("Z", "+00:00")).timestamp()


def _compare_error(case, response):
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
    expected = "a number" if case.status == 200 else "no number"
    return Outcome(case, str(response.status), expected, "keeps its replicas, with this reason:", difference, text)


def _difference(case, expected, actual):
    def by_labels(pair):
        return sorted(pair[0].items())
    expected, actual = sorted(expected, key=by_labels), sorted(actual, key=by_labels)
    if [labels for labels, _ in expected] != [labels for labels, _ in actual]:
        return f"metricLabels {[labels for labels, _ in actual]}, expected {[labels for labels, _ in expected]}"
    for (_, source_value), (_, value) in zip(expected, actual):
        low, high = sorted(served(source_value * (1 + step * case.tolerance)) for step in (-1, 1))
        if not low <= value <= high:
            return f"got {_number(value)}, expected {_number(source_value)} (tolerance {case.tolerance:.1%})"
    return ""


def _number(value):
    text = f"{Decimal(value):.3f}".rstrip("0")
    return text[:-1] if text.endswith(".") else text
