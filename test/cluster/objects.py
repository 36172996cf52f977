"""The objects that the scenarios create, as Python values, and the overlay that leads an APIService to loopback."""
import base64
import json
import shutil
from pathlib import Path

from support.certificates import ROOT

MANIFESTS = ROOT / "manifests"
SERVING = "made-by-certs-serving"  # where the base takes Weir's pair from
EXTERNAL_API = "v1beta1.external.metrics.k8s.io"


def weir_overlay(directory, port, certificates):
    """A kustomization in `directory`: manifests/base with Weir's serving pair, its Service an ExternalName to loopback.

    An endpoint on loopback is refused by the kube-apiserver and there is no kube-proxy for a cluster IP, but the
    aggregator dials the external name at the port of the APIService.
    """
    shutil.copytree(MANIFESTS, directory / "manifests", ignore=shutil.ignore_patterns(SERVING))
    pair = directory / "manifests" / "base" / SERVING
    pair.mkdir()
    for name, file in (("tls.crt", certificates.crt("serving")), ("tls.key", certificates.key("serving")),
                       ("ca.crt", certificates.crt("ca"))):
        shutil.copy(file, pair / name)
    service = [{"op": "replace", "path": "/spec", "value": loopback_service()}]
    api = [{"op": "replace", "path": "/spec/service/port", "value": port}]
    (directory / "kustomization.yaml").write_text(json.dumps({
        "apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": ["manifests/base"],
        "patches": [{"target": {"kind": "Service", "name": "weir"}, "patch": json.dumps(service)},
                    {"target": {"kind": "APIService", "name": EXTERNAL_API}, "patch": json.dumps(api)}]}))
    return directory


def loopback_service():
    return {"type": "ExternalName", "externalName": "127.0.0.1"}


def resource_metrics_objects(port, ca, group="metrics.k8s.io"):
    """The Service of the stub for metrics.k8s.io, and an APIService that leads to it."""
    service = {"apiVersion": "v1", "kind": "Service", "spec": loopback_service(),
               "metadata": {"name": "metrics-server", "namespace": "kube-system"}}
    api = {"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
           "metadata": {"name": f"v1beta1.{group}"},
           "spec": {"group": group, "version": "v1beta1", "groupPriorityMinimum": 100, "versionPriority": 100,
                    "caBundle": _bundle(ca),
                    "service": {"name": "metrics-server", "namespace": "kube-system", "port": port}}}
    return [service, api]


def deployment(name, replicas=1, cpu="100m", memory="64Mi"):
    labels = {"app": name}
    container = {"name": "worker", "image": "worker", "resources": {"requests": {"cpu": cpu, "memory": memory}}}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
            "spec": {"replicas": replicas, "selector": {"matchLabels": labels},
                     "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}}}}


def external(metric, target, selector=None, kind="AverageValue"):
    """One entry of an HPA's metrics."""
    key = {"AverageValue": "averageValue", "Value": "value"}[kind]
    name = {"name": metric, **({"selector": {"matchLabels": selector}} if selector else {})}
    return {"type": "External", "external": {"metric": name, "target": {"type": kind, key: str(target)}}}


def utilization(resource, percent):
    return {"type": "Resource", "resource": {"name": resource,
                                             "target": {"type": "Utilization", "averageUtilization": percent}}}


def hpa(name, metrics, least=1, most=20, scale_up=None):
    """An HPA for the Deployment of its name, which may shrink at once and grow by any step."""
    step = [{"type": "Pods", "value": 1000, "periodSeconds": 1}]
    behavior = {"scaleUp": {"stabilizationWindowSeconds": 0, "policies": step, **(scale_up or {})},
                "scaleDown": {"stabilizationWindowSeconds": 0, "policies": step}}
    return {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": name},
            "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
                     "minReplicas": least, "maxReplicas": most, "behavior": behavior, "metrics": metrics}}


def _bundle(ca):
    return base64.b64encode(Path(ca).read_bytes()).decode()
