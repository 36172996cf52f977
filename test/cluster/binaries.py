"""The programs of the cluster, built from the Go modules beside this file and stored outside the checkout.

They lie in a folder named by a hash of everything that decides them, so that a run with nothing changed builds nothing.
"""
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from support import MissingTool

HERE = Path(__file__).resolve().parent
GO_FOLDER = Path("/usr/local/go/bin")
BUILD_SECONDS = 3600
KEPT_BUILDS = 2


@dataclass(frozen=True)
class Binaries:
    control_plane: Path  # with the sub-commands etcd, kube-apiserver and kube-controller-manager
    kubectl: Path
    helm: Path


def build_binaries():
    """Builds what is missing. MissingTool without Go."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "weir" / "cluster"
    go = find_go()
    folder = cache / _key(go)
    cache.mkdir(parents=True, exist_ok=True)
    with open(cache / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # a second run waits for the first one's build
        if not folder.exists():
            _build(go, folder)
            _forget_old(cache)
    os.utime(folder)
    return Binaries(folder / "control-plane", folder / "kubectl", folder / "helm")


def find_go():
    go = shutil.which("go", path=f"{os.environ.get('PATH', '')}:{GO_FOLDER}")
    if go is None:
        raise MissingTool(f"go is not installed: kube-apiserver, kube-controller-manager, kubectl and helm are built "
                          f"with Go {_version_in(r'^go (.+)$', 'go.mod')} or later; put it on PATH or into {GO_FOLDER.parent}")
    return go


def kubernetes_version():
    return _version_in(r"k8s.io/kubernetes (v\S+)", "go.mod")


def helm_version():
    return _version_in(r"helm.sh/helm/v\d+ (v\S+)", "helm/go.mod")


def _version_in(pattern, name):
    return re.search(pattern, (HERE / name).read_text(), re.M)[1]


def _key(go):
    """What the binaries depend on: the modules' files, the compiler, and how this file calls it."""
    files = sorted([*HERE.glob("*.go"), *HERE.glob("go.*"), *(HERE / "helm").glob("go.*"), HERE / "binaries.py"])
    digest = hashlib.sha256(_run_go(go, ["version"], HERE).encode())
    for file in files:
        digest.update(f"{file.relative_to(HERE)} {file.stat().st_size}\n".encode() + file.read_bytes())
    return digest.hexdigest()[:16]


def _build(go, folder):
    print(f"building Kubernetes {kubernetes_version()} and helm {helm_version()}, once; the first time takes minutes",
          file=sys.stderr)
    kubernetes, helm = kubernetes_version(), helm_version()
    stamps = {f"k8s.io/{package}.git{name}": value
              for package in ("component-base/version", "client-go/pkg/version")
              for name, value in (("Version", kubernetes), ("Major", kubernetes[1:].split(".")[0]),
                                  ("Minor", kubernetes.split(".")[1]), ("TreeState", "clean"))}
    work = folder.with_suffix(".part")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    start_time = time.monotonic()
    _compile(go, work / "control-plane", ".", HERE, stamps)
    _compile(go, work / "kubectl", "k8s.io/kubernetes/cmd/kubectl", HERE, stamps)
    _compile(go, work / "helm", "helm.sh/helm/v4/cmd/helm", HERE / "helm",
             {"helm.sh/helm/v4/internal/version.version": helm})
    work.rename(folder)
    print(f"built in {time.monotonic() - start_time:.0f} s: {folder}", file=sys.stderr)


def _compile(go, out, package, folder, stamps):
    flags = " ".join(["-s", "-w", *(f"-X {name}={value}" for name, value in stamps.items())])
    _run_go(go, ["build", "-p", "2", "-trimpath", "-mod=readonly", "-buildvcs=false", "-ldflags", flags, "-o", out,
                 package], folder)


def _run_go(go, arguments, folder):
    """GOTOOLCHAIN=local: an older Go says which one it needs instead of fetching it."""
    run = subprocess.run([go, *map(str, arguments)], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                         timeout=BUILD_SECONDS, env={**os.environ, "CGO_ENABLED": "0", "GOTOOLCHAIN": "local",
                                                     "GOFLAGS": ""})
    if run.returncode != 0:
        raise MissingTool(f"go {arguments[0]} failed in {folder}:\n{run.stderr[-4000:]}")
    return run.stdout


def _forget_old(cache):
    builds = sorted((path for path in cache.iterdir() if path.is_dir()), key=lambda path: path.stat().st_mtime)
    for path in builds[:-KEPT_BUILDS]:
        shutil.rmtree(path)
