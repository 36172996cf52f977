"""weir doctor: its findings about Weir's registration in a cluster, and about the server."""
import base64
import unittest

from support import (API_SERVICE, DISCOVERY, HPA_USER, HPAS, POD, SERVICE, SLICES, DoctorCase, ScriptedServer, doctor,
                     external, free_port, hpa, served_by)

API, HPA, OWN = doctor.API, doctor.HPA, doctor.OWN


class HealthyClusterTest(DoctorCase):
    def test_a_cluster_without_problems_is_reported_line_by_line(self):
        self.hpas(hpa("ml-inference", "worker", external("depth", {"queue": "a"}),
                      external("p95_latency", type="Value", value="500m")))

        run = self.run_doctor("--config", self.config)

        verdict, *lines = run.stdout.splitlines()
        until = f"{self.at}: its certificate matches the Service and the caBundle until "
        self.assertEqual([
            "ok       kube-apiserver: it responds, version v1.36.2",
            f"ok       {API}: it belongs to Weir's Service weir-system/weir",
            f"ok       {API}: it is available",
            "ok       Service weir-system/weir: it exists",
            "ok       Service weir-system/weir: 2 endpoints are ready",
            f"ok       {until}", f"ok       {self.at}: it is ready", f"ok       {until}", f"ok       {self.at}: it is ready",
            f"ok       {OWN}: it has permission to {doctor.RIGHTS}",
            f"ok       {HPA}: it has permission to list *.external.metrics.k8s.io",
            f"ok       {API}: it lists every metric of the configuration",
            "ok       HPAs: 1 HPA uses 2 external metrics; no problem found",
        ], [line[:line.index("until ") + 6] if "until " in line else line for line in lines])
        self.assertEqual(("no problem was found: 0 errors, 0 warnings, 13 ok", 0), (verdict, run.returncode))

    def test_a_configuration_file_that_weir_would_skip_is_an_error_and_the_others_are_still_used(self):
        bad = self.folder() / "team.yaml"
        bad.write_text("metrics:\n- {name: team, namespaces: [ml-inference], prometheus: {backend: prom, query: up}, frshness: 1s,\n"
                       "   deadine: 1s}\n")
        self.hpas(hpa("ml-inference", "worker", external("p95_latency", averageValue="500m")))

        run = self.run_doctor("--config", self.config, "--config", bad)
        findings = self.findings("--config", self.config, "--config", bad, code=4)

        self.assertEqual(4, run.returncode)
        self.assertIn("weir: 2 problems in the configuration\n", run.stderr)
        [what] = [finding["what"] for finding in findings if finding["object"] == "configuration"]
        self.assertRegex(what, rf'^{bad}:2:\d+: unknown key "frshness" .* \(problem 1 of 2\)$')
        self.assertIn(" -> fix the file: weir serve skips it, and reads of its metrics are errors\n", run.stdout)
        self.assertIn("metric p95_latency is an average or a quantile", run.stdout)

    def test_without_a_configuration_the_metrics_of_discovery_are_used(self):
        self.hpas(hpa("ml-inference", "worker", external("depth", {"other": "a"})))

        run = self.run_doctor()

        self.assertIn(f"ok       {API}: it lists 3 metrics\n", run.stdout)
        self.assertEqual(0, run.returncode)

    def test_each_account_is_reviewed_with_its_groups(self):
        self.kube.access_reviews.clear()

        self.run_doctor()

        by_user = {spec["user"]: spec["groups"] for spec in self.kube.access_reviews}
        self.assertEqual({
            "system:serviceaccount:weir-system:weir": ["system:serviceaccounts", "system:serviceaccounts:weir-system",
                                                       "system:authenticated"],
            HPA_USER: ["system:serviceaccounts", "system:serviceaccounts:kube-system", "system:authenticated"]}, by_user)
        self.assertIn({"verb": "list", "group": "external.metrics.k8s.io", "version": "v1beta1", "resource": "*"},
                      [spec["resourceAttributes"] for spec in self.kube.access_reviews])

    def test_all_pages_of_hpas_are_read(self):
        pages = {None: ("a b/c", hpa("n", "first", external("depht"))), "a b/c": ("", hpa("n", "second", external("depht")))}

        def page(query):
            following, item = pages[query.get("continue")]
            self.assertEqual("100", query["limit"])
            return {"metadata": {"continue": following}, "items": [item]}
        self.kube.objects[HPAS] = page

        self.assertEqual(["HPA n/first", "HPA n/second"], [finding[1] for finding in self.problems()])


