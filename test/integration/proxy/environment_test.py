"""HTTP_PROXY, HTTPS_PROXY and NO_PROXY, at addresses of this host that are not loopback ones: these use no proxy."""
import os
import shlex
import unittest

from support import (FarNetwork, ForwardProxy, KubeApiserver, Prometheus, ScriptedServer, ServerTest, Weir, config, metric,
                     prometheus_backend, run_weir, shared_certificates, vector)

LOGIN = ("scraper", "correct-horse")
ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
# What the environment of the test itself may have.
NONE = dict.fromkeys(("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"), "")


class EnvironmentTest(ServerTest):
    @classmethod
    def setUpClass(cls):
        folder = cls.folder_ = cls.new_folder()
        cls.network = cls.start(FarNetwork())
        cls.host = cls.network.here
        cls.certificates = shared_certificates()
        if not cls.certificates.crt("far").exists():
            cls.certificates.issue("far", "ca", "/CN=far", usage="serverAuth", names=f"IP:{cls.host}")
        pair = cls.certificates.crt("far"), cls.certificates.key("far")
        cls.ca = {"ca": str(cls.certificates.crt("ca"))}
        cls.plain = cls.start(Prometheus(folder / "plain", host=cls.host))
        cls.tls = cls.start(ScriptedServer(lambda turn: turn.answer(vector(42)), tls=pair, host=cls.host))
        cls.near = cls.start(Prometheus(folder / "near"))
        cls.backends = {"plain": prometheus_backend(cls.plain.url), "tls": prometheus_backend(cls.tls.url, tls=cls.ca),
                        "near": prometheus_backend(cls.near.url), "none": prometheus_backend(cls.plain.url, proxy="none")}
        cls.metrics = [metric(name, "vector(42)", backend=name, freshness="1ms") for name in cls.backends]

    def proxy(self, **settings):
        return self.start_in_test(ForwardProxy(self.folder() / "proxy", **settings))

    def weir(self, env, **settings):
        return self.start_in_test(Weir(self.folder() / "weir", config(self.backends, *self.metrics), env={**NONE, **env},
                                       **settings))

    def read_all(self, weir):
        for name in self.backends:
            with self.subTest(name):
                self.assert_values(weir.metric("ml-inference", name), "42")

    def servers_of(self, proxy):
        """Each server that the proxy was asked for, with the method."""
        out = set()
        for line in proxy.requests():
            method, target, _ = line.split(" ")
            out.add((method, target.removeprefix("http://").partition("/")[0]))
        return out

    def test_each_scheme_uses_its_variable_and_loopback_none(self):
        proxy = self.proxy(login=LOGIN)
        url = proxy.url.replace("//", "//" + ":".join(LOGIN) + "@")
        weir = self.weir({"HTTP_PROXY": url, "https_proxy": url})

        self.read_all(weir)

        self.assertEqual({("GET", f"{self.host}:{self.plain.port}"), ("CONNECT", f"{self.host}:{self.tls.port}")},
                         self.servers_of(proxy))
        self.assertNotIn("proxy-authorization", self.tls.requests[-1].headers)
        log = weir.process.log.read_text()
        self.assertIn(f"HTTP_PROXY http://***@127.0.0.1:{proxy.port}, https_proxy http://***@127.0.0.1:{proxy.port}", log)
        for secret in (LOGIN[1], "c2NyYXBlcjpjb3JyZWN0LWhvcnNl"):
            self.assertNotIn(secret, log)

    def test_no_proxy_excepts_a_network(self):
        proxy = self.proxy()
        weir = self.weir({"http_proxy": proxy.url, "HTTPS_PROXY": proxy.url, "NO_PROXY": ".svc,198.18.0.0/15"})

        self.read_all(weir)

        self.assertEqual(set(), self.servers_of(proxy))

    def test_a_wrong_login_is_the_proxys_refusal_and_shown_nowhere(self):
        proxy = self.proxy(login=LOGIN)
        url = proxy.url.replace("//", "//scraper:wrong-horse@")
        weir = self.weir({"HTTP_PROXY": url, "HTTPS_PROXY": url})

        # tinyproxy has 401 for a wrong login, which a server could send, too, but not in response to CONNECT.
        self.assert_status(weir.metric("ml-inference", "tls"), 503, "ServiceUnavailable",
                           "metric ml-inference/tls: prometheus tls: "
                           "the proxy refuses the user or the password of HTTP_PROXY or HTTPS_PROXY (HTTP 401)")
        plain = weir.metric("ml-inference", "plain")
        # The title of tinyproxy's page.
        self.assert_status(plain, 503, "ServiceUnavailable", "metric ml-inference/plain: prometheus plain: the credentials are "
                           "refused (HTTP 401): 401 Unauthorized")
        for text in (self.message_of(plain), weir.process.log.read_text()):
            self.assertNotIn("wrong-horse", text)

    def test_check_and_explain_name_the_variable(self):
        proxy = self.proxy()
        file = self.folder() / "weir.yaml"
        file.write_text(config(self.backends, *self.metrics))
        env = {**os.environ, **NONE, "HTTP_PROXY": proxy.url.replace("//", "//a:secret@"), "HTTPS_PROXY": "http://", "no_proxy": "a b"}

        checked = run_weir("check", file, env=env)
        near = run_weir("explain", "--config", file, "ml-inference/near", env=env)

        self.assertEqual(0, checked.returncode, checked.stderr)
        self.assertIn(f"note       backend plain: it uses the proxy http://***@127.0.0.1:{proxy.port} (HTTP_PROXY)\n",
                      checked.stdout)
        self.assertIn("warning    environment: HTTPS_PROXY is ignored: ", checked.stdout)
        self.assertIn('warning    environment: "a b" in no_proxy matches no server', checked.stdout)
        self.assertNotIn("secret", checked.stdout + near.stdout)
        self.assertIn("\nproxy        none (never used for localhost and loopback addresses)\n", near.stdout)


