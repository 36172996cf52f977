"""Checks whether each response was true: pure, from the logs of the writer and the readers. All times are monotonic seconds.

A number is right when the backend may have held it at some instant from `allowed age` before the read to its end. An
error is right when it came in time. A Promise says what is checked beyond that.
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
    """One answer: `value` is None for an error. `stamp` is the timestamp of the value, in seconds since 1970."""
    metric: int
    began: float
    ended: float
    status: int
    value: object
    stamp: float = None


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

    @property
    def age_at_end(self):
        """A read may join a query which began that long before, and wait for it until its own deadline."""
        return max(max(self.freshness, self.deadline) + self.deadline, self.hold)


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
    """A read that breaks a promise, and which: its number, its timestamp, or the time that it took (late)."""
    read: Read
    kind: str
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

    def overlapping(self, first, last):
        """The spans that have a part in [first, last]."""
        start = bisect.bisect_left(self._spans, (first - self._longest, 0.0))
        return [span for span in self._spans[start:bisect.bisect_right(self._spans, (last, 0.0))] if span[1] >= first]


@dataclass(frozen=True)
class Promise:
    """What is promised of a read.

    slack           an error may be late by so many seconds, and by the stalls and the pauses
    covers_numbers  a number comes in time as well, and it and its timestamp are true when the read ends
    pauses          when Weir may have been stopped, which is not running time; but a number from before is not younger for it
    stops           when it certainly was: each within one of the pauses
    wall_offset     wall clock less monotonic clock
    """
    slack: float = 0.050
    covers_numbers: bool = False
    pauses: Stalls = Stalls()
    stops: Stalls = Stalls()
    wall_offset: float = 0.0


def find_wrong_reads(reads, truths, rules, stalls=Stalls(), promise=Promise(), excused=None):
    """Every Wrong of the reads. `truths` and `rules` are by metric. `excused` is filled with the stops that excuse a number."""
    excused = set() if excused is None else excused
    for read in reads:
        rule = rules[read.metric]
        if read.status == 200:
            if not truths[read.metric].may_have_had(read.value, read.began - rule.allowed_age, read.ended):
                yield Wrong(read, "number", _why(read, truths[read.metric], rule))
                continue
            if not promise.covers_numbers:
                continue
            wrong = _wrong_at_end(read, truths[read.metric], rule, stalls, promise)
            if wrong and not _is_excused(read, promise, excused):
                yield wrong
        limit = rule.deadline + promise.slack + _time_not_run(read, stalls, promise)
        if read.ended - read.began > limit:
            took, most = (1000 * seconds for seconds in (read.ended - read.began, limit))
            what = "a number" if read.status == 200 else "an error"
            yield Wrong(read, "late", f"{what} after {took:.0f} ms, where {most:.0f} are allowed")


def _time_not_run(read, stalls, promise):
    pauses = promise.pauses.within(read.began, read.ended)
    # One may contain the other; the longer sum only allows more, by less than the stall.
    return stalls.within(read.began, read.ended) + pauses


def _wrong_at_end(read, truth, rule, stalls, promise):
    """A number that was given in the end of its read was true shortly before, whatever happened to Weir in between."""
    age = rule.age_at_end + promise.slack + stalls.within(read.began, read.ended)
    # A read that was sent to a stopped Weir begins when Weir goes on.
    sent = max([last for first, last in promise.stops.overlapping(read.began, read.began)], default=read.began)
    first = max(read.ended - age, sent - rule.allowed_age)
    if not truth.may_have_had(read.value, first, read.ended):
        return Wrong(read, "number", f"not within {read.ended - first:.3f} s of the read's end, but before")
    at = read.stamp - promise.wall_offset
    # A timestamp has whole seconds, cut off.
    if not first - 1 <= at <= read.ended:
        return Wrong(read, "stamp", f"its timestamp is {read.ended - at:.3f} s before the read's end, "
                                    f"where 0 to {read.ended - first + 1:.3f} are allowed")
    return None


def _is_excused(read, promise, excused):
    """Weir may be stopped between the decision to give a number and the write of it: one read a pause."""
    for stop in promise.stops.overlapping(read.began, read.ended):
        if read.began <= stop[0] and read.ended >= stop[1] and stop not in excused:
            excused.add(stop)
            return True
    return False


def _why(read, truth, rule):
    age = truth.ages(read.value, read.began)
    if age is None:
        return "the backend never held this before the read's end"
    return f"the backend's {age:.3f} s before the read, where {rule.allowed_age:.3f} are allowed"
