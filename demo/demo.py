#!/usr/bin/python3
"""Runs ./dev demo: Weir in front of real servers (sources.py), read as by an HPA. No process outlives the demo."""
import argparse
import contextlib
import shlex
import signal
import sys
import tempfile
import textwrap
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "test")]

from cases import CASES, EXACT, GROWING, compare  # noqa: E402
from sources import say, start, start_sources, tools  # noqa: E402
from support import (MissingTool, NotReady, Weir, deferred_interrupts, make_certificates,  # noqa: E402
                     require, weir_binary)
from support.weir import HPA_USER, metric_path  # noqa: E402


def check_tools():
    """Reports every missing tool at once, before anything is started."""
    missing = []
    for check in (*tools(), lambda: require("openssl", "openssl"), weir_binary):
        try:
            check()
        except MissingTool as error:
            missing.append(str(error))
    if missing:
        raise MissingTool("\n".join(missing))


def start_everything(stack, folder):
    """A running Weir in front of filled sources, and the time at which the exporter's counters stood at zero."""
    certificates = make_certificates(folder / "certs")
    texts, since = start_sources(stack, folder)
    config = (HERE / "weir.yaml.in").read_text()
    for placeholder, text in texts.items():
        config = config.replace(placeholder, text)
    weir = start(stack, Weir(folder / "weir", config, certificates))
    say(f"weir        {weir.url}   config {weir.config_file}")
    return weir, since


def read(weir, case):
    try:
        return weir.metric(case.namespace, case.metric, case.selector)
    except OSError as error:
        raise NotReady(f"weir did not respond to {case.query_text}: {error}{weir.process.log_tail()}") from None


def print_table(outcomes):
    rows = [("METRIC", "WEIR RETURNS", "EXPECTED", "HPA", "")]
    rows += [(outcome.case.query_text, outcome.answer, outcome.expected, outcome.hpa, "different" if outcome.difference else "ok")
             for outcome in outcomes]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]

    def line(row):
        say("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
    say()
    line(rows[0])
    for row, outcome in zip(rows[1:], outcomes):
        line(row)
        if outcome.error_text:
            text = f"ScalingActive=False FailedGetExternalMetric: {outcome.error_text}"
            say(textwrap.fill(text, sum(widths), initial_indent="    ", subsequent_indent="    ",
                              break_on_hyphens=False, break_long_words=False))
        if outcome.difference:
            say(f"    DIFFERENT: {outcome.difference}")
    say()
    say(f"Tolerance: none for RabbitMQ and Redis. From Prometheus {EXACT:.1%} for gauges and quantiles, {GROWING:.0%} "
        "for tokens, requests\nand predictions: rate() extrapolates from the scrapes to the edges of its window.")


def print_commands(weir):
    """Commands to paste: as the kube-apiserver's front proxy, and as a user with a client certificate."""
    certs = weir.certificates
    metric_url = weir.url + metric_path("ml-inference", "p95_latency")
    depth = metric_path("bookmarkai-ml", "queue_depth", "queue=ml.summarize")
    proxy = [f"curl --cacert {certs.crt('ca')}", f"--cert {certs.crt('front-proxy-client')}",
             f"--key {certs.key('front-proxy-client')}", f"-H 'X-Remote-User: {HPA_USER}'"]
    person = [f"kubectl --server {weir.url}", f"--certificate-authority {certs.crt('ca')}",
              f"--client-certificate {certs.crt('client')}", f"--client-key {certs.key('client')}"]
    say("\nAs the front proxy:")
    say("  " + " \\\n    ".join([*proxy, shlex.quote(metric_url)]))
    say("As the user demo-admin:")
    say("  " + " \\\n    ".join([*person, f"get --raw {shlex.quote(depth)}"]))
    say("Check readiness, without credentials:")
    say(f"  curl --cacert {certs.crt('ca')} {weir.url}/readyz")


def stay(weir):
    """Until a signal arrives, or Weir ends by itself."""
    say("\nCtrl-C stops everything.")
    signals = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)  # from now on sigtimedwait reads them
    while signal.sigtimedwait(signals, 1.0) is None:
        if not weir.process.running:
            raise NotReady(f"weir exited{weir.process.log_tail()}")
    say("\nstopping")


def show(stack, once):
    """Runs the whole demo; returns the exit code."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="weir-demo-")))
    weir, since = start_everything(stack, folder)
    outcomes = [compare(case, read(weir, case), since) for case in CASES]
    print_table(outcomes)
    differing = sum(1 for outcome in outcomes if outcome.difference)
    if differing:
        say(f"\n{differing} of {len(outcomes)} values differ from the data of the sources.")
    else:
        say(f"\nAll {len(outcomes)} values equal the data of the sources.")
    if not once:
        print_commands(weir)
        stay(weir)
    return 1 if differing else 0


def run(once):
    check_tools()
    stack = contextlib.ExitStack()
    try:
        return show(stack, once)
    finally:
        with deferred_interrupts():  # a second Ctrl-C waits until everything is stopped and removed
            stack.close()


def main():
    parser = argparse.ArgumentParser(prog="./dev demo", description="Starts Prometheus, RabbitMQ, Redis and Weir on "
                                     "loopback, asks every metric as an HPA would, and stays up until Ctrl-C.")
    parser.add_argument("--once", action="store_true", help="end after the table; exit 0 only if every answer is right")
    options = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        return run(options.once)
    except KeyboardInterrupt:
        say("\nstopped")
        return 130
    except (RuntimeError, OSError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
