"""Executes the plan: a thread for each backend, and a thread for Weir."""
import collections
import threading
import time

from plan import RELAYED, steps

HOUR = 3600
STEPS = 2000  # more than any run has time for


class Injector:
    """`apply(step)` and `undo(step)` of `target` inject and clear one fault. `done` counts the kinds that were injected."""

    def __init__(self, seed, name, target):
        self.name = name
        self._steps = steps(seed, name, STEPS)
        self._target = target
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"faults of {name}")
        self.step_counts = collections.Counter()
        self.problem = None

    def start(self):
        self._thread.start()
        return self

    def stop(self):
        """Returns when the last fault is cleared."""
        self._end.set()
        self._thread.join(60)

    def _run(self):
        try:
            for step in self._steps:
                if self._end.wait(step.rest):
                    return
                self._target.apply(step)
                try:
                    self._end.wait(step.seconds)
                finally:
                    self._target.undo(step)
                self.step_counts[step.kind] += 1
        except Exception as problem:  # told by the test, which looks at every injector
            self.problem = problem

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


class BackendFaults:
    """Faults of the relay, and those of the source's own `acts`."""

    def __init__(self, source):
        self._source = source
        self._acts = source.acts()

    def apply(self, step):
        if step.kind in RELAYED:
            self._source.relay.spoil(step.kind, step.number)
        else:
            self._acts[step.kind][0]()

    def undo(self, step):
        if step.kind in RELAYED:
            self._source.relay.clear()
        else:
            self._acts[step.kind][1]()


class WeirPauses:
    """Stops Weir and lets it go on. `pauses` are the spans in which it may have been stopped, `stops` those in which it was."""

    def __init__(self, weir):
        self._weir = weir
        self.pauses, self.stops = [], []

    def apply(self, _):
        self._paused_at = time.monotonic()
        self._weir.process.suspend()
        self._stopped_at = time.monotonic()

    def undo(self, _):
        self.stops.append((self._stopped_at, time.monotonic()))
        self._weir.process.resume()
        self.pauses.append((self._paused_at, time.monotonic()))


class WeirFaults:
    """`config_of(n)` is a configuration that differs from any other n's, and means the same."""

    def __init__(self, weir, clock, config_of):
        self._weir, self._clock, self._config_of = weir, clock, config_of
        self._usual = clock.offset

    def apply(self, step):
        if step.kind == "clock":
            self._clock.jump(self._usual + step.number % (2 * HOUR) - HOUR)
        else:
            self._weir.write_config(self._config_of(step.number))

    def undo(self, step):
        if step.kind == "clock":
            self._clock.jump(self._usual)
        else:
            self._weir.write_config(self._config_of(0))
