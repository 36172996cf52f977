"""The replicas that an autoscaling/v2 HPA computes from an external metric: only the arithmetic of the HPA controller."""
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

TOLERANCE = Fraction(1, 10)  # --horizontal-pod-autoscaler-tolerance


@dataclass(frozen=True)
class Hpa:
    """A target as the user's HPA writes it. `kind` is "value" or "averageValue"."""
    kind: str
    target: str
    replicas: int
    most: int


def wanted_replicas(hpa, target, values):
    """The replicas wanted for the items' values, before the HPA's behavior policies slow the way there."""
    # The controller adds the items up in thousandths, each rounded up.
    usage = Fraction(sum(ceil(value * 1000) for value in values), 1000)
    ratio = usage / Fraction(target) / (1 if hpa.kind == "value" else hpa.replicas)
    if abs(ratio - 1) <= TOLERANCE:
        return hpa.replicas
    return min(hpa.most, max(1, ceil(ratio * hpa.replicas)))


def verdict(hpa, target, values):
    """For example "averageValue 50: 2 -> 3 replicas"."""
    return f"{hpa.kind} {hpa.target}: {hpa.replicas} -> {wanted_replicas(hpa, target, values)} replicas"
