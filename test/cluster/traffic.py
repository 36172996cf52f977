"""Messages that go through a queue of the real broker at a steady rate."""
import threading
import time

BATCH_SECONDS = 0.1  # between two batches; a late one is as much larger


class Traffic:
    """As many messages in as out, `per_second`, in a thread of its own; `standing` stay in the queue throughout.

    A failure ends it, and is raised by stop().
    """

    def __init__(self, broker, queue, per_second, standing):
        self._broker, self._queue, self._per_second = broker, queue, per_second
        self._standing = standing
        self._stopped = threading.Event()
        self._failure = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self._broker.filled(self._queue, self._standing)
        self._thread.start()
        return self

    def stop(self):
        self._stopped.set()
        self._thread.join(30)
        if self._failure:
            raise self._failure

    def _run(self):
        start_time, moved = time.monotonic(), 0
        try:
            while not self._stopped.wait(BATCH_SECONDS):
                due = int(self._per_second * (time.monotonic() - start_time)) - moved
                self._broker.publish(self._queue, due)
                if due:
                    self._broker.get(self._queue, due)
                moved += due
        except (RuntimeError, OSError) as error:
            self._failure = error

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()
