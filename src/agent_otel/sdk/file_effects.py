"""What a file tool did to files, seen from outside: which paths, and how many lines changed.

Reading the file before and after a change is our own work: it is bounded, and it happens only when the call is
recorded. Paths are looked up as the tool would, from the working directory.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from opentelemetry.trace import Span

from agent_otel.model import names
from agent_otel.sdk.arguments import Finder
from agent_otel.sdk.attributes import Outgoing
from agent_otel.sdk.events import emit
from agent_otel.sdk.line_counts import changed_lines

if TYPE_CHECKING:
    from agent_otel.sdk.run import Run

MAX_PATHS: Final = 64
MAX_COMPARED: Final = 1 << 20
MAX_DIGESTED: Final = 8 << 20

Operation = Literal["read", "edit", "delete"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEffect:
    """One thing a tool does to the files named by one of its arguments."""

    operation: Operation
    path: Finder
    reason: Finder | None = None


@dataclass(frozen=True, slots=True)
class _Before:
    """A file before the call; ``content`` is None where it is too large, or no file."""

    exists: bool
    content: bytes | None


class FileWatch:
    """The files of one call, from before it to after it."""

    __slots__ = ("_befores", "_reason", "_run", "_shown", "_touched")

    def __init__(
        self,
        effects: Sequence[FileEffect],
        run: Run | None,
        instance: Any,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
    ) -> None:
        self._run = run
        self._touched: list[tuple[Operation, str]] = []
        self._reason: Any = None
        for effect in effects:
            self._touched += [(effect.operation, path) for path in _paths(effect.path(instance, args, kwargs))]
            if effect.reason is not None:
                self._reason = effect.reason(instance, args, kwargs)
        self._shown = {path: path if run is None else run.relative(path) for _, path in self._touched}
        self._befores: dict[str, _Before] = {}

    def describe(self, outgoing: Outgoing) -> None:
        """Adds the span's attributes; the path only where there is a single one."""
        if not self._touched:
            return
        operation, path = self._touched[-1]
        outgoing.attributes[names.FILE_OPERATION] = operation
        if len(self._shown) == 1:
            shown = outgoing.clean(self._shown[path])
            outgoing.attributes[names.FILE_PATH] = shown
            outgoing.attributes.update(_name_and_extension(str(shown)))

    def look(self) -> None:
        """Remembers the files that are about to be changed."""
        for operation, path in self._touched:
            if operation != "read":
                self._befores[path] = _look(path)

    def tell(self, result: Any, span: Span) -> None:
        """Sends the events of a call that succeeded."""
        for operation, path in self._touched:
            if operation == "read":
                self._tell_read(path, result, span)
            else:
                self._tell_changed(operation, path, span)

    def _tell_read(self, path: str, result: Any, span: Span) -> None:
        single = sum(operation == "read" for operation, _ in self._touched) == 1
        digest = _digest(result) if single else None
        self._measure(span, {names.FILE_SIZE: _size(path), names.FILE_CONTENT_DIGEST: digest})
        values = {
            names.FILE_PATH: self._shown[path],
            names.FILE_REASON: self._reason,
            names.FILE_CONTENT_DIGEST: digest,
        }
        self._emit(names.FILE_READ, values, span, required=(names.FILE_PATH, names.FILE_REASON))

    def _tell_changed(self, operation: Operation, path: str, span: Span) -> None:
        before = self._befores.get(path) or _Before(exists=True, content=None)
        after = _look(path)
        created = operation == "edit" and not before.exists and after.exists
        values: dict[str, Any] = {names.FILE_OPERATION: "create" if created else operation}
        if (before.exists or after.exists) and before.content is not None and after.content is not None:
            added, removed = changed_lines(before.content, after.content)
            values |= {names.FILE_LINES_ADDED: added, names.FILE_LINES_REMOVED: removed}
        self._measure(span, {**values, names.FILE_SIZE: _size(path)})
        self._emit(
            names.FILE_CHANGED, {names.FILE_PATH: self._shown[path], **values}, span, required=(names.FILE_PATH,)
        )

    def _measure(self, span: Span, values: Mapping[str, Any]) -> None:
        """Adds what is known after the call to the span of a call that is about a single file."""
        if len(self._shown) == 1:
            span.set_attributes({name: value for name, value in values.items() if value is not None})

    def _emit(self, name: str, values: Mapping[str, Any], span: Span, *, required: tuple[str, ...]) -> None:
        emit(name, values, span=span, run_id=self._run.id if self._run is not None else "", required=required)


def _paths(value: Any) -> list[str]:
    """The paths an argument names: one, or several; none where it is a file descriptor, or missing."""
    if isinstance(value, str | bytes | os.PathLike):
        return [os.fsdecode(value)]
    if isinstance(value, list | tuple | set | frozenset):
        return [os.fsdecode(each) for each in list(value)[:MAX_PATHS] if isinstance(each, str | bytes | os.PathLike)]
    return []


def _name_and_extension(shown: str) -> dict[str, str]:
    name = os.path.basename(shown)  # noqa: PTH119 - a fifth of pathlib's price, on every call of a file tool
    extension = os.path.splitext(name)[1][1:]  # noqa: PTH122 - as above
    return {names.FILE_NAME: name, names.FILE_EXTENSION: extension} if extension else {names.FILE_NAME: name}


def _look(path: str) -> _Before:
    try:
        status = os.stat(path)  # noqa: PTH116 - half the cost of pathlib's, on every call of a file tool
        if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_COMPARED:
            return _Before(exists=True, content=None)
        with open(path, "rb") as file:  # noqa: PTH123 - as above
            return _Before(exists=True, content=file.read(MAX_COMPARED))
    except FileNotFoundError:
        return _Before(exists=False, content=b"")
    except (OSError, ValueError):  # no permission, a null byte in the name: nothing to compare
        return _Before(exists=True, content=None)


def _size(path: str) -> int | None:
    try:
        return os.stat(path).st_size  # noqa: PTH116 - as above
    except (OSError, ValueError):  # deleted, or never there
        return None


def _digest(result: Any) -> str | None:
    if not isinstance(result, str | bytes) or len(result) > MAX_DIGESTED:
        return None
    data = result if isinstance(result, bytes) else result.encode("utf-8", "surrogateescape")
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
