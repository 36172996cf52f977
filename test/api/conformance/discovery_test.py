"""Conformance: discovery, aggregated and legacy, quick whatever the backends do."""
import concurrent.futures
import json
import threading
import time
import unittest

from support import ScriptedServer, Weir, config
from rig import (AGGREGATED, AGGREGATED_BETA, GROUP, GROUP_NAME, JSON, YAML, ConformanceCase, Row, cases, metric,
                 metric_path)

AGGREGATOR = {"X-Remote-User": "system:kube-aggregator", "X-Remote-Group": "system:masters"}
OF_1_36 = AGGREGATED + "," + AGGREGATED_BETA
OF_KUBECTL_1_33 = OF_1_36 + ",application/json"
VERSION = {"groupVersion": GROUP_NAME + "/v1beta1", "version": "v1beta1"}
ENTRY = {"name": GROUP_NAME, "versions": [VERSION], "preferredVersion": VERSION}


def compact(value):
    return json.dumps(value, separators=(",", ":"))


LIST = compact({"kind": "APIGroupList", "apiVersion": "v1", "groups": [ENTRY]})
CASES = [
    Row(64, "/apis", {"Accept": AGGREGATED_BETA}, 406, JSON, '"reason": "NotAcceptable"'),
    Row(64, "/apis", {"Accept": AGGREGATED_BETA + ",application/json"}, 200, JSON, LIST),
    *(Row(65, path, {"Accept": accept}, 200, JSON, LIST) for path in ("/apis", "/apis/") for accept in (JSON, "", "*/*")),
    Row(66, "/apis/" + GROUP_NAME, {}, 200, JSON, compact({"kind": "APIGroup", "apiVersion": "v1", **ENTRY})),
    Row(66, "/apis/" + GROUP_NAME + "/", {}, 200, JSON, '{"kind":"APIGroup","apiVersion":"v1",'),
    Row(66, "/apis/" + GROUP_NAME, {"Accept": YAML}, 200, YAML, "kind: APIGroup\nname: external.metrics.k8s.io\n"),
]


def api_resource(name, kind):
    return {"name": name, "singularName": "", "namespaced": True, "kind": kind, "verbs": ["get"]}


@cases(CASES)
class DiscoveryTest(ConformanceCase):
    def test_060_the_group_lists_every_metric_in_full(self):
        answer = self.get(GROUP)

        self.assertEqual((200, JSON), (answer.status, answer.headers["Content-Type"]))
        self.assertEqual({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": GROUP_NAME + "/v1beta1", "resources": [
            api_resource("externalmetrics", "ExternalMetricValue"), api_resource("labelled", "labelled"),
            api_resource("queue-len", "queue-len")]}, answer.json())

    def test_062_aggregated_discovery_is_whole_and_conditional(self):
        for accept in (AGGREGATED, OF_1_36, OF_KUBECTL_1_33, AGGREGATED + ";profile=nopeer"):
            with self.subTest(accept):
                whole = self.get("/apis", {**AGGREGATOR, "Accept": accept})
                again = self.get("/apis", {**AGGREGATOR, "Accept": accept, "If-None-Match": whole.headers["ETag"]})

                self.assertEqual((200, AGGREGATED), (whole.status, whole.headers["Content-Type"]))
                self.assertEqual((304, b""), (again.status, again.body))
                self.assertRegex(whole.headers["ETag"], '^"[0-9A-F]{32}"$')
                for answer in (whole, again):
                    self.assertEqual(("Accept", "public", [whole.headers["ETag"]]),
                                     (answer.headers["Vary"], answer.headers["Cache-Control"], answer.headers.get_all("ETag")))
        self.assert_aggregated(whole.json())
        other = self.new_weir((), metric("other", "v:7", namespaces=["default"]))
        self.assertNotEqual(whole.headers["ETag"], self.get("/apis", {"Accept": accept}, weir=other).headers["ETag"])

    def assert_aggregated(self, body):
        self.assertEqual(("APIGroupDiscoveryList", "apidiscovery.k8s.io/v2", {}, [GROUP_NAME]), (
            body["kind"], body["apiVersion"], body["metadata"], [item["metadata"]["name"] for item in body["items"]]))
        version, = body["items"][0]["versions"]
        self.assertEqual(("v1beta1", "Current"), (version["version"], version["freshness"]))
        self.assertEqual([("externalmetrics", "ExternalMetricValue"), ("labelled", "labelled"), ("queue-len", "queue-len")],
                         [(resource["resource"], resource["responseKind"]["kind"]) for resource in version["resources"]])
        self.assertEqual({("Namespaced", ("get",))}, {(resource["scope"], tuple(resource["verbs"])) for resource in version["resources"]})


class BackendsDownTest(ConformanceCase):
    def test_061_discovery_is_fast_while_every_backend_hangs_or_is_unreachable(self):
        never = threading.Event()
        self.addCleanup(never.set)
        hanging_backend = self.start_in_test(ScriptedServer(lambda turn: never.wait(30)))
        failing_backend = self.start_in_test(ScriptedServer(lambda turn: None))
        failing_backend.stop()
        backends = {name: {"prometheus": {"url": server.url}} for name, server in (("held", hanging_backend), ("gone", failing_backend))}
        metrics = [metric(f"{backend}-{n}", f"v:{n}", backend, namespaces=["default"], deadline="2s")
                   for backend in backends for n in range(10)]
        folder = self.folder()
        weir = self.start_in_test(Weir(folder / "weir", config(backends, *metrics), kubeconfig=self.apiserver.kubeconfig(folder)))

        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            reads = [pool.submit(self.get, metric_path("default", metric["name"]), weir=weir) for metric in metrics]
            hanging_backend.wait_for_requests(1)
            start_time = time.monotonic()
            answers = [self.get(path, AGGREGATOR, weir=weir) for path in [GROUP] * 10 + ["/apis"] * 10]
            took = time.monotonic() - start_time
            codes = [read.result().status for read in reads]

        self.assertEqual({200}, {answer.status for answer in answers})
        self.assertLess(took, 1.5)
        self.assertEqual([504] * 10 + [503] * 10, codes)


if __name__ == "__main__":
    unittest.main()
