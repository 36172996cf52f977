"""Reads without a pause while a secret rotates, and what Weir says about the credentials of its backends."""
import re
import threading


class ContinuousReads:
    """Reads one metric of `weir` on one connection until the end of the block; `failures` are the responses other than 200."""

    def __init__(self, weir, name):
        self._weir, self._name = weir, name
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.count, self.failures = 0, []

    def _run(self):
        with self._weir.persistent_reader() as read:
            while not self._is_over.wait(0.01):
                answer = read("ml-inference", self._name)
                self.count += 1
                if answer.status != 200:
                    self.failures.append(answer.text)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._is_over.set()
        self._thread.join()


def gauge(weir, name, **labels):
    """The value of one series of /metrics; None when it is not there."""
    page = weir.get("/metrics", {"X-Remote-User": "prometheus"}).text
    wanted = ",".join(f'{key}="{value}"' for key, value in labels.items())
    found = re.search(rf"^{re.escape(name)}{{{re.escape(wanted)}}} (\S+)$", page, re.MULTILINE)
    return float(found[1]) if found else None


def log_of(weir):
    return (weir.directory / "weir.log").read_text()
