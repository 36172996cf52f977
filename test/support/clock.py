"""A wall clock for a child process that tests can make jump; the monotonic clock stays that of the machine."""
import mmap
import struct
import subprocess

from .processes import require

# clock_gettime is what the C++ library reads the wall clock by; the offset is the first word of a shared file.
_SHIM = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static volatile const long* offset;

__attribute__((constructor)) static void attach(void) {
  const int file = open(getenv("WEIR_TEST_CLOCK"), O_RDONLY);
  void* const words = mmap(NULL, sizeof *offset, PROT_READ, MAP_SHARED, file, 0);
  if (file < 0 || words == MAP_FAILED) abort();
  offset = words;
}

int clock_gettime(clockid_t clock, struct timespec* out) {
  const int failed = (int)syscall(SYS_clock_gettime, clock, out);
  if (!failed && offset && clock == CLOCK_REALTIME) out->tv_sec += *offset;
  return failed;
}

time_t time(time_t* out) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (out) *out = now.tv_sec;
  return now.tv_sec;
}
"""


class WallClock:
    """`env` gives a child this clock: the machine's and `offset` seconds. It keeps its files in `directory`."""

    def __init__(self, directory, offset=0):
        (directory / "clock.c").write_text(_SHIM)
        subprocess.run([require("clang-19", "clang-19"), "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o",
                        directory / "clock.so", directory / "clock.c"], check=True, timeout=60)
        (directory / "offset").write_bytes(bytes(8))
        with open(directory / "offset", "r+b") as file:
            self._words = mmap.mmap(file.fileno(), 8)
        self.env = {"LD_PRELOAD": str(directory / "clock.so"), "WEIR_TEST_CLOCK": str(directory / "offset")}
        self.jump(offset)

    @property
    def offset(self):
        return struct.unpack("q", self._words[:8])[0]

    def jump(self, seconds):
        """To the machine's and so many seconds."""
        self._words[:8] = struct.pack("q", seconds)

    def close(self):
        self._words.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
