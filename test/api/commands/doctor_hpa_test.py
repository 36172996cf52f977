"""weir doctor: HPAs that cannot get a value, missing permissions, and forbidden queries."""
import json
import time
import unittest

from support import (ACCESS_REVIEWS, API_SERVICE, CLOSE, DISCOVERY, HANG, HPA_USER, HPAS, POD, SERVICE, SLICES, DoctorCase,
                     Raw, Refuse, config, doctor, external, free_port, hpa, metric, run_weir)

API, HPA, LOOK, OWN = doctor.API, doctor.HPA, doctor.LOOK, doctor.OWN
REFUSES = "the selector is not valid for metric depth: "
NO_LABEL = ('metric depth: no label can have the value "{}" of queue (a value has at most 63 letters, digits, -, _ and ., with '
            "a letter or digit at both ends), so the HPA controller refuses the selector and does not ask for the metric")
CHECKED = "its permissions could not be checked: "


class AutoscalerTest(DoctorCase):
    def test_an_hpa_with_a_metric_that_the_configuration_does_not_serve(self):
        table = [
            ("a mistyped name", "ml-inference", external("depht"), 'the configuration has no metric depht; did you mean "depth"?'),
            ("another name", "ml-inference", external("sales"), "the configuration has no metric sales"),
            ("another namespace", "default", external("depth", {"queue": "a"}),
             "metric depth is not served in namespace default, only in ml-inference"),
            ("an undeclared label", "ml-inference", external("depth", {"quue": "a"}),
             REFUSES + 'label "quue" is not declared; this metric declares queue'),
            ("no label", "ml-inference", external("depth"),
             REFUSES + "label queue has no value; write queue=VALUE in the selector (its pattern is [a-z]+)"),
            ("another value", "ml-inference", external("depth", {"queue": "A1"}),
             REFUSES + 'value "A1" of label queue does not match the pattern [a-z]+'),
            ("another operator", "ml-inference",
             external("depth", expressions=[{"key": "queue", "operator": "NotIn", "values": ["a"]}]),
             REFUSES + "operator notin on label queue binds no value; write queue=VALUE or queue in (A,B)"),
            ("an existing label", "ml-inference", external("depth", expressions=[{"key": "queue", "operator": "Exists"}]),
             REFUSES + "operator exists on label queue binds no value; write queue=VALUE or queue in (A,B)"),
            ("a value that no label can have", "ml-inference", external("depth", {"queue": "team/a"}), NO_LABEL.format("team/a")),
            ("a value that no label can have, in an expression", "ml-inference",
             external("depth", expressions=[{"key": "queue", "operator": "In", "values": ["a", "a,b"]}]),
             NO_LABEL.format("a,b")),
            ("two requirements", "ml-inference",
             external("depth", {"queue": "a"}, [{"key": "queue", "operator": "In", "values": ["b"]}]),
             REFUSES + "the selector's requirements on label queue exclude each other"),
        ]
        for name, namespace, use, expected in table:
            with self.subTest(name):
                self.hpas(hpa(namespace, "worker", use))

                self.assertEqual([("error", f"HPA {namespace}/worker", expected)], self.problems("--config", self.config))

    def test_a_valid_hpa_gives_no_finding(self):
        self.hpas(hpa("ml-inference", "worker", external("depth", expressions=[
                      {"key": "queue", "operator": "In", "values": ["b", "a", "b"]}])),
                  hpa("any", "cities", external("cities")),
                  hpa("any", "cpu", {"type": "Resource", "resource": {"name": "cpu"}}))

        self.assertEqual([], self.problems("--config", self.config))

    def test_a_configuration_is_checked_without_its_credentials(self):
        self.hpas(hpa("n", "worker", external("depth")))
        path = self.folder() / "weir.yaml"
        backend = {"prometheus": {"url": "https://h", "token": {"file": "/nowhere/token"}, "tls": {"ca": "/nowhere/ca"}}}
        broker = {"rabbitmq": {"url": "amqp://h", "username": {"file": "/nowhere/u"}, "password": {"file": "/nowhere/p"}}}
        path.write_text(config({"prom": backend, "broker": broker}, metric("depth", "x")))

        self.assertIn(("error", "HPA n/worker", "metric depth is not served in namespace n, only in ml-inference"),
                      self.problems("--config", path))

    def test_without_a_configuration_a_name_that_discovery_does_not_list_is_reported(self):
        self.hpas(hpa("n", "worker", external("depht"), external("externalmetric")))

        self.assertEqual([("error", "HPA n/worker", 'discovery lists no metric depht; did you mean "depth"?'),
                          ("error", "HPA n/worker", "discovery lists no metric externalmetric")], self.problems())

    def test_an_hpa_of_keda_says_what_to_write_instead(self):
        self.hpas(hpa("n", "keda-hpa-worker", external("s0-rabbitmq-a"), owners=[doctor.SCALED_OBJECT]))

        finding, = self.findings("--config", self.config)

        self.assertEqual("the configuration has no metric s0-rabbitmq-a; it belongs to KEDA's ScaledObject worker",
                         finding["what"])
        self.assertEqual("write an HPA of your own with a metric of Weir, then delete the ScaledObject", finding["action"])

    def test_a_target_that_does_not_fit_its_metric_is_a_warning(self):
        table = [
            ("an average divided", external("p95_latency"),
             "metric p95_latency is an average or a quantile, and averageValue divides it by the replicas"),
            ("waiting work multiplied", external("cities", type="Value", value="10"),
             "metric cities counts waiting work, but with value the HPA multiplies the replicas by it at every sync, up to "
             "maxReplicas"),
            ("the type of another field", external("cities", type="Value", averageValue="10"),
             "metric cities: the target has type Value but sets averageValue, which takes effect"),
        ]
        for name, use, expected in table:
            with self.subTest(name):
                self.hpas(hpa("ml-inference", "worker", use))

                self.assertEqual([("warning", "HPA ml-inference/worker", expected)], self.problems("--config", self.config))

    def test_the_hpa_controllers_message_about_a_failing_metric_is_shown(self):
        condition = {"type": "ScalingActive", "status": "False", "reason": "FailedGetExternalMetric",
                     "message": "unable to get external metric ml/cities/nil: key \"cities\"\n is a set"}
        self.hpas(hpa("ml", "worker", external("cities"), conditions=[condition]),
                  hpa("ml", "paused", external("cities"), conditions=[{**condition, "reason": "ScalingDisabled"}]),
                  hpa("ml", "active", external("cities"), conditions=[{**condition, "status": "True"}]))

        self.assertEqual([("error", "HPA ml/worker", "it does not scale: FailedGetExternalMetric: unable to get external "
                           "metric ml/cities/nil: key \"cities\" is a set")], self.problems("--config", self.config))

    def test_discovery_that_differs_from_the_configuration_is_reported(self):
        self.kube.objects[DISCOVERY]["resources"] = [{"name": name} for name in ("depth", "old", "externalmetrics")]

        self.assertEqual([
            ("error", API, "it does not list cities, p95_latency, which the configuration defines"),
            ("warning", API, "it lists old, which the configuration does not define")], self.problems("--config", self.config))


