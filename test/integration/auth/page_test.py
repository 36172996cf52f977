"""The configurations of docs/managed-prometheus.md are valid, and its texts are those of Weir."""
import re
import unittest

from support import ROOT, ServerTest, run_weir

PAGE = ROOT / "docs" / "managed-prometheus.md"


class PageTest(ServerTest):

    def test_each_configuration_is_valid(self):
        blocks = re.findall(r"```yaml\n(backends:.*?)```", PAGE.read_text(), re.S)
        for block in blocks:
            with self.subTest(block.split("\n")[1]):
                file = self.folder() / "weir.yaml"
                file.write_text(block + "metrics: []\n")

                check = run_weir("check", "--no-credentials", file, env={})

                self.assertEqual(0, check.returncode, check.stdout + check.stderr)
        self.assertEqual(4, len(blocks))

    def test_an_identity_is_missing_where_no_platform_gives_one(self):
        for block in re.findall(r"```yaml\n(backends:.*?)```", PAGE.read_text(), re.S):
            kind = re.search(r"auth:\s+\{?(\w+)", block)[1]
            with self.subTest(kind):
                file = self.folder() / "weir.yaml"
                file.write_text(block + "metrics: []\n")

                check = run_weir("check", file, env={})

                text = {"aws": "aws has no credentials: ", "azure": "azure has no workload identity, ", "google": "",
                        "oauth2": "the credential file /etc/weir/sso/secret cannot be read"}[kind]
                self.assertEqual(1 if text else 0, check.returncode, check.stdout + check.stderr)
                self.assertIn(text, check.stdout + check.stderr)


if __name__ == "__main__":
    unittest.main()