class RegistrationTest(DoctorCase):
    def change(self, **spec):
        self.kube.objects[API_SERVICE]["spec"].update(spec)

    def test_a_missing_apiservice_is_an_error(self):
        self.kube.objects[API_SERVICE] = self.kube.objects[DISCOVERY] = None

        self.assertEqual([("error", API, "it does not exist, so no HPA can read an external metric")], self.problems())

    def test_another_owner_is_named_with_the_hpas_that_a_replacement_would_break(self):
        table = [
            ("keda", "keda-operator-metrics-apiserver", "KEDA", "every ScaledObject (1 HPA of KEDA)"),
            ("monitoring", "prometheus-adapter", "prometheus-adapter", "every HPA that uses the other provider"),
            ("datadog", "cluster-agent-metrics-api", "the Datadog cluster agent", "every HPA that uses the other provider"),
        ]
        self.hpas(hpa("n", "keda-hpa-worker", external("s0-rabbitmq-a"), owners=[doctor.SCALED_OBJECT]))
        self.kube.objects[DISCOVERY]["resources"] = [{"name": "externalmetrics"}]  # all that KEDA ever lists
        for namespace, name, product, stopped in table:
            with self.subTest(product):
                self.change(service={"namespace": namespace, "name": name, "port": 443})
                self.kube.objects[f"/api/v1/namespaces/{namespace}/services/{name}"] = {"kind": "Service"}

                findings = self.findings()

                self.assertEqual([("error", API, f"it belongs to {product} (Service {namespace}/{name})")],
                                 [(finding["severity"], finding["object"], finding["what"]) for finding in findings])
                self.assertEqual("a cluster has one provider of external metrics: applying Weir's APIService breaks "
                                 f"{stopped}; replace those with your own HPAs first", findings[0]["action"])

    def test_an_unknown_owner_is_a_warning_until_it_is_named(self):
        self.change(service={"namespace": "n", "name": "metrics", "port": 443})
        objects = self.kube.objects
        objects["/api/v1/namespaces/n/services/metrics"] = {**objects[SERVICE], "metadata": {"name": "metrics"}}
        objects["/apis/discovery.k8s.io/v1/namespaces/n/endpointslices"] = {"items": objects[SLICES](
            {"labelSelector": "kubernetes.io/service-name=weir"})["items"]}
        objects["/api/v1/namespaces/n/pods/weir-0"] = objects[POD]

        self.assertEqual(("warning", API, "cannot tell whether its Service n/metrics is Weir's"), self.problems()[0])
        self.assertNotIn(API, [finding[1] for finding in self.problems("--service", "n/metrics")])

    def test_another_service_than_the_named_service_is_another_owner(self):
        self.change(service={"namespace": "n", "name": "metrics", "port": 443})

        self.assertIn(("error", API, "it belongs to another server (Service n/metrics)"),
                      self.problems("--service", "weir-system/weir"))

    def test_an_apiservice_without_a_service_is_served_by_the_kube_apiserver(self):
        del self.kube.objects[API_SERVICE]["spec"]["service"]

        self.assertEqual([("error", API, "it belongs to the kube-apiserver itself (Service none)")], self.problems())

    def test_the_reason_of_unavailability_is_reported_with_the_clusters_text(self):
        self.kube.objects[API_SERVICE]["status"]["conditions"] = [
            {"type": "Available", "status": "False", "reason": "FailedDiscoveryCheck", "message": "no\nresponse"}]

        findings = self.findings()

        self.assertEqual([("error", "it is not available: FailedDiscoveryCheck: no response")],
                         [(finding["severity"], finding["what"]) for finding in findings])
        self.assertIn("NetworkPolicies", findings[0]["action"])

    def test_what_else_is_wrong_with_the_apiservice(self):
        ca = self.certificates.authority("other-ca")
        table = [
            ("not judged", lambda api_service: api_service["status"].clear(),
             ("warning", API, "its availability is not known yet")),
            ("skipped", lambda api_service: api_service["spec"].update(insecureSkipTLSVerify=True, caBundle=""),
             ("warning", API, "insecureSkipTLSVerify is set: the kube-apiserver does not verify Weir's certificate")),
            ("no bundle", lambda api_service: api_service["spec"].pop("caBundle"),
             ("warning", API, "caBundle is not set: the kube-apiserver trusts only its own root CAs")),
            ("no base64", lambda api_service: api_service["spec"].update(caBundle="?"), ("error", API, "caBundle is not valid base64")),
            ("no PEM", lambda api_service: api_service["spec"].update(caBundle="aGVsbG8="),
             ("error", API, "caBundle: it has no PEM certificate")),
            ("another port", lambda api_service: api_service["spec"]["service"].update(port=6443),
             ("error", "Service weir-system/weir", "it has no port 6443, which the APIService uses; its ports are 443")),
            ("another CA", lambda api_service: api_service["spec"].update(caBundle=base64.b64encode(ca.read_bytes()).decode()),
             ("error", self.at, "its certificate has no valid chain to the APIService's caBundle: "
              "unable to get local issuer certificate")),
        ]
        for name, change, expected in table:
            with self.subTest(name):
                self.setUp()
                change(self.kube.objects[API_SERVICE])

                self.assertIn(expected, self.problems())

    def test_what_is_wrong_with_the_service_and_its_endpoints(self):
        def ready(*states, port="https"):
            return {"items": [{"ports": [{"name": port, "port": self.weir.port}], "endpoints": [
                {"addresses": [f"127.0.0.{last}"], "conditions": {"ready": state}} for last, state in enumerate(states, 1)]}]}
        table = [
            ("no Service", SERVICE, None, ("error", "it does not exist")),
            ("no endpoint", SLICES, ready(), ("error", "it has no endpoints")),
            ("none ready", SLICES, ready(False, False), ("error", "none of its 2 endpoints is ready")),
            ("one ready", SLICES, ready(True, False),
             ("warning", "1 endpoint is ready: while its pod restarts, no HPA can scale")),
            ("another port name", SLICES, ready(True, True, port="web"),
             ("error", "no ready endpoint has the Service's port 443")),
        ]
        for name, path, target, expected in table:
            with self.subTest(name):
                self.setUp()
                self.kube.objects[path] = target

                wrong = self.problems("--service-account", "weir-system/weir")

                self.assertEqual([(expected[0], "Service weir-system/weir", expected[1])], wrong)


