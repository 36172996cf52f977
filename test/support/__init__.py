"""Real servers for tests and for the demo: in the foreground, on free loopback ports, stopped by pid.

With test/ on sys.path: `from support import Prometheus, Weir, make_certificates`.
A missing tool raises MissingTool, which names the package. Nothing is skipped.
"""
from .certificates import Certificates, make_certificates, shared_certificates
from .processes import (MissingTool, NotReady, Process, deferred_interrupts, free_port, require,
                        wait_until)
from .prometheus import Prometheus, Series
from .quantities import parse_quantity
from .weir import Response, Weir, weir_binary

__all__ = [
    "Certificates", "MissingTool", "NotReady", "Process", "Prometheus", "Response", "Series", "Weir",
    "deferred_interrupts", "free_port", "make_certificates", "parse_quantity", "require",
    "shared_certificates", "wait_until", "weir_binary",
]
