"""Weir's configuration from Python values. JSON is YAML."""
import json


def prometheus_backend(url, **settings):
    return {"prometheus": {"url": url, **settings}}


def metric(name, query, backend="prom", namespaces=("ml-inference",), kind=None, **settings):
    """An entry of `metrics`; `kind` holds further settings of its prometheus block."""
    return {"name": name, "namespaces": list(namespaces), "prometheus": {"backend": backend, "query": query,
            **(kind or {})}, **settings}


def config(backends, *metrics):
    """`backends` is a url, for the backend `prom`, or a map of backends."""
    if isinstance(backends, str):
        backends = {"prom": prometheus_backend(backends)}
    return json.dumps({"backends": backends, "metrics": list(metrics)}, indent=1)