class PermissionsTest(DoctorCase):
    def deny_reviews(self, **attributes):
        """No review is allowed whose attributes hold `refused`."""
        self.kube.allow = lambda spec: not attributes.items() <= spec["resourceAttributes"].items()

    def test_each_missing_permission_of_weirs_account_is_an_error(self):
        table = [
            ("tokenreviews", {"resource": "tokenreviews"}, "it has no permission to create tokenreviews.authentication.k8s.io"),
            ("accessreviews", {"resource": "subjectaccessreviews"},
             "it has no permission to create subjectaccessreviews.authorization.k8s.io"),
            ("watch", {"verb": "watch"}, "it has no permission to watch configmaps extension-apiserver-authentication in kube-system"),
        ]
        for name, attributes, expected in table:
            with self.subTest(name):
                self.deny_reviews(**attributes)

                self.assertEqual([("error", OWN, expected)], self.problems())

    def test_the_reason_of_a_denial_is_shown(self):
        self.kube.allow = lambda spec: (spec["resourceAttributes"].get("verb") != "watch", "no RBAC policy matched")

        self.assertEqual([("error", OWN, "it has no permission to watch configmaps extension-apiserver-authentication in kube-system: "
                           "no RBAC policy matched")], self.problems())

    def test_the_hpa_controller_without_permissions_is_an_error_for_each_metric_in_use(self):
        self.hpas(hpa("a", "one", external("depth"), external("cities")), hpa("a", "two", external("depth")))
        self.deny_reviews(group="external.metrics.k8s.io")

        self.assertEqual([("error", HPA, "it has no permission to list cities.external.metrics.k8s.io in a"),
                          ("error", HPA, "it has no permission to list depth.external.metrics.k8s.io in a")], self.problems())

    def test_the_hpa_controller_without_permissions_is_an_error_when_no_metric_is_in_use(self):
        self.deny_reviews(group="external.metrics.k8s.io")

        self.assertEqual([("error", HPA, "it has no permission to list *.external.metrics.k8s.io")], self.problems())

    def test_the_permission_for_each_metric_in_use_is_enough(self):
        self.hpas(hpa("a", "one", external("depth")))
        self.deny_reviews(group="external.metrics.k8s.io", resource="*")

        self.assertEqual([], self.problems())

    def test_more_metrics_in_use_than_are_reviewed_are_reported(self):
        names = [f"m{n:02}" for n in range(51)]
        self.kube.objects[DISCOVERY]["resources"] = [{"name": name} for name in names]
        self.hpas(hpa("a", "one", *(external(name) for name in names)))
        self.deny_reviews(group="external.metrics.k8s.io", resource="*")
        self.kube.access_reviews.clear()

        self.assertEqual([("warning", HPA, "only the first 50 of the 51 metrics in use were checked")], self.problems())
        reviewed_metrics = {spec["resourceAttributes"]["resource"] for spec in self.kube.access_reviews if spec["user"] == HPA_USER}
        self.assertEqual({"*", *names[:50]}, reviewed_metrics)

    def test_a_review_without_a_decision_is_reported_and_is_not_a_permission(self):
        self.kube.allow = lambda spec: {"allowed": True, "denied": True}

        self.assertEqual([("warning", OWN, CHECKED + "the SubjectAccessReview both allows and denies"),
                          ("warning", HPA, CHECKED + "the SubjectAccessReview both allows and denies")], self.problems())

    def test_an_unknown_account_can_be_set_by_a_flag(self):
        self.kube.objects[POD] = None

        self.assertEqual([("warning", "Weir's account", "its permissions could not be checked: its name is not known")], self.problems())
        self.kube.access_reviews.clear()
        self.assertEqual([], self.problems("--service-account", "other/name"))
        self.assertEqual({"system:serviceaccount:other:name", HPA_USER}, {spec["user"] for spec in self.kube.access_reviews})


