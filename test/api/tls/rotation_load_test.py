"""Everything that may change under a running Weir changes every 100 ms, under about 500 reads a second.

lost   a request that was sent whole and got no whole answer
mixed  an answer that fits no single version of the configuration: each version has a label, a query and a backend that
       hold its number, and the backend answers with that number only where query and backend agree
"""
import collections
import contextlib
import http.client
import itertools
import json
import shutil
import ssl
import threading
import time
import unittest
import urllib.parse

from support import (KubeApiserver, ScriptedServer, ServerTest, Weir, cluster_config, config, is_sanitized, make_certificates,
                     metric, metric_path, prometheus_backend, refusal, vector)

INTERVAL_SECONDS = 0.1
ROTATIONS = 110  # of each thing that rotates, at least: 10 s
READS = 500 if is_sanitized() else 5000  # at least; a machine that is slow takes longer, with more rotations
LONGEST_SECONDS = 60
SETTLED_SECONDS = 0.5  # how long the stub's verdicts are kept
PATH = metric_path("ml-inference", "version")
USER = "X-Remote-User"


class Paced:
    """A thread that calls `step` that often a second, never earlier, until it is told to end."""

    def __init__(self, step, per_second, end):
        self._step, self._gap, self._end = step, 1 / per_second, end
        self.problem = None
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self):
        due = time.monotonic()
        try:
            while not self._end.wait(max(0, due - time.monotonic())):
                self._step()
                due = max(due + self._gap, time.monotonic() - 0.2)  # what is missed by more is not made up for
        except Exception as problem:  # told by the test, which looks at every thread
            self.problem = problem


class Reader:
    """Reads over one kept connection. `codes` are the statuses that are right for its identity."""

    def __init__(self, weir, cert, headers, codes=(200,)):
        self._weir, self._cert, self._headers, self._codes = weir, cert, headers, codes
        self._connection = None
        self._last = 0
        self.statuses = []
        self.versions = []
        self.lost_reads, self.mixed, self.wrong = [], [], []

    def read(self):
        connection = self._connection or self._weir.connection(self._cert)
        self._connection = connection
        connection.request("GET", PATH, headers=self._headers)
        try:
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.lost_reads.append(repr(error))
            self.close()
            return
        self.check_answer(answer.status, body)

    def read_once(self):
        self.read()
        self.close()

    def close(self):
        if self._connection:
            self._connection.close()
        self._connection = None

    def check_answer(self, status, body):
        self.statuses.append(status)
        if status not in self._codes:
            self.wrong.append((status, body))
        elif status == 200:
            item, = json.loads(body)["items"]
            version = int(item["metricLabels"]["version"])
            if int(item["value"]) != version or version < self._last:
                self.mixed.append((self._last, body))
            self._last = version
            self.versions.append(version)

    @property
    def turns(self):
        """How often the status was another than before."""
        return sum(1 for before, after in itertools.pairwise(self.statuses) if before != after)


