"""etcd, kube-apiserver and kube-controller-manager on loopback, in one folder, under their own pids."""
import json
from pathlib import Path

from kube_api import ApiError, KubeApi
from support import Process, free_port

CONTROLLERS = ("horizontal-pod-autoscaler-controller", "deployment-controller", "replicaset-controller")
GATES = "HPAScaleToZero=true"


class ControlPlane:
    """RBAC decides; the aggregator shows a front-proxy certificate; the HPA controller calls as its service account.

    `certificates` is a set that this cluster alone uses: further pairs are added to it.
    """

    def __init__(self, directory, binaries, certificates):
        self.directory = Path(directory)
        self.certificates = certificates
        self.port = free_port()
        self.api = None  # as system:masters
        self._binary = binaries.control_plane
        self._etcd_port, self._peer_port, self._manager_port = free_port(), free_port(), free_port()
        self._running = []
        self._manager = None

    @property
    def url(self):
        return f"https://127.0.0.1:{self.port}"

    def start(self):
        self.directory.mkdir(parents=True, exist_ok=True)
        self._make_pairs()
        self.api = KubeApi(self.port, self.certificates)
        try:
            self._start_etcd()
            self._start_apiserver()
            self._start_manager()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self):
        while self._running:
            self._running.pop().stop()

    def write_kubeconfig(self, name, user):
        """A kubeconfig for this cluster; `user` is its user entry."""
        path = self.directory / f"{name}.kubeconfig"
        path.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "weir-test",
            "contexts": [{"name": "weir-test", "context": {"cluster": "weir-test", "user": name}}],
            "clusters": [{"name": "weir-test", "cluster": {
                "server": self.url, "certificate-authority": str(self.certificates.crt("ca"))}}],
            "users": [{"name": name, "user": user}]}))
        path.chmod(0o600)
        return path

    def with_pair(self, name):
        """A kubeconfig that shows the client certificate `name`."""
        return self.write_kubeconfig(name, {"client-certificate": str(self.certificates.crt(name)),
                                            "client-key": str(self.certificates.key(name))})

    def token(self, namespace, account, seconds=86400):
        """A token of a service account, by TokenRequest."""
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": seconds}}
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token"
        return self.api.create(path, body)["status"]["token"]

    def trust_proxies_of(self, *names):
        """The authorities of `certificates` that may sign a front proxy's certificate; the file is read when it changes."""
        self._replace("proxy-ca.crt", "".join(self.certificates.crt(name).read_text() for name in names))

    def show_proxy_pair(self, name):
        """The pair of `certificates` that the aggregator shows; the files are read when they change."""
        self._replace("proxy.key", self.certificates.key(name).read_text())
        self._replace("proxy.crt", self.certificates.crt(name).read_text())

    def loads(self, name):
        """How often kube-apiserver has read a file that it watches: `aggregator-proxy-cert`, `request-header`."""
        log = (self.directory / "kube-apiserver.log").read_text(errors="replace")
        return sum('"Loaded a new ' in line and f'name="{name}::' in line for line in log.splitlines())

    def hpa_syncs(self):
        """How often the HPA controller has looked at an HPA."""
        status, text = self._manager.exchange("GET", "/metrics")
        if status != 200:
            raise OSError(f"kube-controller-manager /metrics: {status}")
        name = b"horizontal_pod_autoscaler_controller_reconciliations_total"
        return sum(float(line.rsplit(b" ", 1)[1]) for line in text.splitlines() if line.startswith(name))

    def _make_pairs(self):
        issue = self.certificates.issue
        issue("kube-apiserver", "ca", "/CN=kube-apiserver", "serverAuth",
              "IP:127.0.0.1,DNS:localhost,DNS:kubernetes.default.svc")
        issue("admin", "client-ca", "/O=system:masters/CN=admin")
        issue("kube-controller-manager", "client-ca", "/CN=system:kube-controller-manager")
        self.certificates.authority("service-accounts")
        self.trust_proxies_of("front-proxy-ca")
        self.show_proxy_pair("front-proxy-client")

    def _replace(self, name, text):
        beside = self.directory / f"{name}.new"
        beside.touch(mode=0o600)
        beside.write_text(text)
        beside.replace(self.directory / name)

    def _start_etcd(self):
        data = self.directory / "etcd"
        data.mkdir(mode=0o700)
        etcd = self._start("etcd", [f"--data-dir={data}", f"--client-url=http://127.0.0.1:{self._etcd_port}",
                                    f"--peer-url=http://127.0.0.1:{self._peer_port}"])
        etcd.wait_ready(lambda: b"ready" in etcd.log.read_bytes().splitlines(), 60)

    def _start_apiserver(self):
        crt, key = self.certificates.crt, self.certificates.key
        apiserver = self._start("kube-apiserver", [
            f"--etcd-servers=http://127.0.0.1:{self._etcd_port}",
            "--bind-address=127.0.0.1", f"--secure-port={self.port}",
            "--advertise-address=127.0.0.1", "--endpoint-reconciler-type=none",  # no route and no endpoint is needed
            f"--tls-cert-file={crt('kube-apiserver')}", f"--tls-private-key-file={key('kube-apiserver')}",
            f"--client-ca-file={crt('client-ca')}", "--authorization-mode=RBAC",
            f"--requestheader-client-ca-file={self.directory / 'proxy-ca.crt'}", "--requestheader-allowed-names=front-proxy-client",
            "--requestheader-username-headers=X-Remote-User", "--requestheader-group-headers=X-Remote-Group",
            "--requestheader-extra-headers-prefix=X-Remote-Extra-", "--requestheader-uid-headers=X-Remote-Uid",
            f"--proxy-client-cert-file={self.directory / 'proxy.crt'}",
            f"--proxy-client-key-file={self.directory / 'proxy.key'}",
            "--service-cluster-ip-range=10.0.0.0/24",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-signing-key-file={key('service-accounts')}",
            f"--service-account-key-file={crt('service-accounts')}",
            "--disable-admission-plugins=ServiceAccount",  # no controller makes the account `default`
            "--vmodule=dynamic_serving_content=2,dynamic_cafile_content=2",  # see loads
            f"--feature-gates={GATES}"])
        apiserver.wait_ready(self._is_ready, 120)

    def _start_manager(self):
        kubeconfig = self.with_pair("kube-controller-manager")
        manager = self._start("kube-controller-manager", [
            f"--kubeconfig={kubeconfig}", "--leader-elect=false",
            "--bind-address=127.0.0.1", f"--secure-port={self._manager_port}",
            f"--tls-cert-file={self.certificates.crt('kube-apiserver')}",
            f"--tls-private-key-file={self.certificates.key('kube-apiserver')}",
            "--authorization-always-allow-paths=/healthz,/metrics",
            f"--controllers={','.join(CONTROLLERS)}", "--use-service-account-credentials=true",
            "--horizontal-pod-autoscaler-sync-period=1s",
            "--horizontal-pod-autoscaler-downscale-stabilization=2s",
            "--horizontal-pod-autoscaler-cpu-initialization-period=1s",
            "--horizontal-pod-autoscaler-initial-readiness-delay=1s",
            f"--feature-gates={GATES}"])
        self._manager = KubeApi(self._manager_port, self.certificates, pair=None)
        manager.wait_ready(lambda: self._manager.exchange("GET", "/healthz") == (200, b"ok"), 60)

    def _start(self, name, flags):
        log = self.directory / f"{name}.log"
        process = Process(name, [self._binary, name, *flags], log, env=_WITHOUT_PROXY, cwd=self.directory)
        self._running.append(process)
        return process.start()

    def _is_ready(self):
        try:
            return self.api.get("/readyz") == "ok" and self.api.get("/api/v1/namespaces/kube-system")
        except ApiError:
            return False

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


_WITHOUT_PROXY = {name: "" for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY",
                                        "all_proxy")}
