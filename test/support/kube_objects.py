"""The Kubernetes objects of a Weir in a cluster, as its kube-apiserver returns them: paths and objects."""
import base64

API_SERVICE = "/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.external.metrics.k8s.io"
DISCOVERY = "/apis/external.metrics.k8s.io/v1beta1"
HPAS = "/apis/autoscaling/v2/horizontalpodautoscalers"
POD = "/api/v1/namespaces/weir-system/pods/weir-0"
SERVICE = "/api/v1/namespaces/weir-system/services/weir"
SLICES = "/apis/discovery.k8s.io/v1/namespaces/weir-system/endpointslices"
VERSION = "/version"


def served_by(ports, ca, metrics, hpas=()):
    """Every object of a cluster where nothing is wrong: Weirs at these loopback ports, whose certificate `ca` signed."""
    def slices_of(query):
        matches = query.get("labelSelector") == "kubernetes.io/service-name=weir"
        return {"kind": "EndpointSliceList", "items": [_slice(n, port) for n, port in enumerate(ports)] if matches else []}

    return {
        VERSION: {"gitVersion": "v1.36.2"},
        API_SERVICE: {
            "kind": "APIService", "metadata": {"name": "v1beta1.external.metrics.k8s.io"},
            "spec": {"service": {"namespace": "weir-system", "name": "weir", "port": 443},
                     "caBundle": base64.b64encode(ca.read_bytes()).decode()},
            "status": {"conditions": [{"type": "Available", "status": "True", "reason": "Passed",
                                       "message": "all checks passed"}]}},
        SERVICE: {"kind": "Service", "metadata": {"name": "weir", "namespace": "weir-system"},
                  "spec": {"type": "ClusterIP", "ports": [{"name": "https", "port": 443, "targetPort": "https"}]}},
        SLICES: slices_of,
        POD: {"kind": "Pod", "spec": {"serviceAccountName": "weir"}},
        DISCOVERY: {"kind": "APIResourceList",
                    "resources": [{"name": name} for name in (*metrics, "externalmetrics")]},
        HPAS: {"kind": "HorizontalPodAutoscalerList", "metadata": {}, "items": list(hpas)},
    }


def _slice(n, port):
    return {"ports": [{"name": "metrics", "port": 9090}, {"name": "https", "port": port}],
            "endpoints": [{"addresses": ["127.0.0.1"], "conditions": {"ready": True},
                           "targetRef": {"kind": "Pod", "name": f"weir-{n}"}}]}


def external(name, labels=None, expressions=(), **target):
    """An External metric of an HPA; without a target averageValue 10."""
    selector = {**({"matchLabels": labels} if labels else {}),
                **({"matchExpressions": list(expressions)} if expressions else {})}
    target = target or {"type": "AverageValue", "averageValue": "10"}
    return {"type": "External", "external": {"metric": {"name": name, **({"selector": selector} if selector else {})},
                                             "target": target}}


def hpa(namespace, name, *metrics, conditions=(), owners=()):
    return {"metadata": {"namespace": namespace, "name": name, "ownerReferences": list(owners)},
            "spec": {"metrics": list(metrics)}, "status": {"conditions": list(conditions)}}
