"""Conformance: health, version, metrics and the index."""
import json
import unittest

from support import CONFIG_MAPS, Refuse, run_weir
from rig import ANONYMOUS, JSON, TEXT, ConformanceCase, Row, cases, error_row

CHECKS = "[+]authentication-config ok\n[+]shutdown ok\n"
CASES = [
    *(Row(76, path, {}, 200, TEXT, "ok", "GET", None) for path in ("/healthz", "/livez", "/readyz")),
    Row(77, "/readyz?verbose", {}, 200, TEXT, "[+]ping ok\n" + CHECKS + "readyz check passed\n", "GET", None),
    Row(77, "/livez?verbose=true", {}, 200, TEXT, "[+]ping ok\nlivez check passed\n", "GET", None),
    Row(78, "/readyz?exclude=ping&verbose", {}, 200, TEXT, "[+]ping excluded: ok\n" + CHECKS + "readyz check passed\n"),
    Row(78, "/readyz?exclude=x&verbose", {}, 200, TEXT, 'warn: some health checks cannot be excluded: no matches for "x"\n'),
    Row(84, "/version", {}, 200, JSON, '{\n  "major": "0",\n'),
    Row(84, "/", {}, 200, JSON, '{\n  "paths": [\n    "/apis",\n'),
    Row(84, "/index.html", {}, 200, JSON, '"/version"\n  ]\n}'),
]
NO_METRICS = error_row(82, "/metrics", 403, "Forbidden", 'forbidden: User "system:anonymous" cannot get path "/metrics"', None, "{}")


@cases(CASES)
class HealthTest(ConformanceCase):
    def play(self, row):
        super().play(row)
        if row.path in ("/healthz", "/livez", "/readyz"):
            bare = self.weir.get(row.path, cert=None)
            self.assertEqual((200, "ok"), (bare.status, bare.text))

    def test_080_a_failing_check_is_named_without_its_reason(self):
        self.apiserver.always[CONFIG_MAPS] = Refuse(403)
        self.addCleanup(self.apiserver.always.clear)
        weir = self.new_weir((), *self.metrics, is_awaited=False)

        answer, check = weir.get("/readyz", cert=None), self.get("/readyz/authentication-config", None, None, weir=weir)

        self.assertEqual((500, TEXT), (answer.status, answer.headers["Content-Type"]))
        self.assertEqual("[+]ping ok\n[-]authentication-config failed: reason withheld\n[+]shutdown ok\nreadyz check failed\n",
                         answer.text)
        self.assertEqual(403, check.status)

    def test_081_a_single_check_needs_permission(self):
        self.apiserver.allow = lambda spec: "system:monitoring" in spec["groups"]

        nobody = self.weir.get("/healthz/ping", cert=None)
        monitor = self.get("/healthz/ping", {"X-Remote-Group": "system:monitoring"}, user="row-81")

        self.assertEqual((403, 200, "ok"), (nobody.status, monitor.status, monitor.text))
        self.assertEqual({"path": "/healthz/ping", "verb": "get"}, self.reviews_of("row-81")[0]["nonResourceAttributes"])

    def test_the_version_is_that_of_the_build(self):
        build = json.loads(run_weir("version", "-o", "json").stdout)

        served = self.get("/version").json()

        self.assertEqual({"major", "minor", "gitVersion", "gitCommit", "gitTreeState", "buildDate", "goVersion", "compiler",
                          "platform"}, served.keys())
        self.assertEqual((f"v{build['version']}", build["gitCommit"], build["gitCommitDate"], build["compiler"]),
                         tuple(served[name] for name in ("gitVersion", "gitCommit", "buildDate", "compiler")))

    def test_082_metrics_need_permission(self):
        answer = self.weir.get("/metrics", cert=None)

        self.assertEqual((403, JSON, NO_METRICS.text), (answer.status, answer.headers["Content-Type"], answer.text))
        self.assertIn({"path": "/metrics", "verb": "get"},
                      [spec.get("nonResourceAttributes") for spec in self.reviews_of(ANONYMOUS)])
        self.assertEqual(200, self.get("/metrics").status)


if __name__ == "__main__":
    unittest.main()
