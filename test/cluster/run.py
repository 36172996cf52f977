#!/usr/bin/python3
"""Behind ./dev cluster: a real control plane with Weir in it, and the scenarios *_scenario.py. Nothing outlives it."""
import argparse
import signal
import sys
import tempfile
import time
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from binaries import built_binaries  # noqa: E402
from case import ClusterTest  # noqa: E402
from cluster import Cluster  # noqa: E402
from support import MissingTool, NotReady, weir_binary  # noqa: E402


def scenarios(names):
    """All, or those named: `scaling`, or `scaling.ScalingScenario.test_...` as unittest has it."""
    known = sorted(path.name.removesuffix("_scenario.py") for path in HERE.glob("*_scenario.py"))
    for name in names:
        if name.split(".")[0] not in known:
            raise SystemExit(f"./dev cluster: there is no scenario {name!r}; there are {', '.join(known)}")
    parts = [name.partition(".") for name in names or known]
    loader = unittest.TestLoader()
    return loader.loadTestsFromNames([f"{module}_scenario{dot}{rest}" for module, dot, rest in parts])


def stay(cluster):
    """Until a signal arrives."""
    print(f"KUBECONFIG={cluster.kubeconfig}\nkubectl and helm are in {cluster.binaries.kubectl.parent}\n"
          f"Weir's configuration: {cluster.weir.config_file}\nCtrl-C stops everything.", flush=True)
    signal.sigwait({signal.SIGINT, signal.SIGTERM, signal.SIGHUP})


def run(arguments):
    suite = scenarios(arguments.scenario) if arguments.scenario or not arguments.keep else None
    weir_binary()
    binaries = built_binaries()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="weir-cluster-") as folder, Cluster(folder, binaries) as cluster:
        print(f"the cluster is up after {time.monotonic() - started:.0f} s", flush=True)
        ClusterTest.cluster = cluster
        is_good = suite is None or unittest.TextTestRunner(verbosity=2).run(suite).wasSuccessful()
        if arguments.keep:
            stay(cluster)
    return 0 if is_good else 1


def main():
    parser = argparse.ArgumentParser(prog="./dev cluster", description=__doc__)
    parser.add_argument("scenario", nargs="*", help="such as scaling; all unless named")
    parser.add_argument("--keep", action="store_true",
                        help="stay up until Ctrl-C and print KUBECONFIG; runs only the scenarios that are named")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGHUP, lambda *_: sys.exit(129))
    try:
        return run(arguments)
    except (MissingTool, NotReady) as error:
        print(f"./dev cluster: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
