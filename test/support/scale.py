"""How large a test's load is: $WEIR_SCALE times the size that CI has time for, which is 1. ./dev nightly raises it."""
import os


def scaled(size):
    """`size` is what CI runs. A scale that is not a number above zero is an error of the caller's environment."""
    scale = float(os.environ.get("WEIR_SCALE") or 1)
    if scale <= 0:
        raise ValueError(f"WEIR_SCALE={scale:g} is not above zero")
    return int(size * scale)