class ApiserverTest(ServerTest):
    """The kube-apiserver follows the environment, as every client of Kubernetes does."""

    @classmethod
    def setUpClass(cls):
        cls.network = cls.start(FarNetwork())
        cls.certificates = shared_certificates()
        if not cls.certificates.crt("far").exists():
            cls.certificates.issue("far", "ca", "/CN=far", usage="serverAuth", names=f"IP:{cls.network.here}")
        cls.kube = cls.start(KubeApiserver(host=cls.network.here, pair="far"))
        cls.proxy = cls.start(ForwardProxy(cls.new_folder() / "proxy"))

    def weir(self, env, kubeconfig, launcher=()):
        return self.start_in_test(Weir(self.folder() / "weir", config("http://127.0.0.1:1", metric("m", "x")),
                                       env={**NONE, **env}, kubeconfig=kubeconfig, launcher=launcher))

    def in_pod(self):
        """Words that give a process the files of a service account, in a mount namespace of its own."""
        script = (f"mount -t tmpfs tmpfs /var/run && mkdir -p {ACCOUNT} && cp {shlex.quote(str(self.certificates.crt('ca')))} "
                  f'{ACCOUNT}/ca.crt && printf the-token >{ACCOUNT}/token && exec "$@"')
        return "unshare", "--mount", "sh", "-c", script, "sh"

    def events(self, weir):
        return [line for line in weir.process.log.read_text().splitlines() if "kube_apiserver_proxied" in line]

    def tunnels(self):
        return self.proxy.requests().count(f"CONNECT {self.network.here}:{self.kube.port} HTTP/1.1")

    def test_a_kubeconfig_follows_the_environment(self):
        before = self.tunnels()

        weir = self.weir({"HTTPS_PROXY": self.proxy.url}, self.kube.kubeconfig(self.folder()))

        self.assertGreater(self.tunnels(), before)
        self.assertEqual(1, len(self.events(weir)))
        self.assertNotIn("NO_PROXY", self.events(weir)[0])

    def test_proxy_url_of_a_kubeconfig_is_used(self):
        path = self.kube.kubeconfig(self.folder())
        path.write_text(path.read_text().replace('"cluster": {"server"', f'"cluster": {{"proxy-url": "{self.proxy.url}", "server"'))
        before = self.tunnels()

        self.weir({"NO_PROXY": "*"}, path)

        self.assertGreater(self.tunnels(), before)

    def test_in_a_pod_a_missing_exception_is_a_warning(self):
        pod = {"KUBERNETES_SERVICE_HOST": self.network.here, "KUBERNETES_SERVICE_PORT": str(self.kube.port)}
        before = self.tunnels()

        missing = self.weir({**pod, "HTTPS_PROXY": self.proxy.url}, "", self.in_pod())
        proxied = self.tunnels()
        excepted = self.weir({**pod, "HTTPS_PROXY": self.proxy.url, "NO_PROXY": self.network.here}, "", self.in_pod())

        self.assertGreater(proxied, before)
        self.assertEqual(1, len(self.events(missing)))
        self.assertIn(f"NO_PROXY does not contain KUBERNETES_SERVICE_HOST ({self.network.here}); add {self.network.here} "
                      "to NO_PROXY", self.events(missing)[0])
        self.assertEqual([], self.events(excepted))
        self.assertEqual(proxied, self.tunnels())


if __name__ == "__main__":
    unittest.main()
