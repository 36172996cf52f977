"""The development certificates of certs/make, as paths."""
import atexit
import functools
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .processes import require

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Certificates:
    """A folder that certs/make filled; certs/README.md says what each pair is for."""
    directory: Path

    def crt(self, name):
        return self.directory / f"{name}.crt"

    def key(self, name):
        return self.directory / f"{name}.key"


def make_certificates(directory):
    """Fills `directory`, keeping what is valid for another day."""
    require("openssl", "openssl")
    run = subprocess.run([str(ROOT / "certs" / "make"), str(directory)],
                         stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    if run.returncode != 0:
        raise RuntimeError(f"certs/make {directory} failed:\n{run.stdout}{run.stderr}")
    return Certificates(Path(directory))


@functools.lru_cache(maxsize=None)
def shared_certificates():
    """One set for the whole process run, in a temporary folder removed at exit."""
    folder = tempfile.TemporaryDirectory(prefix="weir-certs-")
    atexit.register(folder.cleanup)
    return make_certificates(folder.name)