class ForbiddenChecksTest(DoctorCase):
    def test_each_forbidden_check_names_its_permission_and_the_others_continue(self):
        table = [
            (API_SERVICE, API, "get apiservices.apiregistration.k8s.io", ["--service", "weir-system/weir"]),
            (SERVICE, "Service weir-system/weir", "get services in weir-system", ["--service-account", "weir-system/weir"]),
            (SLICES, "Service weir-system/weir", "list endpointslices.discovery.k8s.io in weir-system",
             ["--service-account", "weir-system/weir"]),
            (HPAS, "HPAs", "list horizontalpodautoscalers.autoscaling in all namespaces", []),
            (DISCOVERY, API, "get the path /apis/*", []),
        ]
        for path, name, permission, arguments in table:
            with self.subTest(permission):
                self.kube.always = {path: Refuse(403)}

                run = self.run_doctor(*arguments)

                self.assertIn(f"warning  {name}: {LOOK}this account has no permission to {permission} -> grant the permission, "
                              "or use the kubeconfig of an account that has it\n", run.stdout)
                self.assertIn("0 errors, 1 warning, ", run.stdout)
                self.assertEqual(0, run.returncode, run.stdout)

    def test_without_permission_to_read_the_pod_the_account_is_unknown(self):
        self.kube.always = {POD: Refuse(403)}

        self.assertEqual([("warning", "Pod weir-system/weir-0", LOOK + "this account has no permission to get pods in weir-system"),
                          ("warning", "Weir's account", "its permissions could not be checked: its name is not known")], self.problems())

    def test_reviews_without_permission_are_reported_once_an_account(self):
        self.kube.always = {ACCESS_REVIEWS: Refuse(403)}
        why = LOOK + "this account has no permission to create subjectaccessreviews.authorization.k8s.io"

        self.assertEqual([("warning", OWN, why), ("warning", HPA, why)], self.problems())

    def test_an_invalid_response_is_reported_with_the_servers_text(self):
        table = [
            ("500", Refuse(500), LOOK + f"the kube-apiserver responded with 500: played by {self.kube.url}"),
            ("no JSON", Raw("<html>"), LOOK + "the response of the kube-apiserver is not JSON"),
            ("closed", CLOSE, LOOK + "the connection was lost"),
        ]
        for name, trouble, expected in table:
            with self.subTest(name):
                self.kube.always = {HPAS: trouble}

                (severity, named_object, what), = self.problems()

                self.assertEqual(("warning", "HPAs", expected), (severity, named_object, what[:len(expected)]))

    def test_a_list_of_other_objects_is_read_as_empty(self):
        self.kube.objects[HPAS] = {"items": [1, None, {"spec": {"metrics": [7, {"type": "External"}]}}], "metadata": []}

        self.assertEqual([("error", "HPA /", "the configuration has no metric")], self.problems("--config", self.config))

    def test_a_kube_apiserver_that_does_not_respond_ends_the_checks(self):
        kubeconfig = self.folder() / "kubeconfig"
        kubeconfig.write_text(self.kubeconfig.read_text().replace(self.kube.url, f"https://127.0.0.1:{free_port()}"))

        run = self.run_doctor(kubeconfig=kubeconfig)

        self.assertRegex(run.stdout, r"\Aproblems were found: 1 error, 0 warnings, 0 ok\nerror    kube-apiserver: it cannot be reached: .*\n\Z")
        self.assertEqual(4, run.returncode)

    def test_an_account_unknown_to_the_kube_apiserver_ends_the_checks(self):
        kubeconfig = self.kube.kubeconfig(self.folder(), token="another")

        run = self.run_doctor(kubeconfig=kubeconfig)

        self.assertEqual("problems were found: 1 error, 0 warnings, 0 ok\nerror    kube-apiserver: it rejected the credentials of "
                         "this account (401) -> put a new token or client certificate into the kubeconfig\n", run.stdout)
        self.assertEqual(4, run.returncode)

    def test_a_kube_apiserver_that_hangs_at_every_query_is_reported_within_30_seconds(self):
        hanging = (API_SERVICE, SERVICE, HPAS, ACCESS_REVIEWS, DISCOVERY)  # six queries of 5 s each
        self.kube.always = {path: HANG for path in hanging}
        start_time = time.monotonic()

        wrong = self.problems("--service", "weir-system/weir", "--service-account", "weir-system/weir")

        self.assertLess(time.monotonic() - start_time, 29)
        self.assertEqual([("warning", name, LOOK + "it did not respond")
                          for name in (API, "Service weir-system/weir", "HPAs", OWN, HPA, API)], wrong)

    def test_an_endless_list_of_hpas_is_read_up_to_10000(self):
        self.kube.objects[HPAS] = lambda query: {"metadata": {"continue": "more"}, "items": []}
        self.kube.requests.clear()

        self.assertEqual([("warning", "HPAs", "only the first 10000 were checked")], self.problems())
        self.assertEqual(100, len([request for request in self.kube.requests if request.target.startswith(HPAS)]))


