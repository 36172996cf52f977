"""What the Job controller and a kubelet do for a hook of the chart: each Job's container runs once."""
import contextlib
import tempfile
import threading
from datetime import datetime, timezone
from pathlib import Path

from kube_api import ApiError
from support import run_weir


class HookJobs:
    """Runs the Jobs of a namespace with the weir binary, in a thread of its own: the ConfigMaps that a pod mounts are
    files for it. `runs` has the process of each Job that has ended."""

    def __init__(self, api, namespace):
        self.runs = []
        self._api = api
        self._namespace = namespace
        self._seen = set()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self._thread.start()
        return self

    def stop(self):
        self._stopped.set()
        self._thread.join(10)

    def _run(self):
        for event in self._api.watch(f"/apis/batch/v1/namespaces/{self._namespace}/jobs", self._stopped.is_set):
            job = event.get("object", {})
            uid = job.get("metadata", {}).get("uid")
            if event["type"] == "ADDED" and not job.get("status", {}).get("conditions") and uid not in self._seen:
                self._seen.add(uid)
                self._finish(job)

    def _finish(self, job):
        start_time = _now()
        with tempfile.TemporaryDirectory(prefix="weir-hook-") as folder:
            run = self._run_container(job["spec"]["template"]["spec"], Path(folder))
        self.runs.append(run)
        kinds = ("SuccessCriteriaMet", "Complete") if run.returncode == 0 else ("FailureTarget", "Failed")
        conditions = [{"type": kind, "status": "True", "reason": "HookJobs", "message": "", "lastTransitionTime": _now()}
                      for kind in kinds]
        counts = {"succeeded": 1, "completionTime": _now()} if run.returncode == 0 else {"failed": 1}
        with contextlib.suppress(ApiError):  # helm's own time limit may have deleted it
            self._api.merge(f"/apis/batch/v1/namespaces/{self._namespace}/jobs/{job['metadata']['name']}/status",
                            {"status": {"startTime": start_time, "conditions": conditions, **counts}})

    def _run_container(self, pod, folder):
        container, = pod["containers"]
        volumes = {volume["name"]: volume["configMap"]["name"] for volume in pod["volumes"]}
        argv = list(container["args"])
        for mount in container["volumeMounts"]:
            target = folder / mount["name"]
            target.mkdir()
            path = f"/api/v1/namespaces/{self._namespace}/configmaps/{volumes[mount['name']]}"
            for name, text in self._api.get(path)["data"].items():
                (target / name).write_text(text)
            argv = [word.replace(mount["mountPath"], str(target)) for word in argv]
        return run_weir(*argv)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


def _now():
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
