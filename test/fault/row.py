"""What a row of the table says, and the place in which its fault is built."""
from dataclasses import dataclass, field
from pathlib import Path

REASONS = {404: "NotFound", 503: "ServiceUnavailable", 504: "Timeout"}
KINDS = {"redis": "redis", "prometheus": "prometheus", "amqp": "rabbitmq", "management": "rabbitmq"}


def usual(fault):
    """What the rows of a fault have in common, unless one says otherwise."""
    if fault in ("F08", "F09", "F13", "F14"):
        return {"recovers": False}  # of an answer's content: the connection stays
    if fault in ("F02", "F03", "F04"):
        return {"recovery": 3.5}  # attempts lie up to two seconds apart, and an error is kept for one
    if fault in ("F21", "F22"):
        # The same, or: a look-up asks a silent name server again after one second, a failed one is kept for another.
        return {"recovery": 4.5}
    return {}


@dataclass(frozen=True)
class Row:
    """One fault of one backend, and what a read of it has to be while the fault holds.

    fault     the number in the fault matrix
    backend   a key of KINDS
    rule      the test's name behind the two, stated as a rule
    make      make(place) -> the Fault
    status    of the first read; 200 only where a number is right
    value     the quantity that goes with 200
    text      all of the message behind "metric ml-inference/sick: KIND sick: "
    words     a pattern that is found in the message, where the text is not fixed
    when      "fast": under a second; "deadline": at the deadline; "in time": at the deadline at the latest
    deadline  of the metric, in milliseconds
    metric    further settings of the metric
    more      further questions, each a different one, all at once
    later     the statuses that those may have; none: the first one's
    more_fast  whether those have to be answered within a second
    is_flat   whether threads and file descriptors come back to what they were
    growth_mib  the most that the resident memory may grow, at its peak
    reserved_mib  the most that the address space may grow
    keeps     whether an answer that is still fresh is given again while the fault holds
    recovers  whether the fault can be mended, and is then forgotten
    recovery  within so many seconds
    at_once   with the very next read
    also      further checks, each check(test, row, fault, weir), while the fault holds
    """
    fault: str
    backend: str
    rule: str
    make: object
    status: int = 503
    value: str = ""
    text: str = ""
    words: str = ""
    when: str = "in time"
    deadline: int = 1000
    metric: dict = field(default_factory=dict)
    more: int = 0
    later: tuple = ()
    more_fast: bool = False
    is_flat: bool = False
    growth_mib: int = 0
    reserved_mib: int = 0
    keeps: bool = False
    recovers: bool = True
    recovery: float = 2.0
    at_once: bool = False
    also: tuple = ()

    @property
    def name(self):
        return f"{self.fault}_{self.backend}_{self.rule}"


@dataclass(frozen=True)
class Place:
    """Where a fault is built: a folder of its own, and the servers that all rows share."""
    folder: Path
    world: object
    name: str

    def secret(self, name, text):
        """A credential file, replaced in one step when it is there already."""
        file, beside = self.folder / name, self.folder / f"{name}.new"
        beside.write_text(text)
        beside.replace(file)
        return {"file": str(file)}


class Fault:
    """A backend that can be made sick: `backend` is its block of the configuration, `block` that of the metric.

    `well` is the value before it is sick, `healed` that of after; None: it is never well then.
    """
    well = healed = "3"
    answers_any = False  # whether each question has the same answer
    backend = {}
    block = {}
    launcher = ()  # how Weir is started, where its surroundings are part of the fault

    def __init__(self, place):
        self.place = place
        self.is_sick = False

    def start(self):
        """Starts what answers. The context's end stops it, whatever has happened."""

    def stop(self):
        pass

    def inject(self):
        """Returns when the fault holds."""
        self.is_sick = True

    def mend(self):
        self.is_sick = False

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()


def block_of(backend, **settings):
    """The metric's block for `backend`, with a question of its own for each value of the label `n`."""
    question = {"redis": {"key": "jobs$(n)"}, "amqp": {"queue": "jobs$(n)"}, "management": {"queue": "jobs$(n)"},
                "prometheus": {"query": 'label_replace(vector(3), "n", "$(n)", "", "")'}}[backend]
    return {"backend": "sick", **question, **settings}
