"""Stages the root file system of the image: the binary, the libraries it loads, and the files that they read. No shell.

    rootfs.py BINARY FOLDER      FOLDER must not exist; prints what it weighs

Runs on Debian 12: in the Dockerfile, and in the test that runs the binary in it. Every file belongs to a Debian package
or is written here; each package's entry goes to var/lib/dpkg/status.d, where scanners look, and its copyright along.
"""
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

USER = 65532  # not root, as the manifests say
LINKS = {"lib": "usr/lib", "lib64": "usr/lib64"}
TEXTS = {
    "etc/passwd": f"root:x:0:0:root:/:/nonexistent\nweir:x:{USER}:{USER}:weir:/:/nonexistent\n",
    "etc/group": f"root:x:0:\nweir:x:{USER}:\n",
    "etc/nsswitch.conf": "hosts: files dns\n",
}
COPIES = ("etc/ssl/certs/ca-certificates.crt", "etc/ssl/openssl.cnf")  # roots; OpenSSL's settings
SSL_LINKS = {"usr/lib/ssl/cert.pem": "/etc/ssl/certs/ca-certificates.crt", "usr/lib/ssl/certs": "/etc/ssl/certs",
             "usr/lib/ssl/openssl.cnf": "/etc/ssl/openssl.cnf"}
ZONES = "usr/share/zoneinfo"
DATA_PACKAGES = ("ca-certificates", "tzdata", "openssl")


def output_of(*argv):
    return subprocess.run(argv, stdin=subprocess.DEVNULL, check=True, capture_output=True, text=True).stdout


def libraries_of(binary):
    """The libraries that the loader would load, and the loader, by their paths here."""
    text = output_of("ldd", str(binary))
    missing = re.findall(r"(\S+) => not found", text)
    if missing:
        raise SystemExit(f"rootfs.py: {binary} needs {', '.join(missing)}: install the Debian packages of ./dev build")
    return [Path(path) for path in re.findall(r"(?:=>|^)\s*(/\S+) \(", text, re.MULTILINE)]


def package_of(path):
    """The Debian package that brought `path`; /lib is a link to /usr/lib, and packages name either."""
    real = os.path.realpath(path)
    for name in {str(path), real, real.removeprefix("/usr")}:
        run = subprocess.run(["dpkg-query", "-S", name], capture_output=True, text=True)
        if run.returncode == 0:
            return run.stdout.split(":")[0]
    raise SystemExit(f"rootfs.py: no Debian package brought {path}")


def place(source, target, mode):
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(mode)


def stage(binary, root):
    libraries = libraries_of(binary)
    (root / "usr/bin").mkdir(parents=True)
    subprocess.run(["objcopy", "--strip-all", str(binary), str(root / "usr/bin/weir")], check=True)
    (root / "usr/bin/weir").chmod(0o755)
    for library in libraries:
        folder = os.path.realpath(library.parent)  # the loader looks there without being told
        place(library, root / folder[1:] / library.name, 0o755 if library.name.startswith("ld-") else 0o644)
    for name in COPIES:
        place("/" + name, root / name, 0o644)
    for name, text in TEXTS.items():
        (root / name).write_text(text)
    shutil.copytree("/" + ZONES, root / ZONES, symlinks=True, ignore=shutil.ignore_patterns("localtime"))
    for name, target in {**LINKS, **SSL_LINKS}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).symlink_to(target)
    describe(root, {package_of(path) for path in libraries} | set(DATA_PACKAGES))
    settle(root)


def describe(root, packages):
    status = root / "var/lib/dpkg/status.d"
    status.mkdir(parents=True)
    for package in sorted(packages):
        (status / package).write_text(output_of("dpkg-query", "-s", package))
        place(f"/usr/share/doc/{package}/copyright", root / f"usr/share/doc/{package}/copyright", 0o644)


def settle(root):
    """One time stamp for all, so that the same packages and sources make the same bytes."""
    stamp = int(os.environ.get("SOURCE_DATE_EPOCH", "0"))
    for folder, names, files in os.walk(root, topdown=False):
        os.chmod(folder, 0o755)
        for name in (*names, *files):
            os.utime(os.path.join(folder, name), (stamp, stamp), follow_symlinks=False)
    os.utime(root, (stamp, stamp))


def weights(root):
    """path -> bytes of every plain file."""
    return {str(path.relative_to(root)): path.stat().st_size for path in sorted(root.rglob("*"))
            if path.is_file() and not path.is_symlink()}


def main(arguments):
    if len(arguments) != 2:
        raise SystemExit("usage: rootfs.py BINARY FOLDER")
    root = Path(arguments[1])
    if root.exists():
        raise SystemExit(f"rootfs.py: {root} is there already; name a folder that is not")
    stage(arguments[0], root)
    sizes = weights(root)
    for size, path in sorted(((size, path) for path, size in sizes.items()), reverse=True)[:5]:
        print(f"{size / 1e6:7.1f} MB  {path}")
    print(f"{sum(sizes.values()) / 1e6:7.1f} MB  in {len(sizes)} files")


if __name__ == "__main__":
    main(sys.argv[1:])
