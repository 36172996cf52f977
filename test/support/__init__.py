"""Real servers for tests and for the demo: in the foreground, on free loopback ports, stopped by pid.

With test/ on sys.path: `from support import Prometheus, Weir, make_certificates`.
A missing tool raises MissingTool, which names the package. Nothing is skipped.
"""
from .case import ServerTest
from .certificates import ROOT, Certificates, make_certificates, shared_certificates
from .config import config, metric, prometheus_backend
from .kube_apiserver import (ACCESS_REVIEWS, CLOSE, CONFIG_MAPS, HANG, TOKEN_REVIEWS, KubeApiserver, Raw, Refuse,
                             cluster_config)
from .processes import (MissingTool, NotReady, Process, deferred_interrupts, free_port, require,
                        wait_until)
from .prometheus import Prometheus, Series
from .quantities import parse_quantity
from .rabbitmq import RabbitMQ, quoted
from .raw import answer_to, raw_tls, read_answers, read_to_end
from .redis import Redis
from .scripted import Asked, ScriptedServer, Turn, refusal, vector
from .weir import GROUP, HPA_USER, Response, Weir, frugal_environment, is_sanitized, metric_path, run_weir, weir_binary

__all__ = [
    "ACCESS_REVIEWS", "Asked", "CLOSE", "CONFIG_MAPS", "Certificates", "GROUP", "HANG", "HPA_USER", "KubeApiserver",
    "MissingTool", "NotReady", "Process", "Prometheus", "ROOT", "RabbitMQ", "Raw", "Redis", "Refuse",
    "Response", "ScriptedServer", "Series", "ServerTest", "TOKEN_REVIEWS", "Turn", "Weir", "answer_to", "cluster_config", "config",
    "deferred_interrupts", "free_port", "frugal_environment", "is_sanitized", "make_certificates", "metric",
    "metric_path", "parse_quantity",
    "prometheus_backend", "quoted", "raw_tls", "read_answers", "read_to_end", "refusal", "require", "run_weir",
    "shared_certificates", "vector", "wait_until", "weir_binary",
]
