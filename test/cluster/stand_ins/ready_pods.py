"""The part of a kubelet that an HPA needs: every pod is Running and Ready as soon as it is created."""
import contextlib
import threading

from kube_api import ApiError


class ReadyPods:
    """Watches all pods and patches their status in a thread of its own."""

    def __init__(self, api):
        self._api = api
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self._thread.start()
        return self

    def stop(self):
        self._stopped.set()
        self._thread.join(10)

    def _run(self):
        for event in self._api.watch("/api/v1/pods", self._stopped.is_set):
            pod = event.get("object", {})
            if event["type"] == "ADDED" and pod.get("status", {}).get("phase") == "Pending":
                self._mark_ready(pod["metadata"])

    def _mark_ready(self, metadata):
        creation_time = metadata["creationTimestamp"]
        ready = {"type": "Ready", "status": "True", "lastTransitionTime": creation_time}
        path = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}/status"
        with contextlib.suppress(ApiError, OSError):  # gone already; or the next watch shows it again
            self._api.merge(path, {"status": {"phase": "Running", "startTime": creation_time, "conditions": [ready]}})

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()