class DirectProbeTest(DoctorCase):
    def start_probe_target(self, script, tls=None):
        server = self.start_in_test(ScriptedServer(script, tls=tls or (self.certificates.crt("serving"),
                                                                       self.certificates.key("serving"))))
        return f"127.0.0.1:{server.port}"

    def of_server(self, server):
        return [(severity, what) for severity, name, what in self.problems("--server", server) if name == f"server {server}"]

    def test_the_certificates_names_and_dates_are_checked_as_by_the_kube_apiserver(self):
        self.certificates.issue("doctor-named", "ca", "/CN=weir.weir-system.svc", "serverAuth", "DNS:weir.other.svc", days=(-9, 90))
        self.certificates.issue("doctor-old", "ca", "/CN=w", "serverAuth", "DNS:weir.weir-system.svc", days=(-9, -1))
        self.certificates.issue("doctor-soon", "ca", "/CN=w", "serverAuth", "DNS:weir.weir-system.svc", days=(-9, 3))
        self.certificates.issue("doctor-client", "ca", "/CN=w", "clientAuth", "DNS:weir.weir-system.svc", days=(-9, 90))
        table = [
            ("doctor-named", ["error: its certificate is for weir.other.svc, not for weir.weir-system.svc"]),
            ("doctor-old", ["error: its certificate expired on 2"]),
            ("doctor-soon", ["warning: its certificate expires on 2"]),
            ("doctor-client", ["error: its certificate has no valid chain to the APIService's caBundle: unsuitable certificate "
                               "purpose"]),
        ]
        for name, expected in table:
            with self.subTest(name):
                server = self.start_probe_target(lambda turn: turn.answer("ok", Connection="close") or turn.close(),
                                                 (self.certificates.crt(name), self.certificates.key(name)))

                findings = [f"{severity}: {what}" for severity, what in self.of_server(server)]

                self.assertEqual(expected, [next((start for start in expected if finding.startswith(start)), finding)
                                            for finding in findings])

    def test_a_weir_that_is_not_ready_names_its_checks(self):
        body = "[+]ping ok\n[-]authentication-config failed: reason withheld\n[-]shutdown failed: reason withheld\n"
        server = self.start_probe_target(lambda turn: turn.answer(body, "500 Internal Server Error") or turn.close())

        self.assertEqual([("error", "/readyz returned 500: authentication-config, shutdown")], self.of_server(server))

    def test_a_response_that_is_not_http_is_an_error(self):
        server = self.start_probe_target(lambda turn: turn.send(b"220 mail\r\n\r\n") or turn.close())

        self.assertEqual([("error", "/readyz: the response is not HTTP")], self.of_server(server))

    def test_a_server_that_cannot_be_probed_is_an_error_when_it_was_requested(self):
        plain = self.start_in_test(ScriptedServer(lambda turn: turn.answer("ok"), raw=lambda peer: peer.sendall(b"hello\r\n")))
        start = "its certificate and /readyz could not be checked from here: "
        for name, port, why in (("nobody there", free_port(), "cannot connect (Connection refused)"),
                                ("no TLS", plain.port, "TLS failed (")):
            with self.subTest(name):
                (severity, what), = self.of_server(f"127.0.0.1:{port}")

                self.assertEqual(("error", start + why), (severity, what[:len(start + why)]))

    def test_an_endpoint_that_cannot_be_reached_is_a_single_warning(self):
        port = free_port()
        self.kube.objects = served_by([port, port], self.certificates.crt("ca"), ("depth", "p95_latency", "cities"))

        self.assertEqual([("warning", f"endpoint 127.0.0.1:{port}", "its certificate and /readyz could not be checked from "
                           "here: cannot connect (Connection refused)")], self.problems())

    def test_an_external_name_is_probed_at_the_apiservice_s_port(self):
        self.kube.objects[SERVICE]["spec"] = {"type": "ExternalName", "externalName": "localhost"}
        self.kube.objects[API_SERVICE]["spec"]["service"]["port"] = self.weir.port

        run = self.run_doctor("--service-account", "weir-system/weir")

        self.assertIn(f"ok       Service weir-system/weir: it refers to localhost:{self.weir.port}\n", run.stdout)
        self.assertIn(f"ok       endpoint localhost:{self.weir.port}: it is ready\n", run.stdout)


if __name__ == "__main__":
    unittest.main()
