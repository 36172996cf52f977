"""The fields of a row: a fault of a backend, and the response that Weir must give during the fault."""
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Row:
    """One fault of one backend, and what a read of it has to be while the fault holds.

    backend   a Backend
    fault     the number in the fault matrix
    rule      the test's name after the two, stated as a rule
    make      make(place) -> the Fault
    status    of the first read; 200 only where a number is right
    value     the quantity that goes with 200
    message   the whole message after "metric ml-inference/faulty: KIND faulty: "
    message_regex  found in the message, where the message is not fixed
    timing    "fast": under a second; "deadline": at the deadline; "in time": at the deadline at the latest
    deadline_ms  of the metric
    metric_settings  further settings of the metric
    concurrent_reads  how many more reads there are, all at once, each with a query of its own
    concurrent_statuses  the statuses that the concurrent reads may have; none: the first read's
    concurrent_reads_are_fast  whether the concurrent reads have to be answered within a second
    resources_return_to_baseline  whether threads and file descriptors come back to what they were
    max_growth_mib  the most that the resident memory may grow, at its peak; 0: any
    max_reserved_mib  the most that the address space may grow; 0: any
    serves_cached  whether a cached value that is still fresh is given again while the fault holds
    recovers  whether the fault can be cleared, and the right number follows
    recovery_seconds  the most that the recovery may take
    recovers_at_once  whether the very next read has the right number
    extra_checks  further checks, each check(test, row, fault, weir), while the fault holds
    """
    backend: object
    fault: str
    rule: str
    make: object
    status: int = 503
    value: str = ""
    message: str = ""
    message_regex: str = ""
    timing: str = "in time"
    deadline_ms: int = 1000
    metric_settings: dict = field(default_factory=dict)
    concurrent_reads: int = 0
    concurrent_statuses: tuple = ()
    concurrent_reads_are_fast: bool = False
    resources_return_to_baseline: bool = False
    max_growth_mib: int = 0
    max_reserved_mib: int = 0
    serves_cached: bool = False
    recovers: bool = True
    recovery_seconds: float = 2.0
    recovers_at_once: bool = False
    extra_checks: tuple = ()

    @property
    def name(self):
        return f"{self.fault}_{self.backend.name}_{self.rule}"


def row(backend, fault, rule, make, status=503, value="", **fields):
    """A Row with what the rows of `fault` have in common, unless `fields` says otherwise."""
    return Row(backend, fault, rule, make, status, value, **{**_defaults_of(fault), **fields})


def _defaults_of(fault):
    if fault in ("F08", "F09", "F13", "F14"):
        return {"recovers": False}  # of a response's content: the connection stays
    if fault in ("F02", "F03", "F04"):
        return {"recovery_seconds": 3.5}  # attempts lie up to two seconds apart, and an error is cached for one
    if fault in ("F21", "F22"):
        # The same, or: a look-up asks a silent name server again after one second, a failed one is cached for another.
        return {"recovery_seconds": 4.5}
    return {}
