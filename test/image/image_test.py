"""The image's root file system, staged as the Dockerfile does, with the binary run in it as a cluster would run it."""
import http.client
import os
import re
import ssl
import subprocess
import unittest
from pathlib import Path

from support import MissingTool, Process, ScriptedServer, ServerTest, config, free_port, make_certificates, metric, require
from support import weir_binary
from support.certificates import ROOT
from support.manifests import build, copied_manifests, find_object

HERE = Path(__file__).resolve().parent
MAX_BYTES = 33e6  # 11 of them are libcurl and its libraries
PYTHON = "/usr/bin/python3"


class ImageTest(ServerTest):
    @classmethod
    def setUpClass(cls):
        if os.geteuid() != 0:
            raise MissingTool("chroot and mount namespaces need root: run this test as root")
        require("objcopy", "binutils")
        cls.root = cls.new_folder() / "rootfs"
        run = subprocess.run([PYTHON, "-B", HERE / "rootfs.py", weir_binary(), cls.root], capture_output=True, text=True,
                             timeout=120)
        if run.returncode != 0:
            raise RuntimeError(f"rootfs.py failed:\n{run.stdout}{run.stderr}")
        print(run.stdout, end="")
        cls.files = {str(path.relative_to(cls.root)): path for path in cls.root.rglob("*")}
        cls.pair = copied_manifests(cls.new_folder())

    def argv(self, mounts, *program):
        return [require("unshare", "util-linux"), "--mount", "--propagation", "private", PYTHON, "-B", HERE / "inside.py",
                self.root, *(f"{source}={target}" for source, target in mounts.items()), "--", *program]

    def run_inside(self, mounts, *program):
        return subprocess.run(list(map(str, self.argv(mounts, *program))), stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=60)

    def readable(self, **files):
        """A folder that uid 65532 may read, as the kubelet mounts it."""
        folder = self.folder()
        folder.chmod(0o755)
        for name, content in files.items():
            (folder / name.replace("_", ".")).write_bytes(content)
        return folder

    def test_it_serves_as_the_deployment_starts_it(self):
        certificates = make_certificates(self.folder())
        serving = self.readable(tls_crt=certificates.crt("serving").read_bytes(),
                                ca_crt=certificates.crt("ca").read_bytes(),
                                tls_key=certificates.key("serving").read_bytes())
        deployment = find_object(build(self.pair / "base"), "Deployment", "weir")
        container, = deployment["spec"]["template"]["spec"]["containers"]
        port = free_port()
        flags = [f"--secure-port={port}" if flag.startswith("--secure-port") else flag for flag in container["args"]
                 if not flag.startswith("--shutdown-delay")]
        mounts = {self.readable(weir_yaml=b"backends: {}\nmetrics: []\n"): "/etc/weir/config", serving: "/etc/weir/serving"}
        weir = self.start_in_test(Process("weir", self.argv(mounts, self.entry_point(), *flags, "--standalone", "--bind-address",
                                                            "127.0.0.1", "--client-ca-file", "/etc/weir/serving/ca.crt"),
                                          self.folder() / "log"))

        answer = weir.wait_ready(lambda: self.get(port, certificates.crt("ca"), "/livez"))

        self.assertEqual((200, b"ok"), answer)
        status = Path(f"/proc/{weir.pid}/status").read_text()
        self.assertRegex(status, r"Uid:\t65532\t65532\t65532\t65532")
        self.assertRegex(status, r"CapEff:\t0+\n")
        self.assertRegex(status, r"CapPrm:\t0+\n")
        self.assertRegex(status, r"NoNewPrivs:\t1")
        self.assertEqual(0, weir.stop(), weir.log_tail())

    def test_it_knows_the_public_authorities_and_finds_names(self):
        certificates = make_certificates(self.folder())
        backend = self.start_in_test(ScriptedServer(lambda turn: turn.answer("{}"),
                                                    tls=(certificates.crt("serving"), certificates.key("serving"))))
        url = f"https://localhost:{backend.url.rsplit(':', 1)[1]}"
        mounts = {self.readable(weir_yaml=config(url, metric("depth", "depth")).encode()): "/etc/weir/config",
                  "/etc/hosts": "/etc/hosts"}

        roots = {self.readable(ca_crt=certificates.crt("ca").read_bytes()) / "ca.crt": "/etc/ssl/certs/ca-certificates.crt"}
        get = self.entry_point(), "get", "--config", "/etc/weir/config", "ml-inference/depth"

        strange = self.run_inside(mounts, *get)
        response = self.run_inside({**mounts, **roots}, *get)

        self.assertEqual(3, strange.returncode, strange.stderr)
        self.assertIn("TLS failed: unable to get local issuer certificate", strange.stdout + strange.stderr)
        self.assertIn("the response has no result of the Prometheus query API", response.stdout + response.stderr)

    def test_it_knows_time_zones_and_their_names(self):
        text = ("metrics: [{name: m, namespaces: [ml], schedule: {timeZone: %s, windows: [{from: '08:00', to: '18:00', value: 1}],"
                " otherwise: 0}}]\n")
        runs = [self.run_inside({self.readable(weir_yaml=(text % zone).encode()): "/etc/weir/config"}, self.entry_point(), "check",
                                "/etc/weir/config") for zone in ("Europe/Berlin", "Europe/Berlln")]

        self.assertEqual([0, 1], [run.returncode for run in runs], runs)
        self.assertIn('there is no time zone "Europe/Berlln"; did you mean "Europe/Berlin"', runs[1].stderr)

    def test_nothing_can_be_written(self):
        run = self.run_inside({}, "try-to-write")

        self.assertEqual(0, run.returncode, run.stderr)
        outcomes = dict(line.rsplit(": ", 1) for line in run.stdout.splitlines())
        self.assertLess({"/", "/etc", "/usr/bin", "/var"}, set(outcomes))
        self.assertEqual({"Read-only file system"}, set(outcomes.values()))

    def test_the_only_programs_are_weir_and_its_loader(self):
        programs = [name for name, path in self.files.items()
                    if path.is_file() and not path.is_symlink() and path.stat().st_mode & 0o111]

        self.assertIn("usr/bin/weir", programs)
        self.assertEqual(2, len(programs), programs)
        self.assertRegex(" ".join(programs), r"/ld-linux[\w.-]*")

    def test_no_file_is_writable_by_others_or_setuid(self):
        modes = {name: path.lstat().st_mode for name, path in self.files.items() if not path.is_symlink()}

        self.assertEqual({}, {name: oct(mode) for name, mode in modes.items() if mode & 0o6022})

    def test_it_is_small_and_has_every_file_that_weir_reads(self):
        sizes = [path.stat().st_size for path in self.files.values() if path.is_file() and not path.is_symlink()]

        self.assertLess(sum(sizes), MAX_BYTES)
        for name in ("etc/ssl/certs/ca-certificates.crt", "usr/share/zoneinfo/Europe/Berlin",
                     "var/lib/dpkg/status.d/libssl3"):
            self.assertGreater(self.files[name].stat().st_size, 100, name)

    def test_every_link_leads_somewhere(self):
        links = [(name, path) for name, path in self.files.items() if path.is_symlink()]

        self.assertTrue(links)
        for name, path in links:
            target = os.readlink(path)
            inside = self.root / target.lstrip("/") if target.startswith("/") else path.parent / target
            self.assertTrue(inside.exists(), f"{name} -> {target}")

    def test_the_dockerfile_builds_exactly_this_image(self):
        lines = [line.split() for line in (ROOT / "Dockerfile").read_text().splitlines() if line and line[0] not in " #"]
        stages = [index for index, words in enumerate(lines) if words[0] == "FROM"]
        last = {words[0]: words[1:] for words in lines[stages[-1]:]}

        self.assertEqual(["debian:12", "scratch"], [lines[index][1] for index in stages])
        self.assertEqual(["--from=build", "/rootfs", "/"], last["COPY"])
        self.assertEqual(["65532:65532"], last["USER"])
        self.assertNotIn("RUN", last)
        self.assertEqual("/usr/bin/weir", self.entry_point())

    def entry_point(self):
        return re.search(r'^ENTRYPOINT \["([^"]+)"\]$', (ROOT / "Dockerfile").read_text(), re.MULTILINE)[1]

    def get(self, port, authority, path):
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=5,
                                                 context=ssl.create_default_context(cafile=authority))
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


if __name__ == "__main__":
    unittest.main()
