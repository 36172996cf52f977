"""Hours of faults, reloads, wrong passwords and new certificates leave Weir as it was: memory, descriptors, latency.

WEIR_SOAK_MINUTES says how long (`./dev soak MINUTES`); CI's 24 s only show that the soak works.
"""
import os
import statistics
import threading
import time
import unittest

from history import HistoryTest
from injector import HOUR, WeirFaults
from resources import ResourceLog, growth
from sources import BrokerSource, PrometheusSource, RedisSource
from support import WallClock, is_sanitized, make_certificates

MINUTES = float(os.environ.get("WEIR_SOAK_MINUTES") or 0.4)
JUDGED_MINUTES = 10  # a shorter run is all warm-up
SAMPLE_SECONDS = min(5.0, MINUTES)
PROBE_SECONDS = 0.2
# What may look like growth in a run without any: the allocator's, and the machine's.
BOUND_BYTES, BOUND_DESCRIPTORS, BOUND_LATENCY = 1 << 20, 2, 0.1
MEBIBYTE = 1 << 20


class ServingPairs:
    """The faults `certificates` of the plan: another serving pair of the same authority, and the first one again."""

    def __init__(self, certificates):
        self._certificates = certificates
        name, names = "serving-2", "IP:127.0.0.1,DNS:localhost"
        certificates.issue(name, "ca", "/CN=weir", usage="serverAuth", names=names)
        self._pairs = [self._pair("serving"), self._pair(name)]

    def _pair(self, name):
        return self._certificates.crt(name).read_bytes(), self._certificates.key(name).read_bytes()

    def apply(self, _):
        self._install(1)

    def undo(self, _):
        self._install(0)

    def _install(self, number):
        for path, data in zip((self._certificates.crt("serving"), self._certificates.key("serving")), self._pairs[number]):
            beside = path.with_suffix(".new")
            beside.write_bytes(data)
            beside.replace(path)


class Prober:
    """Probes as a kubelet does, each on a connection of its own, with telemetry as every fifth."""

    def __init__(self, weir):
        self.statuses, self.seconds = [], []
        self._weir = weir
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="probes")

    def _run(self):
        while not self._end.wait(PROBE_SECONDS):
            is_scrape = len(self.statuses) % 5 == 4
            began = time.monotonic()
            headers = {"X-Remote-User": "prometheus", "X-Remote-Group": "system:masters"} if is_scrape else {}
            answer = self._weir.get("/metrics" if is_scrape else "/livez", headers,
                                    cert="front-proxy-client" if is_scrape else None)
            self.statuses.append(answer.status)
            self.seconds.append(time.monotonic() - began)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        self._thread.join(15)


class SoakTest(HistoryTest):
    rate = 400
    read_count = int(60 * MINUTES * rate)

    def setUp(self):
        self.place = self.folder()
        self.start_sources(*(kind(self.place / kind.name, self.chance(kind.name))
                             for kind in (RedisSource, PrometheusSource, BrokerSource)))
        clock = self.start_in_test(WallClock(self.place, 2 * HOUR))
        certificates = make_certificates(self.place / "certificates")
        self.start_weir(env=clock.env, certificates=certificates)
        self.inject_into_weir("weir", WeirFaults(self.weir, clock, self.config_of))
        self.inject_into_weir("certificates", ServingPairs(certificates))

    def run_history(self):
        with ResourceLog(self.weir.process.pid, SAMPLE_SECONDS) as self.log, Prober(self.weir) as self.prober:
            return super().run_history()

    def test_nothing_grows(self):
        reads = self.check_history()

        latencies = [(read.ended, read.ended - read.began) for read in sorted(reads, key=lambda read: read.ended)
                     if read.status == 200]
        self.print_resources(latencies)
        self.assertEqual({200}, set(self.prober.statuses))
        self.assertGreater(len(self.prober.statuses), 60 * MINUTES / PROBE_SECONDS / 4)
        self.assertGreater(len(self.log.samples), 10)
        if MINUTES < JUDGED_MINUTES or is_sanitized():
            return
        self.assertLess(self.growth_of("resident"), BOUND_BYTES)
        self.assertLess(self.growth_of("descriptors"), BOUND_DESCRIPTORS)
        self.assertLess(growth(latencies), BOUND_LATENCY * statistics.median(seconds for _, seconds in latencies))

    def growth_of(self, name):
        return growth([(sample.at, getattr(sample, name)) for sample in self.log.samples])

    def print_resources(self, latencies):
        resident = [sample.resident / MEBIBYTE for sample in self.log.samples]
        micros = sorted(1e6 * seconds for _, seconds in latencies)
        print(f"resident memory: median {statistics.median(resident):.1f} MiB, most {max(resident):.1f} MiB, growth "
              f"{self.growth_of('resident') / 1024:.0f} KiB in {MINUTES:g} minutes\n"
              f"descriptors: median {statistics.median(sample.descriptors for sample in self.log.samples)}, growth "
              f"{self.growth_of('descriptors'):.1f}; threads: {max(sample.threads for sample in self.log.samples)}\n"
              f"latency of a number: median {micros[len(micros) // 2]:.0f} us, p99 {micros[len(micros) * 99 // 100]:.0f} us, "
              f"growth of the median {1e6 * growth(latencies):.0f} us\n"
              f"probes and scrapes: {len(self.prober.statuses)}, slowest {1000 * max(self.prober.seconds):.0f} ms", flush=True)


if __name__ == "__main__":
    unittest.main()
