"""A fault: a backend into which it can be injected, and the place in which that backend runs."""
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Place:
    """Where a fault is built: a folder of its own, and the servers that all rows share."""
    folder: Path
    world: object
    name: str

    def secret(self, name, text):
        """A credential file, replaced in one step when it is there already."""
        file, beside = self.folder / name, self.folder / f"{name}.new"
        beside.write_text(text)
        beside.replace(file)
        return {"file": str(file)}


class Fault:
    """A backend into which a fault can be injected. The context starts and stops what answers.

    `healthy_value` is the metric's value before the fault, `recovered_value` after it; None: there is no value then.
    `backend_settings` are the backend's in Weir's configuration; `query_settings` are the metric's, with `$(n)` where
    the label `n` makes a query of its own.
    """
    healthy_value = recovered_value = "3"
    replies_same_to_all = False  # whether each query has the same reply
    backend_settings = {}
    query_settings = {}
    launcher = ()  # how Weir is started, where its surroundings are part of the fault

    def __init__(self, place):
        self.place = place
        self.is_injected = False

    def start(self):
        """Starts the server. The end of the context stops it in every case."""

    def stop(self):
        pass

    def inject(self):
        """Returns when the fault holds."""
        self.is_injected = True

    def clear(self):
        """Returns when the backend is healthy again."""
        self.is_injected = False

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()
