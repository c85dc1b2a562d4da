"""A disk under SQLite that can lose its power or fail: what was written and not synchronised is known, and can be lost.

It is a VFS in front of the one of the system, which is SQLite's own seam for this (https://sqlite.org/vfs.html). SQLite
itself is the one that Python uses: its functions are looked up in the library of the module.
"""

from __future__ import annotations

import _sqlite3
import ctypes
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ctypes import CFUNCTYPE, POINTER, Structure, c_char_p, c_int, c_int64, c_void_p
from pathlib import Path
from typing import Any, Final

FULL: Final = 13
IOERR_FSYNC: Final = 10 | 4 << 8

_Write = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)
_Truncate = CFUNCTYPE(c_int, c_void_p, c_int64)
_Sync = CFUNCTYPE(c_int, c_void_p, c_int)
_Open = CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_int, c_void_p)
_Delete = CFUNCTYPE(c_int, c_void_p, c_char_p, c_int)


class _Methods(Structure):
    """``sqlite3_io_methods``: what can be done with a file."""

    _fields_ = (
        ("version", c_int),
        ("close", c_void_p),
        ("read", c_void_p),
        ("write", _Write),
        ("truncate", _Truncate),
        ("sync", _Sync),
        *((f"other{number}", c_void_p) for number in range(13)),
    )


class _Vfs(Structure):
    """``sqlite3_vfs``: how files are opened."""

    _fields_ = (
        ("version", c_int),
        ("file_size", c_int),
        ("path_size", c_int),
        ("next", c_void_p),
        ("name", c_char_p),
        ("data", c_void_p),
        ("open", _Open),
        ("delete", _Delete),
        *((f"other{number}", c_void_p) for number in range(14)),
    )


Change = tuple[int, bytes | None]
"""Bytes written at an offset; or None: the file ends there."""


class _File:
    """A file as it is on the disk for certain, and what was written since."""

    def __init__(self, content: bytes) -> None:
        self.safe = bytearray(content)
        self.waiting: list[Change] = []


def _apply(content: bytearray, changes: list[Change]) -> None:
    for offset, written in changes:
        if written is None:
            del content[offset:]
        else:
            content.extend(bytes(max(0, offset - len(content))))
            content[offset : offset + len(written)] = written


class Disk:
    """What SQLite wrote, and when it synchronised; ``fail_at`` lets the so-manieth operation from now on fail."""

    def __init__(self) -> None:
        self.files: dict[str, _File] = {}
        self.syncs = 0
        self.fail_at = 0
        self.failed = False

    def cut_power(self, folder: Path, chance: random.Random) -> None:
        """Writes the files as they may be after a power cut: of what was not synchronised, anything may be there."""
        folder.mkdir()
        for name, file in self.files.items():
            content = bytearray(file.safe)
            _apply(content, [change for change in file.waiting if chance.random() < 0.5])
            (folder / Path(name).name).write_bytes(content)

    def opened(self, name: str) -> None:
        """Takes note of a file."""
        if name not in self.files:
            path = Path(name)
            self.files[name] = _File(path.read_bytes() if path.exists() else b"")

    def changed(self, name: str, change: Change) -> None:
        """Takes note of a write."""
        self.files[name].waiting.append(change)

    def synchronised(self, name: str) -> None:
        """Takes note that a file is on the disk."""
        file = self.files[name]
        _apply(file.safe, file.waiting)
        file.waiting.clear()
        self.syncs += 1

    def fails(self) -> bool:
        """Whether this operation fails; those after it do not."""
        self.fail_at -= 1
        if self.fail_at == 0:
            self.failed = True
        return self.fail_at == 0


class _Shim:
    """Puts a disk under all databases that are opened while it is there."""

    def __init__(self, disk: Disk) -> None:
        library = ctypes.CDLL(getattr(_sqlite3, "__file__", None))  # the module, or the program it is built into
        self._register: Callable[..., int] = library.sqlite3_vfs_register
        self._unregister: Callable[..., int] = library.sqlite3_vfs_unregister
        library.sqlite3_vfs_find.restype = POINTER(_Vfs)
        self._system = library.sqlite3_vfs_find(None)
        self._disk = disk
        self._names: dict[int, str] = {}
        self._methods: dict[int, tuple[_Methods, _Methods]] = {}
        self._vfs = _Vfs.from_buffer_copy(self._system.contents)
        self._vfs.name = b"disk-of-the-tests"
        self._vfs.next = None
        self._vfs.open, self._vfs.delete = _Open(self._open), _Delete(self._delete)
        self._callbacks: Any = (_Write(self._write), _Truncate(self._truncate), _Sync(self._sync))

    def install(self) -> None:
        self._register(ctypes.byref(self._vfs), 1)

    def remove(self) -> None:
        self._register(self._system, 1)
        self._unregister(ctypes.byref(self._vfs))

    def _open(self, _: int, name: int | None, file: int, flags: int, out: int) -> int:
        # The address is handed on: SQLite keeps it as the name of the file.
        result: int = self._system.contents.open(ctypes.cast(self._system, c_void_p), name, file, flags, out)
        if result == 0 and name is not None:
            slot = ctypes.cast(file, POINTER(c_void_p))
            theirs = ctypes.cast(slot[0], POINTER(_Methods)).contents
            ours = _Methods.from_buffer_copy(theirs)
            ours.write, ours.truncate, ours.sync = self._callbacks
            self._methods[file] = theirs, ours
            self._names[file] = ctypes.string_at(name).decode()
            self._disk.opened(self._names[file])
            slot[0] = ctypes.addressof(ours)
        return result

    def _delete(self, _: int, name: bytes, sync_folder: int) -> int:
        result: int = self._system.contents.delete(ctypes.cast(self._system, c_void_p), name, sync_folder)
        self._disk.files.pop(name.decode(), None)
        return result

    def _write(self, file: int, data: int, size: int, offset: int) -> int:
        if self._disk.fails():
            return FULL
        self._disk.changed(self._names[file], (offset, ctypes.string_at(data, size)))
        return int(self._methods[file][0].write(file, data, size, offset))

    def _truncate(self, file: int, size: int) -> int:
        if self._disk.fails():
            return FULL
        self._disk.changed(self._names[file], (size, None))
        return int(self._methods[file][0].truncate(file, size))

    def _sync(self, file: int, flags: int) -> int:
        if self._disk.fails():
            return IOERR_FSYNC
        result = int(self._methods[file][0].sync(file, flags))
        if result == 0:
            self._disk.synchronised(self._names[file])
        return result


@contextmanager
def disk_under_sqlite() -> Iterator[Disk]:
    """Databases that are opened inside lie on this disk; they must be closed before the end."""
    disk = Disk()
    shim = _Shim(disk)
    shim.install()
    try:
        yield disk
    finally:
        shim.remove()
