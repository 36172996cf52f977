"""manifests/ as an operator builds it: a copy with a serving pair of its own, read as plain values."""
import shutil
import subprocess
from pathlib import Path

try:
    import yaml
except ModuleNotFoundError:
    raise RuntimeError("python3-yaml is not installed: run ./dev setup, or apt-get install python3-yaml") from None

from .certificates import ROOT
from .processes import require

CREDENTIALS = "/etc/weir/backends"  # where the Deployment mounts the Secret weir-backends


def documents(text):
    """The YAML documents of `text`; empty ones are left out."""
    return [document for document in yaml.safe_load_all(text) if document is not None]


def copied_manifests(folder, has_pair=True):
    """A copy of manifests/ in `folder`, with the files of certs/serving unless `has_pair` is False."""
    copy = Path(folder) / "manifests"
    shutil.copytree(ROOT / "manifests", copy, ignore=shutil.ignore_patterns("made-by-certs-serving"))
    if has_pair:
        run = serving("weir-system", "weir", copy / "base" / "made-by-certs-serving")
        if run.returncode != 0:
            raise RuntimeError(f"certs/serving failed:\n{run.stdout}{run.stderr}")
    return copy


def serving(*arguments):
    """certs/serving to its end, with its output as text."""
    return subprocess.run([str(ROOT / "certs" / "serving"), *map(str, arguments)], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=60)


def run_kustomize(folder):
    return subprocess.run([require("kubectl", "kubernetes-client"), "kustomize", str(folder)],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)


def build(folder):
    """The objects that kustomize builds of `folder`."""
    run = run_kustomize(folder)
    if run.returncode != 0:
        raise RuntimeError(f"kubectl kustomize {folder} failed:\n{run.stderr}")
    return documents(run.stdout)


def of_kind(objects, kind):
    return [item for item in objects if item["kind"] == kind]


def find_object(objects, kind, name):
    """The one object of that kind and name."""
    matches = [item for item in of_kind(objects, kind) if item["metadata"]["name"] == name]
    if len(matches) != 1:
        raise AssertionError(f"{len(matches)} objects {kind} {name}")
    return matches[0]


def placed_config(sources, folder):
    """Weir's configuration of `sources` (name -> text) as files in `folder`, and each credential that they name as a
    file beside it. The folder to hand to `weir check`."""
    config, credentials = Path(folder) / "config", Path(folder) / "credentials"
    config.mkdir()
    credentials.mkdir()
    for name, text in sources.items():
        for word in text.replace("}", " ").split():
            if word.startswith(CREDENTIALS + "/"):
                (credentials / word.rsplit("/", 1)[1]).write_text("x")
        (config / name).write_text(text.replace(CREDENTIALS, str(credentials)))
    return config
