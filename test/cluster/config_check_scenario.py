"""The chart's hook: helm stops at an invalid configuration before it changes anything that runs."""
import json
import tempfile
from pathlib import Path

from case import ClusterTest
from kube_api import ApiError
from stand_ins.hook_jobs import HookJobs
from support.manifests import copied_manifests

VALID = """
backends: {cache: {redis: {url: "redis://redis.cache:6379", password: {file: /etc/weir/backends/password}}}}
metrics:
  - {name: jobs, namespaces: [ml], redis: {backend: cache, key: jobs}}
"""
INVALID = VALID.replace("key: jobs", "keys: jobs")
CHECK = "weir-config-check"


class ConfigCheckScenario(ClusterTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.manifests = copied_manifests(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="weir-check-")))
        cls.jobs = cls.enterClassContext(HookJobs(cls.api, cls.namespace))
        pair = cls.manifests / "base" / "made-by-certs-serving"
        # What is not of a namespace belongs to the cluster's own Weir.
        cls.flags = ["--set", "tls.enable=true,apiService.create=false,rbac.create=false", "--set-file",
                     f"tls.ca={pair / 'ca.crt'},tls.certificate={pair / 'tls.crt'},tls.key={pair / 'tls.key'}"]

    def helm(self, config, **values):
        """helm's process, of an upgrade to that configuration, or an installation."""
        file = Path(self.enterContext(tempfile.TemporaryDirectory(prefix="weir-values-"))) / "values.yaml"
        file.write_text(json.dumps({"config": {"files": {"weir.yaml": config}}, **values}))
        return self.cluster.run(self.cluster.binaries.helm, "upgrade", "--install", "weir", self.manifests / "chart",
                                "-n", self.namespace, "--timeout", "40s", *self.flags, "-f", file)

    def found(self, path):
        """The object, or None."""
        try:
            return self.api.get(path)
        except ApiError as error:
            self.assertEqual(404, error.status)
            return None

    def deployment(self):
        return self.found(f"/apis/apps/v1/namespaces/{self.namespace}/deployments/weir")

    def job(self):
        return self.found(f"/apis/batch/v1/namespaces/{self.namespace}/jobs/{CHECK}")

    def config(self, name="weir-config"):
        found = self.found(f"/api/v1/namespaces/{self.namespace}/configmaps/{name}")
        return found and found["data"]["weir.yaml"]

    def assert_ok(self, run):
        self.assertEqual(0, run.returncode, run.stderr)

    def assert_stopped(self, run):
        self.assertNotEqual(0, run.returncode, run.stdout)
        self.assertRegex(run.stderr, f"pre-(install|upgrade).*Job/{self.namespace}/{CHECK}.*Failed")
        self.assertEqual(1, self.jobs.runs[-1].returncode)
        self.assertIn("weir.yaml:4:", self.jobs.runs[-1].stderr)
        self.assertIn('unknown key "keys"', self.jobs.runs[-1].stderr)
        self.assertIsNone(self.config(CHECK))
        self.assertEqual(1, self.job()["status"]["failed"])  # it stays for a day: its pod has the log

    def test_an_invalid_configuration_changes_nothing_that_runs(self):
        self.assert_stopped(self.helm(INVALID))
        self.assertIsNone(self.deployment())
        self.assertIsNone(self.config())

        self.assert_ok(self.helm(VALID))
        installed = self.deployment()
        self.assertEqual((VALID, None, None), (self.config(), self.config(CHECK), self.job()))
        self.assertEqual((0, ""), (self.jobs.runs[-1].returncode, self.jobs.runs[-1].stderr))

        self.assert_stopped(self.helm(INVALID, replicas=3))
        self.assertEqual(installed["metadata"]["generation"], self.deployment()["metadata"]["generation"])
        self.assertEqual(VALID, self.config())

        self.assert_ok(self.helm(VALID, replicas=3))
        self.assertEqual((3, None), (self.deployment()["spec"]["replicas"], self.job()))

        checks = len(self.jobs.runs)
        self.assert_ok(self.helm(INVALID, configCheck={"enabled": False}))
        self.assertEqual((INVALID, checks), (self.config(), len(self.jobs.runs)))
