"""The whole world of a scenario: the control plane, backends, and Weir in it as any other API server would be."""
import contextlib
import json
import os
import socket
import subprocess
from pathlib import Path

from control_plane import ControlPlane
from objects import EXTERNAL_API, resource_metrics_objects, weir_overlay
from stand_ins.ready_pods import ReadyPods
from stand_ins.resource_metrics import ResourceMetrics
from support import Prometheus, RabbitMQ, Redis, Weir, config, free_port, make_certificates, metric, wait_until

API_SERVICES = "/apis/apiregistration.k8s.io/v1/apiservices"
AVAILABLE_SECONDS = 60  # the aggregator looks again after 30 s


class Cluster:
    """Started once a run. Scenarios keep to a namespace, queues and keys of their own."""

    def __init__(self, directory, binaries):
        self.directory = Path(directory).resolve()
        self.binaries = binaries
        self._stack = contextlib.ExitStack()

    def start(self):
        with contextlib.ExitStack() as stack:
            self._start(stack)
            self._stack = stack.pop_all()
        return self

    def stop(self):
        self._stack.close()

    def kubectl(self, *arguments, stdin=None):
        """kubectl as system:masters, with a home of its own."""
        return self.run(self.binaries.kubectl, *arguments, stdin=stdin)

    def run(self, *argv, stdin=None):
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.directory), "KUBECONFIG": str(self.kubeconfig)}
        return subprocess.run([str(part) for part in argv], input=stdin or "", capture_output=True, text=True,
                              timeout=60, env=environment)

    def apply(self, *arguments, stdin=None):
        run = self.kubectl("apply", *arguments, stdin=stdin)
        if run.returncode != 0:
            raise RuntimeError(f"kubectl apply {' '.join(map(str, arguments))}: {run.stderr}")

    def availability(self, name=EXTERNAL_API):
        """The condition Available of an APIService; empty while there is none."""
        status = self.api.get(f"{API_SERVICES}/{name}").get("status", {})
        return next((condition for condition in status.get("conditions", []) if condition["type"] == "Available"), {})

    def wait_available(self, name=EXTERNAL_API):
        wait_until(lambda: self.availability(name).get("status") == "True", f"APIService {name} is Available",
                   AVAILABLE_SECONDS, 0.1)

    def _start(self, stack):
        self.certificates = make_certificates(self.directory / "certs")
        self.control_plane = stack.enter_context(
            ControlPlane(self.directory / "control-plane", self.binaries, self.certificates))
        self.api = self.control_plane.api
        self.kubeconfig = self.control_plane.with_pair("admin")
        stack.enter_context(ReadyPods(self.api))
        self.resource_metrics = stack.enter_context(ResourceMetrics(self.api, self.certificates))
        self._apply_resource_metrics()
        self.broker = stack.enter_context(RabbitMQ(self.directory / "rabbitmq", statistics_seconds=1))
        self.redis = stack.enter_context(Redis(self.directory / "redis", tls=self.certificates))
        self.prometheus = stack.enter_context(Prometheus(self.directory / "prometheus"))
        self._silent = stack.enter_context(socket.create_server(("127.0.0.1", 0)))  # takes connections, says nothing
        self._start_weir(stack)
        self.wait_available("v1beta1.metrics.k8s.io")
        self.wait_available()

    def _start_weir(self, stack):
        """The objects first: its service account exists before its first request."""
        port = free_port()
        self.apply("-k", weir_overlay(self.directory / "overlay", port, self.certificates))
        token = self.directory / "weir-token"
        token.write_text(self.control_plane.token("weir-system", "weir"))
        token.chmod(0o600)
        kubeconfig = self.control_plane.write_kubeconfig("weir", {"tokenFile": str(token)})
        self.weir = stack.enter_context(Weir(self.directory / "weir", self._weir_config(), self.certificates,
                                             kubeconfig=kubeconfig, port=port, flags=["-v=3"]))

    def _weir_config(self):
        login = {}
        for name, text in (("username", self.broker.user), ("password", self.broker.password)):
            login[name] = {"file": str(self.directory / f"broker-{name}")}
            (self.directory / f"broker-{name}").write_text(text)
        everywhere = {"namespaces": ["*"], "freshness": "500ms"}
        of_queue = {"labels": {"queue": "[a-z0-9.-]+"}, **everywhere}
        counter = {"labels": {"key": "[a-z0-9.-]+"}, **everywhere}
        return config(
            {"broker": {"rabbitmq": {"url": self.broker.url, **login}},
             "management": {"rabbitmq": {"url": self.broker.management_url, **login}},
             "cache": {"redis": {"url": self.redis.url}},
             "private": {"redis": {"url": self.redis.tls_url, "tls": {"ca": str(self.certificates.crt("ca"))}}},
             "distrusted": {"redis": {"url": self.redis.tls_url}},
             "prom": {"prometheus": {"url": self.prometheus.url}},
             "silent": {"prometheus": {"url": f"http://127.0.0.1:{self._silent.getsockname()[1]}"}}},
            {"name": "queues_by_pattern", "rabbitmq": {"backend": "management", "queueRegex": "hell.{2}"}, **everywhere},
            *({"name": name, "rabbitmq": {"backend": "management", "queue": "$(queue)", "mode": mode}, **of_queue, **settings}
              for name, mode, settings in (("consumption_time", "ExpectedQueueConsumptionTime", {"zeroAtOrBelow": 1}),
                                           ("publish_rate", "MessageRate", {}), ("delivery_rate", "DeliverGetRate", {}))),
            *({"name": name, "rabbitmq": {"backend": "broker", "queue": "$(queue)"}, **of_queue, **settings}
              for name, settings in (("queue_depth", {}), ("depth_above_five", {"zeroAtOrBelow": 5}),
                                     ("depth_or_nothing", {"fallback": {"after": "1s", "value": 0}}))),
            {"name": "list_length", "redis": {"backend": "cache", "key": "$(key)"}, **counter},
            *({"name": name, "redis": {"backend": backend, "key": "$(key)", "kind": "counter"}, **counter, **settings}
              for name, backend, settings in (
                  ("counter", "cache", {}), ("private_counter", "private", {}), ("distrusted_counter", "distrusted", {}),
                  ("held_counter", "cache", {"fallback": {"after": "1s", "hold": "10m"}}),
                  ("counter_or_thirty", "cache", {"fallback": {"after": "1s", "value": 30}}),
                  ("counter_or_eight", "cache", {"fallback": {"after": "1s", "value": 8}}))),
            {"name": "managed_depth", "rabbitmq": {"backend": "management", "queue": "$(queue)"}, **of_queue},
            metric("absent_series", "absent_series", namespaces=["*"]),
            metric("never_answers", "up", "silent", ["*"], deadline="1s"))

    def _apply_resource_metrics(self):
        objects = resource_metrics_objects(self.resource_metrics.port, self.certificates.crt("ca"))
        self.apply("-f", "-", stdin="\n---\n".join(json.dumps(item) for item in objects))

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()
