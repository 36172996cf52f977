"""Real servers for tests and for the demo: in the foreground, on free loopback ports, stopped by pid.

With test/ on sys.path: `from support import Prometheus, Weir, make_certificates`.
A missing tool raises MissingTool, which names the package. Nothing is skipped.
"""
from . import doctor
from .case import ServerTest
from .certificates import ROOT, Certificates, MakesPairs, make_certificates, shared_certificates
from .clock import WallClock
from .config import config, metric, prometheus_backend
from .doctor import DoctorCase
from .kube_apiserver import (ACCESS_REVIEWS, CLOSE, CONFIG_MAPS, HANG, SELF_REVIEWS, TOKEN_REVIEWS, KubeApiserver, Raw,
                             Refuse, cluster_config)
from .kube_objects import (API_SERVICE, DISCOVERY, HPAS, POD, SERVICE, SLICES, VERSION, external, hpa, served_by)
from .net import FarNetwork, ForwardProxy, Http2Front, SocksProxy, TlsFront
from .processes import (MissingTool, NotReady, Process, deferred_interrupts, free_port, require,
                        wait_until)
from .prometheus import Prometheus, Series
from .quantities import parse_quantity, served
from .rabbitmq import RabbitMQ, quoted
from .raw import answer_to, raw_tls, read_answers, read_to_end
from .redis import Redis, RedisError
from .redis_cluster import RedisCluster, slot_of
from .redis_sentinel import RedisSentinel, Sentinel
from .scale import scaled
from .scripted import RecordedRequest, ScriptedServer, Turn, refusal, vector
from .secrets import MountedSecret
from .weir import GROUP, HPA_USER, Response, Weir, frugal_environment, is_sanitized, kind_names, metric_path, run_weir, weir_binary

__all__ = [
    "ACCESS_REVIEWS", "API_SERVICE", "CLOSE", "CONFIG_MAPS", "Certificates", "DISCOVERY", "DoctorCase",
    "FarNetwork", "ForwardProxy", "SocksProxy", "TlsFront",
    "GROUP", "HANG", "HPAS", "HPA_USER", "KubeApiserver", "MakesPairs", "MissingTool", "MountedSecret", "NotReady", "POD", "Process",
    "Prometheus", "RecordedRequest",
    "ROOT", "RabbitMQ", "Raw", "Redis", "RedisCluster", "RedisError", "RedisSentinel", "Refuse", "Response", "SELF_REVIEWS",
    "SERVICE", "SLICES", "ScriptedServer", "Sentinel",
    "Series", "ServerTest", "TOKEN_REVIEWS", "Turn", "VERSION", "WallClock", "Weir", "answer_to", "cluster_config",
    "config", "deferred_interrupts", "doctor", "external", "free_port", "frugal_environment", "hpa", "is_sanitized", "kind_names",
    "make_certificates", "metric", "metric_path", "parse_quantity", "prometheus_backend", "quoted", "raw_tls", "served",
    "read_answers", "read_to_end", "refusal", "require", "run_weir", "scaled", "served_by", "shared_certificates",
    "slot_of", "vector",
    "wait_until", "weir_binary",
]
