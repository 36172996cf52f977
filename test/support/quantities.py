"""Kubernetes quantities, read independently of Weir's own code."""
import re
from decimal import ROUND_UP, Decimal

_SUFFIXES = {
    "n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3"), "": Decimal(1),
    "k": Decimal("1e3"), "M": Decimal("1e6"), "G": Decimal("1e9"), "T": Decimal("1e12"),
    "P": Decimal("1e15"), "E": Decimal("1e18"),
    "Ki": Decimal(2**10), "Mi": Decimal(2**20), "Gi": Decimal(2**30), "Ti": Decimal(2**40),
    "Pi": Decimal(2**50), "Ei": Decimal(2**60),
}
_FORM = re.compile(r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))(?:([eE][+-]?[0-9]+)|([numkMGTPE]i?|Ki)?)")


def parse_quantity(text):
    """The exact number of a quantity such as "1500m". ValueError when it is not a quantity."""
    match = _FORM.fullmatch(text)
    suffix = (match.group(3) or "") if match else None
    if suffix not in _SUFFIXES:
        raise ValueError(f"not a Kubernetes quantity: {text!r}")
    return Decimal(match.group(1) + (match.group(2) or "")) * _SUFFIXES[suffix]


def served(value):
    """The number that Weir serves for `value`: rounded away from zero to thousandths, below 1 to three digits, 1n at the finest."""
    number = Decimal(f"{value:.14e}")
    if number == number.to_integral_value():
        return number
    first_digit = number.adjusted()
    last_digit = -3 if first_digit >= 0 else max(first_digit - 2, -9)
    return number.quantize(Decimal(1).scaleb(last_digit), rounding=ROUND_UP)
