"""Checks whether each response was true: pure, from the logs of the writer and the readers. All times are monotonic seconds.

A number is right when the backend may have held it at some instant from `allowed age` before the read to its end. An
error is right when it came in time.
"""
import bisect
import collections
from dataclasses import dataclass


@dataclass(frozen=True)
class Change:
    """The backend is made to hold `value`, by an order given at `before` and acknowledged at `after`.

    after  None: it is not known whether the order was carried out
    most   any value from `value` to `most`: a crash, of which nobody knows what it left
    """
    before: float
    after: float
    value: int
    most: int = None


@dataclass(frozen=True)
class Read:
    """One answer: `value` is None for an error."""
    metric: int
    began: float
    ended: float
    status: int
    value: object


@dataclass(frozen=True)
class Rule:
    """What the configuration promises of a metric, in seconds."""
    freshness: float
    deadline: float
    hold: float = 0.0  # a fallback's, from the last good reading on

    @property
    def allowed_age(self):
        """A cached value is younger than its freshness when it is returned; a query in flight is at most as old as its deadline."""
        return max(self.freshness + self.deadline, self.hold)


class Truth:
    """When a backend may have held which value."""

    def __init__(self, changes):
        ordered = sorted(changes, key=lambda change: change.before)
        self._spans = collections.defaultdict(list)  # value -> [(first, last)]
        self._ranges = []  # (first, last, least, most)
        last = float("inf")  # the instant at which a later change had certainly taken effect
        for change in reversed(ordered):
            if change.most is None:
                self._spans[change.value].append((change.before, last))
            else:
                self._ranges.append((change.before, last, change.value, change.most))
            if change.after is not None:
                last = min(last, change.after)
        for spans in self._spans.values():
            spans.sort()

    def may_have_had(self, value, first, last):
        """At some instant from `first` to `last`."""
        spans = self._spans.get(value, ())
        if any(begins <= last and ends >= first for begins, ends in spans):
            return True
        return any(begins <= last and ends >= first and least <= value <= most
                   for begins, ends, least, most in self._ranges)

    def ages(self, value, at):
        """How long before `at` the value was last possible; None: it never was."""
        ends = [last for first, last in self._spans.get(value, ()) if first <= at]
        return at - max(ends) if ends else None


@dataclass(frozen=True)
class Wrong:
    """A read that breaks a promise, and which."""
    read: Read
    why: str

    def __str__(self):
        what = self.read.value if self.read.status == 200 else f"HTTP {self.read.status}"
        return f"metric {self.read.metric}, {self.read.began:.3f} to {self.read.ended:.3f}: {what}: {self.why}"


class Stalls:
    """When the machine let nobody run, as the readers and the driver noticed: (first, last), in no order."""

    def __init__(self, spans=()):
        self._spans = sorted(spans)
        self._longest = max((last - first for first, last in self._spans), default=0.0)

    def within(self, first, last):
        """Seconds of [first, last] in which nobody ran."""
        total, reached = 0.0, first
        start = bisect.bisect_left(self._spans, (first - self._longest, 0.0))
        for begins, ends in self._spans[start:]:
            if begins >= last:
                break
            begins, ends = max(begins, reached), min(ends, last)
            total += max(0.0, ends - begins)
            reached = max(reached, ends)
        return total


def find_wrong_reads(reads, truths, rules, stalls=Stalls(), slack=0.050):
    """Every Wrong of the reads. `truths` and `rules` are by metric; an error may be late by `slack` and the stalls."""
    for read in reads:
        rule = rules[read.metric]
        if read.status == 200:
            if not truths[read.metric].may_have_had(read.value, read.began - rule.allowed_age, read.ended):
                yield Wrong(read, _why(read, truths[read.metric], rule))
            continue
        limit = rule.deadline + slack + stalls.within(read.began, read.ended)
        if read.ended - read.began > limit:
            took, most = (1000 * seconds for seconds in (read.ended - read.began, limit))
            yield Wrong(read, f"an error after {took:.0f} ms, where {most:.0f} are allowed")


def _why(read, truth, rule):
    age = truth.ages(read.value, read.began)
    if age is None:
        return "the backend never held this before the read's end"
    return f"the backend's {age:.3f} s before the read, where {rule.allowed_age:.3f} are allowed"
