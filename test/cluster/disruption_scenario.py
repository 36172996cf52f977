"""Outages and recoveries: a backend, Weir, and the CA of the aggregator's certificate."""
import signal

from case import ClusterTest
from cluster import API_SERVICES
from objects import external, resource_metrics_objects
from support import GROUP, wait_until

KEY = "requestheader-client-ca-file"
CONFIG_MAP = "/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication"
BARRIER = "last.weir.test"
RELOADED_SECONDS = 90  # kube-apiserver looks at its files every minute at the latest
BACK_SECONDS = 60  # the aggregator looks again after 30 s


class DisruptionScenario(ClusterTest):
    def growing(self, name, count):
        """A Deployment that its counter has brought to `count` replicas."""
        self.cluster.redis.command("SET", name, 10 * count)
        self.scaled(name, [external("counter", 10, {"key": name})])
        self.wait_replicas(name, count)

    def test_while_a_backend_is_killed_the_replicas_stay_and_scale_after_its_return(self):
        self.growing("backend", 3)
        redis = self.cluster.redis
        self.addCleanup(lambda: redis.process.running or redis.start())

        redis.process.signal(signal.SIGKILL)
        redis.process.wait(10)
        self.wait_failing("backend", "redis cache")
        self.assert_replicas_stay("backend", 3)

        redis.start()
        redis.command("SET", "backend", 50)
        self.wait_replicas("backend", 5)

    def test_while_weir_is_killed_the_replicas_stay_and_scale_after_its_return(self):
        self.growing("adapter", 3)
        weir = self.cluster.weir
        self.addCleanup(lambda: weir.process.running or weir.start())

        weir.process.signal(signal.SIGKILL)
        weir.process.wait(10)
        self.cluster.redis.command("SET", "adapter", 60)
        self.wait_failing("adapter", "unable to get external metric")
        self.assert_replicas_stay("adapter", 3)

        weir.start()
        self.wait_replicas("adapter", 6, BACK_SECONDS)
        self.cluster.wait_available()

    def test_the_proxys_ca_is_rotated_without_a_failed_read(self):
        self.growing("rotation", 2)
        plane, certificates = self.cluster.control_plane, self.cluster.certificates
        certificates.authority("front-proxy-ca-2")
        certificates.issue("front-proxy-client-2", "front-proxy-ca-2", "/CN=front-proxy-client")

        self.loaded("request-header", lambda: plane.trust_proxies_of("front-proxy-ca", "front-proxy-ca-2"))
        self.reading_until(lambda: self.as_proxy("front-proxy-client-2") == 200, "Weir trusts the second authority")
        self.loaded("aggregator-proxy-cert", lambda: plane.show_proxy_pair("front-proxy-client-2"))
        self.wait_for_aggregator()
        self.loaded("request-header", lambda: plane.trust_proxies_of("front-proxy-ca-2"))
        # kube-apiserver adds authorities to the ConfigMap and leaves it to people to take one out.
        self.api.merge(CONFIG_MAP, {"data": {KEY: certificates.crt("front-proxy-ca-2").read_text()}})
        self.reading_until(lambda: self.as_proxy("front-proxy-client") == 401, "Weir refuses the first authority")

        self.cluster.redis.command("SET", "rotation", 40)
        self.wait_replicas("rotation", 4)
        self.cluster.wait_available()

    def loaded(self, name, change):
        """Changes a file that kube-apiserver watches, and waits until it says that it has read it."""
        before = self.cluster.control_plane.loads(name)
        change()
        self.reading_until(lambda: self.cluster.control_plane.loads(name) > before, f"kube-apiserver reads {name}")

    def wait_for_aggregator(self):
        """Until the aggregator shows the pair that it has read. It takes up one APIService after the other: when it knows
        a last one, it has been through those before."""
        self.api.create(API_SERVICES, resource_metrics_objects(self.cluster.resource_metrics.port,
                                                               self.cluster.certificates.crt("ca"), BARRIER)[1])
        self.addCleanup(self.api.delete, f"{API_SERVICES}/v1beta1.{BARRIER}")
        self.reading_until(lambda: self.api.exchange("GET", f"/apis/{BARRIER}/v1beta1")[0] != 404, "the aggregator is through")

    def reading_until(self, probe, what):
        """Each check includes a read through the aggregator, which must not fail."""
        def reads_and_is_so():
            self.assertEqual((200, ["20"]), self.read("counter", "key=rotation"))
            return probe()
        wait_until(reads_and_is_so, what, RELOADED_SECONDS, 0.2)

    def as_proxy(self, pair):
        headers = {"X-Remote-User": "rotation", "X-Remote-Group": "system:masters"}
        return self.cluster.weir.get(GROUP, headers, cert=pair).status
