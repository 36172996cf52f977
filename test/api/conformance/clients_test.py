"""Conformance: kubectl as a user of the API, with a home of its own."""
import json
import os
import subprocess
import unittest

from support import require
from rig import (AGGREGATED, AGGREGATED_BETA, GROUP_NAME, ConformanceCase, M)

# What kubectl of a version asks /apis with; the one that is installed asks by itself.
DISCOVERY = {"1.27": (AGGREGATED_BETA + ",application/json", "APIGroupList"),
             "1.33": (AGGREGATED + "," + AGGREGATED_BETA + ",application/json", "APIGroupDiscoveryList")}


class ClientsTest(ConformanceCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.home = cls.new_folder()

    def kubectl(self, *arguments):
        crt, key = self.certificates.crt, self.certificates.key
        run = subprocess.run(
            [require("kubectl", "kubernetes-client"), "--kubeconfig", "/dev/null", "--cache-dir", self.home / "cache",
             "--server", self.weir.url, "--certificate-authority", crt("ca"), "--client-certificate", crt("client"),
             "--client-key", key("client"), *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30,
            env={"HOME": str(self.home), "PATH": os.environ["PATH"]})
        self.assertEqual((0, ""), (run.returncode, run.stderr))
        return run.stdout

    def test_125_kubectl_get_raw_prints_the_response(self):
        self.assertEqual(self.get(M).json(), json.loads(self.kubectl("get", "--raw", M)))

    def test_126_kubectl_api_resources_lists_the_metrics_without_a_warning(self):
        lines = self.kubectl("api-resources", "--api-group=" + GROUP_NAME, "--no-headers").splitlines()

        self.assertEqual(["externalmetrics", "labelled", "queue-len"], sorted(line.split()[0] for line in lines))

    def test_128_discovery_of_the_versions_succeeds(self):
        for version, (accept, kind) in DISCOVERY.items():
            with self.subTest(version):
                answer = self.get("/apis?timeout=32s", {"Accept": accept, "Accept-Encoding": "gzip"})

                self.assertEqual((200, kind), (answer.status, answer.json()["kind"]))
        self.assertIn(GROUP_NAME + "/v1beta1\n", self.kubectl("api-versions"))


if __name__ == "__main__":
    unittest.main()
