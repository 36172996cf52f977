"""The common base of the `weir doctor` tests: a Weir, a kube-apiserver, and the parsed findings."""
import json

from .case import ServerTest
from .certificates import shared_certificates
from .config import config, metric, prometheus_backend
from .kube_apiserver import KubeApiserver
from .kube_objects import HPAS, served_by
from .scripted import ScriptedServer, vector
from .weir import HPA_USER, Weir, run_weir

API = "APIService v1beta1.external.metrics.k8s.io"
OWN = "account system:serviceaccount:weir-system:weir"
HPA = "account " + HPA_USER
RIGHTS = ("create tokenreviews.authentication.k8s.io, create subjectaccessreviews.authorization.k8s.io, "
          "get configmaps extension-apiserver-authentication in kube-system, "
          "list configmaps extension-apiserver-authentication in kube-system, "
          "watch configmaps extension-apiserver-authentication in kube-system")
LOOK = "it could not be read: "
SCALED_OBJECT = {"kind": "ScaledObject", "name": "worker"}


class DoctorCase(ServerTest):
    """One Weir and one kube-apiserver a class; each test begins with a cluster where nothing is wrong."""

    @classmethod
    def setUpClass(cls):
        cls.certificates = shared_certificates()
        cls.kube = cls.start(KubeApiserver())
        cls.root = cls.new_folder()
        cls.kubeconfig = cls.kube.kubeconfig(cls.root)
        cls.backend = cls.start(ScriptedServer(lambda turn: turn.answer(vector(42))))
        cls.redis = {"redis": {"url": "redis://127.0.0.1:1"}}
        cls.config = cls.root / "weir.yaml"
        cls.config.write_text(config(
            {"prom": prometheus_backend(cls.backend.url), "cache": cls.redis},
            metric("depth", 'depth{queue="$(queue)"}', labels={"queue": "[a-z]+"}),
            metric("p95_latency", "histogram_quantile(0.95, sum by (le) (rate(x[1m])))"),
            {"name": "cities", "namespaces": ["*"], "redis": {"backend": "cache", "key": "cities"}}))
        cls.weir = cls.start(Weir(cls.root / "weir", cls.config.read_text()))
        cls.at = f"endpoint 127.0.0.1:{cls.weir.port}"

    def setUp(self):
        self.kube.trouble.clear()
        self.kube.always.clear()
        self.kube.allow = lambda spec: True
        self.kube.objects = served_by([self.weir.port, self.weir.port], self.certificates.crt("ca"),
                                      ("depth", "p95_latency", "cities"))

    def tearDown(self):
        self.assertEqual([], self.kube.mistakes)

    def run_doctor(self, *arguments, kubeconfig=None):
        return run_weir("doctor", "--kubeconfig", kubeconfig or self.kubeconfig, *arguments)

    def findings(self, *arguments, code=None):
        """(severity, object, what) of each finding that is not ok, and the actions by their place."""
        run = self.run_doctor("-o", "json", *arguments)
        report = json.loads(run.stdout)
        errors = [finding for finding in report["findings"] if finding["severity"] == "error"]
        self.assertEqual((4 if errors else 0) if code is None else code, run.returncode, run.stderr)
        self.assertEqual(len(errors), report["errors"])
        return [finding for finding in report["findings"] if finding["severity"] != "ok"]

    def problems(self, *arguments):
        return [(finding["severity"], finding["object"], finding["what"]) for finding in self.findings(*arguments)]

    def hpas(self, *items):
        self.kube.objects[HPAS]["items"] = list(items)
