"""A disk that is full whenever a test wants it to be: a file system in memory, of a few megabytes."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class MountError(Exception):
    """Only some users on some systems may mount file systems."""


class SmallDisk:
    """A folder with little room; ``fill`` takes what is left of it, ``empty`` gives it back."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self, *, leave: int = 0) -> None:
        """Leaves so many bytes."""
        with self._ballast.open("wb", buffering=0) as file:
            try:
                while file.write(bytes(1 << 16)):
                    pass
            except OSError:
                file.truncate(max(file.tell() - leave, 0))

    def empty(self) -> None:
        """Makes room."""
        self._ballast.unlink()


@contextmanager
def small_disk(*, mib: int, owner: Path) -> Iterator[SmallDisk]:
    """A disk that belongs to whom another folder belongs to.

    Raises:
        MountError: not here.
    """
    folder = Path(tempfile.mkdtemp(prefix="agent-otel-disk-"))
    whose = owner.stat()
    options = f"size={mib}m,mode=755,uid={whose.st_uid},gid={whose.st_gid}"
    try:
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise MountError(done.stderr)
        try:
            yield SmallDisk(folder)
        finally:
            subprocess.run(["umount", folder], check=True)
    finally:
        folder.rmdir()
