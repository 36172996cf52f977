"""The development certificates of certs/make, as paths, and further pairs for what goes wrong."""
import atexit
import functools
import subprocess
import tempfile
import time
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

    def issue(self, name, signer, subject, usage="clientAuth", names="", days=(-1, 1)):
        """Makes the pair `name`, signed by the pair `signer`; `days` is its validity, counted from today."""
        work = self.directory / f"{name}.ca"
        work.mkdir()
        (work / "index").touch()
        (work / "openssl.cnf").write_text(_ISSUE.format(
            work=work, usage=usage, names=f"subjectAltName = {names}" if names else ""))
        _openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", subject,
                 "-config", work / "openssl.cnf", "-keyout", self.key(name), "-out", work / "request")
        start, end = (time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + 86400 * day)) for day in days)
        _openssl("ca", "-batch", "-create_serial", "-notext", "-config", work / "openssl.cnf", "-startdate", start,
                 "-enddate", end, "-cert", self.crt(signer), "-keyfile", self.key(signer), "-in", work / "request",
                 "-out", self.crt(name))
        return self.crt(name), self.key(name)

    def authority(self, name):
        """Makes a further certificate authority, which nothing trusts yet."""
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                 "-subj", f"/CN={name}", "-keyout", self.key(name), "-out", self.crt(name))
        return self.crt(name)


_ISSUE = """[req]
distinguished_name = name
[name]
[ca]
default_ca = this
[this]
database = {work}/index
new_certs_dir = {work}
serial = {work}/serial
default_md = sha256
policy = any
unique_subject = no
x509_extensions = extensions
[any]
O = optional
CN = optional
[extensions]
basicConstraints = critical, CA:FALSE
extendedKeyUsage = {usage}
{names}
"""


def _openssl(*arguments):
    run = subprocess.run([require("openssl", "openssl"), *map(str, arguments)],
                         stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    if run.returncode != 0:
        raise RuntimeError(f"openssl {arguments[0]} failed:\n{run.stderr}")


class MakesPairs:
    """For tests that have `certificates`: what is issued beside the usual pairs."""

    def pair(self, name, signer, subject="/CN=front-proxy-client", **settings):
        """A client certificate, made once a run; its name."""
        if not self.certificates.crt(name).exists():
            self.certificates.issue(name, signer, subject, **settings)
        return name

    def authority(self, name):
        """The PEM text of an authority, made once a run."""
        if not self.certificates.crt(name).exists():
            self.certificates.authority(name)
        return self.certificates.crt(name).read_text()


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
