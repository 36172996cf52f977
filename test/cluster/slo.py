"""The SLO's example as people run it: a pod that Prometheus scrapes, and the ways in which it scrapes it no more."""
import contextlib
import time
from dataclasses import dataclass

from support import Prometheus, ScriptedServer, free_port, wait_until

JOB = "inference"
RANGE_SECONDS = 60  # of the p95's rate, which has a value for as long after the last scrape
REQUESTS_A_SECOND = 10
SCRAPED_SECONDS = 30  # Prometheus hands new targets to its scrapers every 5 s


class Pod:
    """/metrics of an inference pod with a queue: every request takes below 0.1 s, while it is slow half of them below 5 s."""

    def __init__(self, queue_len):
        self._queue_len = queue_len
        self._server = ScriptedServer(lambda turn: turn.answer(self._page()))
        self._start_time = time.monotonic()
        self._slow_since = None
        self._slow_requests = 0  # of the times when it was slow, but for the last

    @property
    def target(self):
        return f"127.0.0.1:{self._server.port}"

    def start(self):
        self._server.start()  # on the same port whenever it starts again
        return self

    def stop(self):
        self._server.stop()

    def slow_down(self):
        self._slow_since = time.monotonic()

    def recover(self):
        self._slow_requests, self._slow_since = self._slow(), None

    def _slow(self):
        since = 0 if self._slow_since is None else time.monotonic() - self._slow_since
        return self._slow_requests + REQUESTS_A_SECOND * since

    def _page(self):
        fast, slow = int(REQUESTS_A_SECOND * (time.monotonic() - self._start_time)), int(self._slow())
        buckets = {"0.1": fast, "0.5": fast, "5": fast + slow, "+Inf": fast + slow}
        return "".join(f'inference_latency_seconds_bucket{{le="{le}"}} {count}\n' for le, count in buckets.items()) \
            + f"inference_queue_len {self._queue_len}\n"

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


class Scraped:
    """A pod with a Prometheus of its own, which scrapes it, and itself, every second."""

    def __init__(self, directory, queue_len):
        self.pod = Pod(queue_len)
        self._directory = directory
        self._stack = contextlib.ExitStack()

    def start(self):
        with contextlib.ExitStack() as stack:
            stack.enter_context(self.pod)
            port = free_port()
            self._jobs = {"prometheus": [f"127.0.0.1:{port}"], JOB: {"static_configs": [{"targets": [self.pod.target]}]}}
            self.prometheus = stack.enter_context(Prometheus(self._directory, scrape=self._jobs, port=port))
            self._stack = stack.pop_all()
        return self

    def stop(self):
        self._stack.close()

    def wait_scraped(self):
        """Until there is a rate, which two scrapes make."""
        wait_until(lambda: self.prometheus.query(f'sum(rate(inference_latency_seconds_bucket{{job="{JOB}"}}[1m]))'),
                   "the pod is scraped", SCRAPED_SECONDS, 0.1)

    def drop_job(self):
        self.prometheus.reload({job: targets for job, targets in self._jobs.items() if job != JOB})

    def rename_job(self):
        """By relabeling: the targets' label `job` is no longer the name that the queries have."""
        renamed = {"relabel_configs": [{"target_label": "job", "replacement": f"ml/{JOB}"}]}
        self.prometheus.reload({**self._jobs, JOB: {**self._jobs[JOB], **renamed}})

    def resume(self):
        """The pod up, as fast as it was at first, and scraped as at first."""
        self.pod.recover()
        self.pod.stop()
        self.pod.start()
        self.prometheus.reload(self._jobs)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


@dataclass(frozen=True)
class Incident:
    """Why a Prometheus scrapes the pod no more, in a namespace with the example's HPA."""
    namespace: str
    happen: object  # called with the Scraped
    causes: dict  # metric -> what the diagnosis says


def _stopped_scraping(cause):
    """Of both metrics: Prometheus marks series as ended when a scrape fails, or finds them no more."""
    return {metric: f'"{series}" had series within the last hour and has none now: {cause}' for metric, series in
            (("inference_p95_seconds", "inference_latency_seconds_bucket"), ("inference_queue_len", "inference_queue_len"))}


INCIDENTS = (
    # Series of a job that is removed are not marked: the queue has its last value for five minutes more.
    Incident("slo-missing", Scraped.drop_job,
             {"inference_p95_seconds": 'no series of "inference_latency_seconds_bucket" has two samples within [1m]: '
                                       f'scrape job "{JOB}" does not exist; existing scrape jobs: "prometheus" (1 of 1 up)'}),
    Incident("slo-down", lambda scraped: scraped.pod.stop(),
             _stopped_scraping(f'the only target of scrape job "{JOB}" is not up (last error: Get "[hidden]": dial tcp [hidden]: connect: '
                               'connection refused)')),
    Incident("slo-relabelled", Scraped.rename_job,
             _stopped_scraping(f'relabeling gives the targets of scrape job "{JOB}" the label job="ml/{JOB}"')),
)
OBJECTIVE = "slo-objective"  # the namespace of the one that goes on being scraped
