"""What a process holds over time, and whether it grows: the judgement is pure."""
import statistics
import threading
import time
from dataclasses import dataclass
from pathlib import Path

PAGE_BYTES = 4096
WARM_UP = 0.2  # of the run: caches and arenas fill
BUCKETS = 40


@dataclass(frozen=True)
class Sample:
    """`at` is monotonic seconds; resident memory in bytes."""
    at: float
    resident: int
    descriptors: int
    threads: int


def growth(points):
    """How much the values grow over the run after its warm-up, by the Theil-Sen line: the median of all slopes.

    `points` are (time, value). One outlier, or ten, does not change it. Each bucket of time counts by its median.
    """
    first, last = points[0][0], points[-1][0]
    first += WARM_UP * (last - first)
    width = (last - first) / BUCKETS
    buckets = {}
    for at, value in points:
        if at >= first:
            buckets.setdefault(min(BUCKETS - 1, int((at - first) / width)), []).append(value)
    medians = [(number, statistics.median(values)) for number, values in sorted(buckets.items())]
    slopes = [(b - a) / (later - sooner) for i, (sooner, a) in enumerate(medians) for later, b in medians[i + 1:]]
    return statistics.median(slopes) * BUCKETS


class ResourceLog:
    """A thread that writes down what the process holds."""

    def __init__(self, pid, interval_seconds):
        self.samples = []
        self._process = Path(f"/proc/{pid}")
        self._interval = interval_seconds
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="resources")

    def _run(self):
        while not self._end.wait(self._interval):
            resident = int((self._process / "statm").read_text().split()[1]) * PAGE_BYTES
            self.samples.append(Sample(time.monotonic(), resident, sum(1 for _ in (self._process / "fd").iterdir()),
                                       sum(1 for _ in (self._process / "task").iterdir())))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        self._thread.join(10)
