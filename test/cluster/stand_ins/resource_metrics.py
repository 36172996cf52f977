"""metrics.k8s.io for the test cluster: each pod has the usage that the test sets for its namespace."""
import json
import time
import urllib.parse

from support import ScriptedServer

GROUP_VERSION = "metrics.k8s.io/v1beta1"
RESOURCES = {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": GROUP_VERSION, "resources": [
    {"name": "pods", "singularName": "", "namespaced": True, "kind": "PodMetrics", "verbs": ["get", "list"]}]}
HOST = "metrics-server.kube-system.svc"


class ResourceMetrics:
    """An aggregated API server of one list. `use` sets what every container of a namespace's pods uses.

    A namespace that was not set has no metrics, as before the first scrape of a metrics-server.
    """

    def __init__(self, api, certificates):
        self._api = api
        self._usage = {}
        certificates.issue("metrics-server", "ca", f"/CN={HOST}", "serverAuth", f"DNS:{HOST}")
        pair = certificates.crt("metrics-server"), certificates.key("metrics-server")
        self._server = ScriptedServer(self._play, tls=pair)

    @property
    def port(self):
        return self._server.port

    def use(self, namespace, cpu, memory):
        """Quantities, such as "250m" and "64Mi"."""
        self._usage[namespace] = {"cpu": cpu, "memory": memory}

    def start(self):
        self._server.start()
        return self

    def stop(self):
        self._server.stop()

    def _play(self, turn):
        path, _, query = turn.request.target.partition("?")
        parts = path.strip("/").split("/")
        if parts == ["apis", *GROUP_VERSION.split("/")]:
            turn.answer(json.dumps(RESOURCES))
        elif parts[1:4] == [*GROUP_VERSION.split("/"), "namespaces"] and parts[5:] == ["pods"]:
            turn.answer(json.dumps(self._pods(parts[4], query)))
        else:
            turn.answer(json.dumps({"kind": "Status", "status": "Failure", "code": 404}), "404 Not Found")

    def _pods(self, namespace, query):
        selector = urllib.parse.parse_qs(query).get("labelSelector", [""])[0]
        listing = self._api.get(f"/api/v1/namespaces/{namespace}/pods?"
                                + urllib.parse.urlencode({"labelSelector": selector}))
        usage = self._usage.get(namespace)
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        items = [{"metadata": {key: pod["metadata"].get(key) for key in ("name", "namespace", "labels")},
                  "timestamp": now, "window": "1s",
                  "containers": [{"name": container["name"], "usage": usage} for container in pod["spec"]["containers"]]}
                 for pod in listing["items"] if usage]
        return {"kind": "PodMetricsList", "apiVersion": GROUP_VERSION, "metadata": {}, "items": items}

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()
