"""certs/serving: the pairs that it creates, reuses and rejects, and the error of kustomize before its first run."""
import shutil
import subprocess
import unittest

from support import ServerTest
from support.certificates import ROOT, Certificates
from support.manifests import copied_manifests, run_kustomize, serving


class ServingPairTest(ServerTest):
    def test_without_the_pair_the_error_names_its_folder(self):
        run = run_kustomize(copied_manifests(self.folder(), has_pair=False) / "base")

        self.assertNotEqual(0, run.returncode)
        self.assertIn("made-by-certs-serving", run.stderr)

    def test_git_ignores_the_keys(self):
        secrets = ["manifests/base/made-by-certs-serving/tls.key", "certs/out/ca.key", "certs/out/pair/tls.key",
                   "pair/tls.crt", "anywhere/ca.key", "username", "password"]

        run = subprocess.run(["git", "check-ignore", "--no-index", *secrets], cwd=ROOT, capture_output=True, text=True,
                             timeout=30)

        self.assertEqual(secrets, run.stdout.split(), run.stderr)

    def test_files_that_git_ignores_are_not_in_the_image(self):
        """docker's patterns are anchored, git's without a slash are not."""
        def as_docker_writes_it(pattern):
            return pattern.strip("/") if "/" in pattern.rstrip("/") else f"**/{pattern.rstrip('/')}"
        ignored = (ROOT / ".gitignore").read_text().split()
        left_out = (ROOT / ".dockerignore").read_text().split()

        self.assertEqual([], [line for line in map(as_docker_writes_it, ignored) if line not in left_out])

    def test_a_pair_is_reused_for_its_names_and_renewed_for_others(self):
        folder = self.folder()

        first, again, other = (serving("team", name, folder).stdout for name in ("weir", "weir", "adapter"))

        self.assertIn("made tls.crt", first)
        self.assertIn("kept tls.crt", again)
        self.assertIn("kept ca.crt", other)
        self.assertIn("made tls.crt", other)

    def test_a_pair_in_its_last_month_is_renewed_by_the_same_ca(self):
        folder = self.folder()
        serving("team", "weir", folder)
        authority = (folder / "ca.crt").read_bytes()

        self.replace("tls", folder, days_left=40)
        early = serving("team", "weir", folder).stdout
        self.replace("tls", folder, days_left=5)
        late = serving("team", "weir", folder).stdout

        self.assertIn("kept tls.crt", early)
        self.assertIn("made tls.crt", late)
        self.assertIn("kept ca.crt", late)
        self.assertEqual(authority, (folder / "ca.crt").read_bytes())
        self.assertIn("kept tls.crt", serving("team", "weir", folder).stdout)

    def test_a_ca_that_would_expire_before_its_pair_is_renewed_too(self):
        folder = self.folder()
        Certificates(folder).authority("ca")  # for two days
        self.replace("tls", folder, days_left=40)

        run = serving("team", "weir", folder).stdout

        self.assertIn("made ca.crt", run)
        self.assertIn("made tls.crt", run)

    def replace(self, name, folder, days_left):
        shutil.rmtree(folder / f"{name}.ca", ignore_errors=True)
        Certificates(folder).issue(name, "ca", "/CN=weir", "serverAuth", "DNS:weir.team.svc", days=(-1, days_left))

    def test_names_that_no_cluster_accepts_are_errors(self):
        for namespace, service in (("Team", "weir"), ("team", "weir.svc"), ("", "weir"), ("team", "-weir"),
                                   ("a" * 64, "weir")):
            with self.subTest((namespace, service)):
                run = serving(namespace, service, self.folder() / "pair")

                self.assertEqual(1, run.returncode)
                self.assertIn("a to z, 0 to 9 and -, 63 at most", run.stderr)


if __name__ == "__main__":
    unittest.main()
