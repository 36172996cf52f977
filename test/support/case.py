"""The common base of test files: temporary folders, servers that stop, and checks of responses."""
import tempfile
import unittest
from pathlib import Path

from .processes import wait_until


class ServerTest(unittest.TestCase):
    """Servers started by `start` in setUpClass live as long as the class; those of `start_in_test` as long as a test."""
    maxDiff = None

    @classmethod
    def new_folder(cls):
        return Path(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="weir-test-")))

    @classmethod
    def start(cls, server):
        return cls.enterClassContext(server)

    def folder(self):
        return Path(self.enterContext(tempfile.TemporaryDirectory(prefix="weir-test-")))

    def start_in_test(self, server):
        return self.enterContext(server)

    def assert_values(self, response, *values):
        """200 with these quantities, in this order."""
        self.assertEqual(200, response.status, response.text)
        self.assertEqual(list(values), [item["value"] for item in response.json()["items"]])

    def assert_status(self, response, code, reason, message):
        """A Kubernetes Status with exactly this text, and without the header that makes clients retry."""
        self.assertEqual((code, message), (response.status, self.message_of(response)))
        self.assertEqual(("Status", reason, code), tuple(response.json()[key] for key in ("kind", "reason", "code")))
        self.assertNotIn("Retry-After", response.headers)

    def wait_for(self, probe, seconds=5.0):
        """The first true answer of `probe`; fails after `seconds`."""
        return wait_until(probe, "what the test waits for", seconds, 0.02)

    def message_of(self, response):
        try:
            return response.json()["message"]
        except (ValueError, KeyError):
            return response.text
