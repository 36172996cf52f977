"""Child processes: found, started, waited for and stopped, always by the handle that started them.

Waiting is polling with a deadline; the only sleep of the support package is in wait_until.
"""
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path


class MissingTool(RuntimeError):
    """A program this machine lacks; the text says which package holds it."""


class NotReady(RuntimeError):
    """A deadline passed, or a process ended before it was ready."""


def require(tool, package):
    """The path of `tool`, which Debian's `package` installs."""
    path = shutil.which(tool)
    if path is None:
        raise MissingTool(f"{tool} is not installed: run ./dev setup, or apt-get install {package}")
    return path


_ports_given = set()


def free_port():
    """A loopback TCP port nobody listens on; never the same one twice in a run."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        if port not in _ports_given:
            _ports_given.add(port)
            return port


def wait_until(probe, what, seconds=10.0, interval=0.05):
    """The first true answer of `probe()`. An OSError counts as "not yet". NotReady after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        reason = ""
        try:
            answer = probe()
        except OSError as error:
            answer, reason = None, f" ({error})"
        if answer:
            return answer
        if time.monotonic() >= deadline:
            raise NotReady(f"{what}: not within {seconds:g} s{reason}")
        time.sleep(interval)


@contextlib.contextmanager
def deferred_interrupts():
    """Holds SIGINT, SIGTERM and SIGHUP back until the block ends.

    Starting and stopping run inside it: an interrupt between fork and bookkeeping would leave an orphan.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are handled in the main thread only
        return
    arrived = []
    names = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    previous = {name: signal.signal(name, lambda number, _: arrived.append(number)) for name in names}
    try:
        yield
    finally:
        for name, handler in previous.items():
            signal.signal(name, handler)
        for number in arrived:
            signal.raise_signal(number)


def _state_of(stat):
    """The letter of a thread's state, which follows its name, which may contain anything. X when it has ended."""
    try:
        return stat.read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "X"


class Process:
    """One child in the foreground under its own pid, its output appended to `log`.

    It leads its own session, so a terminal's Ctrl-C reaches only us, and the order of stopping stays ours.
    """

    def __init__(self, name, argv, log, env=None, cwd=None, stop_seconds=10.0):
        self.name = name
        self.argv = [str(argument) for argument in argv]
        self.log = Path(log)
        self.stop_seconds = stop_seconds
        self._env = env
        self._cwd = cwd
        self._child = None

    @property
    def pid(self):
        return self._child.pid if self._child else None

    @property
    def running(self):
        return self._child is not None and self._child.poll() is None

    def start(self):
        if self.running:
            raise RuntimeError(f"{self.name} runs already, pid {self.pid}")
        environment = {**os.environ, **self._env} if self._env else None
        with deferred_interrupts(), open(self.log, "ab") as log:
            self._child = subprocess.Popen(
                self.argv, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                env=environment, cwd=self._cwd, start_new_session=True)
        return self

    def wait_ready(self, probe, seconds=10.0):
        """Waits for `probe()`; raises NotReady with the end of the log when the process ends first."""
        def alive_and_ready():
            if not self.running:
                code = self._child.returncode
                raise NotReady(f"{self.name} ended with code {code} before it was ready{self.log_tail()}")
            return probe()
        try:
            return wait_until(alive_and_ready, f"{self.name} is ready", seconds)
        except NotReady as error:
            if self.running:
                raise NotReady(f"{error}{self.log_tail()}") from None
            raise

    def start_ready(self, probe, seconds=10.0):
        """start() and wait_ready(); what did not get ready is stopped."""
        try:
            self.start()
            self.wait_ready(probe, seconds)
        except BaseException:
            self.stop()
            raise
        return self

    def signal(self, number):
        """Sends a signal; does nothing when the process has ended."""
        if self._child is not None:
            self._child.send_signal(number)

    def suspend(self):
        """SIGSTOP to it and to what it started, and the wait until no thread runs: on a busy machine some run on."""
        os.killpg(self.pid, signal.SIGSTOP)
        wait_until(lambda: all(_state_of(path) in "TtZX" for path in self._threads()), f"{self.name} is stopped", interval=0.002)

    def resume(self):
        os.killpg(self.pid, signal.SIGCONT)

    def _threads(self):
        """The stat of each thread in its process group: it leads one."""
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):  # it has just ended
                if os.getpgid(int(stat.parent.name)) == self.pid:
                    yield from stat.parent.glob("task/*/stat")

    def wait(self, seconds):
        """The exit code (negative: the signal that ended it). NotReady when it runs on after `seconds`."""
        try:
            return self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            text = f"{self.name}, pid {self.pid}, still runs after {seconds:g} s{self.log_tail()}"
            raise NotReady(text) from None

    def stop(self):
        """SIGTERM, a bounded wait, SIGKILL. The exit code, or None when it never started."""
        if self._child is None:
            return None
        with deferred_interrupts():
            self._child.terminate()
            try:
                return self._child.wait(self.stop_seconds)
            except subprocess.TimeoutExpired:
                self._child.kill()
                return self._child.wait()

    def log_tail(self, lines=12):
        """The last lines of the log, indented, each on a line of its own; empty when there are none."""
        if not self.log.exists():
            return ""
        with open(self.log, "rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - 65536))
            last = log.read().decode(errors="replace").splitlines()[-lines:]
        return "".join(f"\n    {line}" for line in last)

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *_):
        self.stop()
