"""Other adapters, measured by the URL of one metric: NAME=URL[,ca=FILE][,cert=FILE][,key=FILE][,pid=N]."""
import argparse
import urllib.parse
from dataclasses import dataclass

FORM = "write NAME=https://HOST:PORT/apis/external.metrics.k8s.io/v1beta1/...,ca=FILE[,cert=FILE,key=FILE][,pid=N]"


@dataclass(frozen=True)
class Peer:
    """pid: of its process, on this machine; without it there is no CPU time."""
    name: str
    address: str
    host: str
    port: int
    path: str
    ca: str
    cert: str = None
    key: str = None
    pid: int = None


def parse_peer(text):
    """For argparse: its ArgumentTypeError says what to write instead."""
    name, has_url, rest = text.partition("=")
    url, *settings = rest.split(",")
    parts = urllib.parse.urlsplit(url)
    options = dict(setting.partition("=")[::2] for setting in settings)
    if not has_url or parts.scheme != "https" or not parts.port or "ca" not in options or set(options) - {"ca", "cert", "key", "pid"}:
        raise argparse.ArgumentTypeError(f"{text}: {FORM}")
    address = "127.0.0.1" if parts.hostname == "localhost" else parts.hostname
    path = parts.path + ("?" + parts.query if parts.query else "")
    return Peer(name, address, parts.netloc, parts.port, path, options["ca"], options.get("cert"), options.get("key"),
                int(options["pid"]) if "pid" in options else None)
