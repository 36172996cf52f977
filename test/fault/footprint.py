"""The resources of a running Weir: file descriptors, threads, memory."""
import os
import re
from pathlib import Path


class Footprint:
    """The resources of a process now, as the baseline for later ones."""

    def __init__(self, pid):
        self._pid = pid
        Path(f"/proc/{pid}/clear_refs").write_text("5")  # the peak is counted from here
        self._files, self._threads = self._open_resources()
        self._resident_kib = self._status("VmRSS")
        self._reserved_kib = self._status("VmPeak")

    def is_at_baseline(self):
        files, threads = self._open_resources()
        return files <= self._files and threads <= self._threads

    def growth_mib(self):
        """Of the memory in use, at its peak."""
        return (self._status("VmHWM") - self._resident_kib) / 1024

    def reserved_mib(self):
        """Of the address space, at its peak."""
        return (self._status("VmPeak") - self._reserved_kib) / 1024

    def _open_resources(self):
        return len(os.listdir(f"/proc/{self._pid}/fd")), self._status("Threads")

    def _status(self, key):
        text = Path(f"/proc/{self._pid}/status").read_text()
        return int(re.search(rf"^{key}:\s*(\d+)", text, re.MULTILINE)[1])
