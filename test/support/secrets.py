"""A mounted Secret: a folder whose files the kubelet replaces by one rename of a link."""
import shutil
from pathlib import Path


class MountedSecret:
    """The folder at `directory`, with one file for each of `contents`."""

    def __init__(self, directory, **contents):
        self.directory = Path(directory)
        self._version = 0
        self._contents = contents
        self.directory.mkdir(parents=True)
        self.replace(**contents)

    def replace(self, **contents):
        """Other files, all at once; those that are not named stay."""
        self._contents = {**self._contents, **contents}
        self._version += 1
        version = self.directory / f"..{self._version}"
        version.mkdir()
        for name, text in self._contents.items():
            (version / name).write_text(text)
            if not (self.directory / name).is_symlink():
                (self.directory / name).symlink_to(f"..data/{name}")
        link = self.directory / "..new"
        link.symlink_to(version.name)
        link.rename(self.directory / "..data")
        shutil.rmtree(self.directory / f"..{self._version - 1}", ignore_errors=True)

    def file(self, name):
        """The setting of a backend that names one of the files."""
        return {"file": str(self.directory / name)}