class RotationLoadTest(ServerTest):
    def setUp(self):
        self.certificates = make_certificates(self.folder() / "certs")
        self.make_pairs()
        self.unfit = []  # what reached a backend of another version than the question's
        self.backend = self.start_in_test(ScriptedServer(self.answer))
        self.apiserver = self.start_in_test(KubeApiserver("account-0", self.certificates))
        self.apiserver.users = {f"token-{n}": {"authenticated": True, "user": {"username": f"bearer-{n}"}} for n in range(3)}
        self.token_file = self.folder() / "token"
        self.token_file.write_text("account-0")
        folder = self.folder()
        cache_time = f"{SETTLED_SECONDS * 1000:.0f}ms"
        self.weir = self.start_in_test(Weir(
            folder / "weir", self.config_of(1), self.certificates,
            kubeconfig=self.apiserver.kubeconfig(folder, tokenFile=str(self.token_file)),
            flags=("--authentication-token-webhook-cache-ttl", cache_time, "--authorization-webhook-cache-authorized-ttl", cache_time)))

    def make_pairs(self):
        """Beside the proxy's and the clients' authority two more of each, which come and go. Three serving pairs: Weir reads
        what came within 100 ms at once, so of two it could meet the same one every time."""
        for n in range(3):
            self.certificates.issue(f"serving-{n}", "ca", f"/CN=serving-{n}", "serverAuth", "IP:127.0.0.1,DNS:localhost")
        for n in range(2):
            self.certificates.authority(f"proxy-ca-{n}")
            self.certificates.issue(f"proxy-{n}", f"proxy-ca-{n}", "/CN=front-proxy-client")
            self.certificates.authority(f"client-ca-{n}")
            self.certificates.issue(f"client-{n}", f"client-ca-{n}", f"/CN=client-{n}")

    def config_of(self, version):
        return config({"prom": prometheus_backend(f"{self.backend.url}/v{version}")}, metric(
            "version", 'version{is="$(version)"}', freshness="20ms",
            labels={"version": {"pattern": "[0-9]+", "default": str(version)}}))

    def answer(self, turn):
        """The number of the version, where the backend's url and the question hold the same."""
        path = urllib.parse.urlsplit(turn.request.target).path
        version = turn.request.query.split('"')[1]
        if path != f"/v{version}/api/v1/query":
            self.unfit.append((path, turn.request.query))
            return turn.answer(refusal("bad_data", "the question of another version"), "400 Bad Request")
        return turn.answer(vector(version))

    def rotate(self, turn):
        """All five, one after the other: each is in force for 100 ms."""
        other = turn % 2
        self.weir.write_config(self.config_of(turn + 1))
        self.apiserver.tokens |= {f"account-{turn}"}  # before the file: the kube-apiserver issues it first
        self.replace(self.token_file, f"account-{turn}".encode())
        pem = {name: self.certificates.crt(name).read_text() for name in (
            "client-ca", "front-proxy-ca", f"client-ca-{other}", f"proxy-ca-{other}")}
        self.apiserver.write_config(cluster_config(
            self.certificates, client_ca_file=pem["client-ca"] + pem[f"client-ca-{other}"],
            requestheader_client_ca_file=pem["front-proxy-ca"] + pem[f"proxy-ca-{other}"]))
        for part in ("crt", "key"):
            path = self.certificates.directory / f"serving.{part}"
            self.replace(path, (self.certificates.directory / f"serving-{turn % 3}.{part}").read_bytes())

    @staticmethod
    def replace(path, data):
        beside = path.with_name(path.name + ".new")
        beside.write_bytes(data)
        if path.suffix == ".key":
            shutil.copymode(path, beside)
        beside.replace(path)

    def serving_certificate(self):
        """The serving certificate that a new connection is shown, as the number of its pair."""
        with contextlib.closing(self.weir.connection()) as connection:
            connection.connect()
            der = connection.sock.getpeercert(binary_form=True)
        return self.pairs.get(der)

    def steady_readers(self):
        proxy = [(Reader(self.weir, "front-proxy-client", {USER: f"proxied-{n}"}), 50) for n in range(5)]
        bearer = [(Reader(self.weir, None, {"Authorization": f"Bearer token-{n}"}), 50) for n in range(3)]
        client = [(Reader(self.weir, "client", {}), 30)]
        return proxy + bearer + client

    def comers(self):
        """A new connection for each read."""
        return [(Reader(self.weir, "front-proxy-client", {USER: "new"}), 15),
                (Reader(self.weir, None, {"Authorization": "Bearer token-0"}), 15)]

    def probes(self):
        """Whom the changing authorities signed: 200 and 401 in turn, on connections that stay open."""
        return [(Reader(self.weir, name, {USER: "probe"}, (200, 401)), 25)
                for name in ("proxy-0", "proxy-1", "client-0", "client-1")]

    def test_no_read_is_lost_or_mixed_while_everything_rotates_every_100_ms(self):
        self.pairs = {ssl.PEM_cert_to_DER_cert(self.certificates.crt(f"serving-{n}").read_text()): n for n in range(3)}
        end, certificate_numbers = threading.Event(), []
        steady, comers, probes = self.steady_readers(), self.comers(), self.probes()
        readers = [reader for reader, _ in steady + comers + probes]
        begin = time.monotonic()
        threads = [Paced(reader.read, rate, end) for reader, rate in steady + probes]
        threads += [Paced(reader.read_once, rate, end) for reader, rate in comers]
        threads.append(Paced(lambda: certificate_numbers.append(self.serving_certificate()), 20, end))
        try:
            turn = 0
            while self.is_to_go_on(turn, readers, begin):
                turn += 1
                self.rotate(turn)
                end.wait(max(0, begin + turn * INTERVAL_SECONDS - time.monotonic()))
        finally:
            took = time.monotonic() - begin
            end.set()
            for thread in threads:
                thread.thread.join(20)
            for reader in readers:
                reader.close()

        answer_count = self.count_answers(readers)
        self.print_summary(took, turn, answer_count, readers, probes, certificate_numbers)
        self.assertEqual([None] * len(threads), [thread.problem for thread in threads])
        for name in ("lost_reads", "mixed", "wrong"):
            self.assertEqual([], [problem for reader in readers for problem in getattr(reader, name)], name)
        self.assertEqual(([], []), (self.unfit, self.apiserver.mistakes))
        self.assert_all_took_effect(readers, probes, certificate_numbers)
        self.assertGreaterEqual(turn, ROTATIONS)
        self.assertGreaterEqual(answer_count, READS)

    @staticmethod
    def count_answers(readers):
        return sum(len(reader.statuses) for reader in readers)

    def is_to_go_on(self, turn, readers, begin):
        is_short = turn < ROTATIONS or self.count_answers(readers) < READS
        return is_short and time.monotonic() < begin + LONGEST_SECONDS

    def print_summary(self, took, turns, answer_count, readers, probes, certificate_numbers):
        versions = len({version for reader in readers for version in reader.versions})
        accounts = len(self.accounts())
        print(f"\n{answer_count} reads in {took:.1f} s, {answer_count / took:.0f} a second, {turns} rotations; seen: "
              f"{versions} configurations, {len(certificate_numbers)} handshakes with {dict(collections.Counter(certificate_numbers))}, "
              f"{accounts} account tokens, turns of the authorities {[reader.turns for reader, _ in probes]}")

    def accounts(self):
        return {request.headers.get("authorization") for request in self.apiserver.requests}

    def assert_all_took_effect(self, readers, probes, certificate_numbers):
        """Not every one of them, since a machine may be slow: but many, and of each kind."""
        least = 5 if is_sanitized() else 20
        self.assertGreaterEqual(len({version for reader in readers for version in reader.versions}), least)
        self.assertGreaterEqual(sum(1 for before, after in itertools.pairwise(certificate_numbers) if before != after), least)
        self.assertGreaterEqual(len(self.accounts()), least // 4)  # the account asks when a verdict is too old
        self.assertEqual([True] * len(probes), [reader.turns >= least for reader, _ in probes])


if __name__ == "__main__":
    unittest.main()
