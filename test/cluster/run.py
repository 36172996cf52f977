#!/usr/bin/python3
"""What ./dev cluster runs: a real control plane with Weir in it, and the scenarios *_scenario.py. Nothing outlives it."""
import argparse
import contextlib
import signal
import sys
import tempfile
import time
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from binaries import build_binaries  # noqa: E402
from case import ClusterTest  # noqa: E402
from cluster import Cluster  # noqa: E402
from support import deferred_interrupts, weir_binary  # noqa: E402


def scenarios(names):
    """All, or those named: `scaling`, or `scaling.ScalingScenario.test_...` as unittest has it."""
    existing = sorted(path.name.removesuffix("_scenario.py") for path in HERE.glob("*_scenario.py"))
    for name in names:
        if name.split(".")[0] not in existing:
            raise SystemExit(f"./dev cluster: there is no scenario {name!r}; there are {', '.join(existing)}")
    parts = [name.partition(".") for name in names or existing]
    loader = unittest.TestLoader()
    return loader.loadTestsFromNames([f"{module}_scenario{dot}{rest}" for module, dot, rest in parts])


def stay(cluster):
    """Until a signal arrives."""
    print(f"KUBECONFIG={cluster.kubeconfig}\nkubectl and helm are in {cluster.binaries.kubectl.parent}\n"
          f"Weir's configuration: {cluster.weir.config_file}\nCtrl-C stops everything.", flush=True)
    signals = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)  # from here on they are waited for, not handled
    signal.sigwait(signals)


def run_suite(cluster, suite):
    """The exit code of the scenarios."""
    ClusterTest.cluster = cluster
    return 0 if unittest.TextTestRunner(verbosity=2).run(suite).wasSuccessful() else 1


def run(arguments):
    suite = scenarios(arguments.scenario) if arguments.scenario or not arguments.keep else None
    weir_binary()
    binaries = build_binaries()
    start_time = time.monotonic()
    stack = contextlib.ExitStack()
    try:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="weir-cluster-"))
        cluster = stack.enter_context(Cluster(folder, binaries))
        print(f"the cluster is up after {time.monotonic() - start_time:.0f} s", flush=True)
        code = run_suite(cluster, suite) if suite else 0
        if arguments.keep:
            stay(cluster)
        return code
    finally:
        with deferred_interrupts():  # a second Ctrl-C waits until all is stopped and removed
            stack.close()


def main():
    parser = argparse.ArgumentParser(prog="./dev cluster", description=__doc__)
    parser.add_argument("scenario", nargs="*", help="such as scaling; all unless named")
    parser.add_argument("--keep", action="store_true",
                        help="stay up until Ctrl-C and print KUBECONFIG; runs only the scenarios that are named")
    arguments = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        return run(arguments)
    except KeyboardInterrupt:
        print("./dev cluster: stopped", file=sys.stderr)
        return 130
    except (RuntimeError, OSError) as error:
        print(f"./dev cluster: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