class CommandTest(DoctorCase):
    def run_in(self, *arguments, **environment):
        return run_weir("doctor", *arguments, env={"PATH": "/usr/bin", "HOME": "/nowhere", **environment})

    def test_the_kubeconfig_is_found_where_kubectl_finds_it(self):
        home = self.folder()
        (home / ".kube").mkdir()
        self.kube.kubeconfig(home / ".kube").rename(home / ".kube" / "config")
        for name, environment in (("KUBECONFIG", {"KUBECONFIG": f"/nowhere/a::{self.kubeconfig}"}),
                                  ("HOME", {"HOME": str(home)}), ("empty", {"KUBECONFIG": "", "HOME": str(home)})):
            with self.subTest(name):
                run = self.run_in(**environment)

                self.assertEqual((0, ""), (run.returncode, run.stderr))

    def test_without_a_kubeconfig_outside_a_pod_it_names_the_flag_to_set(self):
        run = self.run_in()

        self.assertEqual((1, "", "weir: there is no kubeconfig (--kubeconfig, KUBECONFIG, ~/.kube/config) and this process "
                          "does not run in a pod: set --kubeconfig\n"), (run.returncode, run.stdout, run.stderr))

    def test_a_kubeconfig_that_is_missing_is_not_replaced_by_that_of_the_home_folder(self):
        home = self.folder()
        (home / ".kube").mkdir()
        self.kube.kubeconfig(home / ".kube").rename(home / ".kube" / "config")

        run = self.run_in(KUBECONFIG="/nowhere/a", HOME=str(home))

        self.assertEqual((1, "weir: KUBECONFIG names no file that exists (/nowhere/a): fix it, or set --kubeconfig\n"),
                         (run.returncode, run.stderr))

    def test_two_kubeconfigs_are_an_error(self):
        other = self.kube.kubeconfig(self.folder())

        run = self.run_in(KUBECONFIG=f"{self.kubeconfig}:{other}")

        self.assertEqual((1, "weir: KUBECONFIG names 2 files, and Weir does not merge kubeconfigs: set --kubeconfig to the "
                          "output of kubectl config view --flatten --minify --raw\n"), (run.returncode, run.stderr))

    def test_a_configuration_with_problems_is_exit_1_and_sends_no_query(self):
        path = self.folder() / "weir.yaml"
        path.write_text("metric: []\n")

        run = self.run_doctor("--config", path)

        self.assertEqual((1, ""), (run.returncode, run.stdout))
        self.assertIn('unknown key "metric"', run.stderr)

    def test_strict_makes_a_warning_exit_4(self):
        self.kube.objects[API_SERVICE]["spec"].update(insecureSkipTLSVerify=True, caBundle="")

        self.assertEqual(0, self.run_doctor().returncode)
        self.assertEqual(4, self.run_doctor("--strict").returncode)

    def test_json_contains_every_finding_in_order(self):
        run = self.run_doctor("-o", "json")

        report = json.loads(run.stdout)
        self.assertEqual((0, 0, ["errors", "warnings", "findings"]), (report["errors"], report["warnings"], list(report)))
        self.assertEqual({"severity": "ok", "object": "kube-apiserver", "what": "it responds, version v1.36.2", "action": ""},
                         report["findings"][0])

    def test_arguments_that_are_wrong_say_what_to_write(self):
        for flag, value, advice in (("--server", "weir", "write HOST:PORT, such as 127.0.0.1:6443"),
                                    ("--server", "weir:6443/a", "write HOST:PORT, such as 127.0.0.1:6443"),
                                    ("--server", "weir:0", "write HOST:PORT, such as 127.0.0.1:6443"),
                                    ("--service", "weir", "write NAMESPACE/NAME, such as weir-system/weir"),
                                    ("--service", "a/b/c", "write NAMESPACE/NAME, such as weir-system/weir"),
                                    ("--service-account", "/a", "write NAMESPACE/NAME, such as weir-system/weir")):
            with self.subTest(f"{flag} {value}"):
                run = self.run_doctor(flag, value)

                self.assertEqual(2, run.returncode)
                self.assertIn(advice, run.stderr)

    def test_no_token_is_shown_and_no_secret_is_read(self):
        self.kube.requests.clear()

        run = self.run_doctor("-o", "json")

        self.assertNotIn("the-token", run.stdout + run.stderr)
        self.assertEqual([], [request.target for request in self.kube.requests if "secret" in request.target.lower()])
        self.assertEqual({"GET", "POST"}, {request.method for request in self.kube.requests})


if __name__ == "__main__":
    unittest.main()
