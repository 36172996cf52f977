#!/usr/bin/python3
"""Behind ./dev demo: Weir in front of a real Prometheus, asked the way an HPA asks it. Nothing outlives it."""
import argparse
import contextlib
import shlex
import signal
import sys
import tempfile
import textwrap
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "test")]

import exporter  # noqa: E402
from cases import CASES, EXACT, GROWING, judge  # noqa: E402
from support import (MissingTool, NotReady, Process, Prometheus, Series, Weir, deferred_interrupts,  # noqa: E402
                     make_certificates, require, wait_until, weir_binary)
from support.weir import HPA_USER, metric_path  # noqa: E402

HISTORY_SECONDS = 360  # more than the longest rate window of weir.yaml.in, 5 minutes
READY_SECONDS = 40     # Prometheus scrapes for the first time after about 6 s


def say(text=""):
    print(text, flush=True)


def check_tools():
    """All that is missing at once, before anything is started."""
    missing = []
    for look in (lambda: require("prometheus", "prometheus"), lambda: require("openssl", "openssl"), weir_binary):
        try:
            look()
        except MissingTool as error:
            missing.append(str(error))
    if missing:
        raise MissingTool("\n".join(missing))


def start(stack, server):
    """Starts `server`. Its stop is registered first: an interrupt in between must not leave an orphan."""
    stack.callback(server.stop)
    return server.start()


def start_exporter(stack, folder, since):
    """The port of a running exporter."""
    port_file = folder / "exporter.port"
    argv = [sys.executable, HERE / "exporter.py", "--port-file", port_file, "--since", since]
    process = start(stack, Process("exporter", argv, folder / "exporter.log"))
    process.wait_ready(port_file.exists)
    return int(port_file.read_text())


def write_history(prometheus, target, since):
    """Gives Prometheus the exporter's past, one sample a second, as if it had scraped all along."""
    points, now = {}, time.time()
    for at in (now - age for age in range(HISTORY_SECONDS, 0, -1)):
        for family in exporter.families(at, since):
            for sample in family.samples:
                labels = {"__name__": sample.name, "instance": target, "job": "demo", **sample.labels}
                points.setdefault(tuple(sorted(labels.items())), []).append((at, float(sample.value)))
    prometheus.remote_write([Series(dict(labels), samples) for labels, samples in points.items()])


def wait_for_scrapes(prometheus):
    """Two scrapes have arrived: what follows is about live data, not about the history alone."""
    def scraped():
        return any(count >= 2 for _, count in prometheus.query('count_over_time(up{job="demo"}[1m])'))
    wait_until(scraped, "Prometheus has scraped the exporter twice", READY_SECONDS, interval=0.2)


def start_everything(stack, folder):
    """A running Weir, and the time at which the exporter's counters stood at zero."""
    since = time.time() - 3600
    certificates = make_certificates(folder / "certs")
    port = start_exporter(stack, folder, since)
    target = f"127.0.0.1:{port}"
    say(f"exporter    http://{target}/metrics")
    prometheus = start(stack, Prometheus(folder / "prometheus", scrape={"demo": [target]}))
    say(f"prometheus  {prometheus.url}   scrapes the exporter every second")
    write_history(prometheus, target, since)
    say(f"            holds the exporter's last {HISTORY_SECONDS // 60} minutes already (remote write), "
        "so that 5-minute windows are full")

    config = (HERE / "weir.yaml.in").read_text().replace("@PROMETHEUS@", prometheus.url)
    weir = start(stack, Weir(folder / "weir", config, certificates))
    say(f"weir        {weir.url}   config {weir.config_file}")
    say("waiting for Prometheus to scrape twice (about 7 s) ...")
    wait_for_scrapes(prometheus)
    return weir, since


def ask(weir, case):
    try:
        return weir.metric(case.namespace, case.metric, case.selector)
    except OSError as error:
        raise NotReady(f"weir did not answer {case.asked}: {error}{weir.process.log_tail()}") from None


def print_table(outcomes):
    rows = [("THE HPA ASKS FOR", "WEIR SAYS", "OFFERED", "THE HPA THEN", "")]
    rows += [(one.case.asked, one.answer, one.offered, one.hpa, "differs" if one.difference else "ok")
             for one in outcomes]
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
            say(f"    DIFFERS: {outcome.difference}")
    say()
    say(f'Tolerance: {EXACT:.1%} for gauges and quantiles; {GROWING:.0%} for tokens, requests and predictions, because '
        "rate() extrapolates\nfrom the scrapes to the edges of its window.")


def print_commands(weir):
    """Lines to paste: as the kube-apiserver's front proxy, and as a person with a client certificate."""
    certs = weir.certificates
    one = weir.url + metric_path("ml-inference", "p95_latency")
    depth = metric_path("bookmarkai-ml", "queue_depth", "queue=ml.summarize")
    proxy = [f"curl --cacert {certs.crt('ca')}", f"--cert {certs.crt('front-proxy-client')}",
             f"--key {certs.key('front-proxy-client')}", f"-H 'X-Remote-User: {HPA_USER}'"]
    person = [f"kubectl --server {weir.url}", f"--certificate-authority {certs.crt('ca')}",
              f"--client-certificate {certs.crt('client')}", f"--client-key {certs.key('client')}"]
    say("\nAs the front proxy would:")
    say("  " + " \\\n    ".join([*proxy, shlex.quote(one)]))
    say("As yourself, demo-admin:")
    say("  " + " \\\n    ".join([*person, f"get --raw {shlex.quote(depth)}"]))
    say("Is it up, without credentials:")
    say(f"  curl --cacert {certs.crt('ca')} {weir.url}/readyz")


def stay(weir):
    """Until a signal arrives, or Weir ends by itself."""
    say("\nCtrl-C stops everything.")
    signals = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)  # from here on they are read, not handled
    while signal.sigtimedwait(signals, 1.0) is None:
        if not weir.process.running:
            raise NotReady(f"weir ended by itself{weir.process.log_tail()}")
    say("\nstopping")


def show(stack, once):
    """The whole demo; the exit code."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="weir-demo-")))
    weir, since = start_everything(stack, folder)
    outcomes = [judge(case, ask(weir, case), since) for case in CASES]
    print_table(outcomes)
    differing = sum(1 for one in outcomes if one.difference)
    if differing:
        say(f"\n{differing} of {len(outcomes)} answers differ from what the exporter offered.")
    else:
        say(f"\nAll {len(outcomes)} answers are what the exporter offered.")
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
        with deferred_interrupts():  # a second Ctrl-C waits until all is stopped and removed
            stack.close()


def main():
    parser = argparse.ArgumentParser(prog="./dev demo", description="Starts Prometheus, an exporter and Weir on free "
                                     "loopback ports, asks every metric as an HPA would, and stays up until Ctrl-C.")
    parser.add_argument("--once", action="store_true", help="end after the table; exit 0 only if every answer is right")
    options = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        return run(options.once)
    except KeyboardInterrupt:
        say("\nstopped")
        return 130
    except RuntimeError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
