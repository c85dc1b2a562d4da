"""Run records in files, as ``agent-otel export`` prints them: an array, one on each line, or a single one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec

from agent_otel.cli.sources import requests_in
from agent_otel.errors import DecodeError
from agent_otel.model.record import RunRecord
from agent_otel.model.versions import decode
from agent_otel.review.judge import judge

_T = TypeVar("_T")


class _Version(msgspec.Struct, frozen=True):
    """What tells which of two records of a run is the later one."""

    run_id: str
    revision: int = 0


def exported_records(files: Sequence[Path]) -> Iterator[RunRecord]:
    """The records in files, judged anew, each run once: of several revisions the last.

    The files are read twice, so that not all records have to be in memory.

    Raises:
        DecodeError: there is something else in a file.
    """
    latest: dict[str, tuple[int, bytes]] = {}
    for where, document in _documents(files):
        version = _version(where, document)
        latest[version.run_id] = max(latest.get(version.run_id, (-1, b"")), _rank(version, document))
    for where, document in _documents(files):
        version = _version(where, document)
        if latest.get(version.run_id) == _rank(version, document):
            del latest[version.run_id]
            yield _record(where, document)


def _documents(files: Sequence[Path]) -> Iterator[tuple[str, bytes]]:
    for file in files:
        with file.open("rb") as opened:
            for request in requests_in(opened, str(file)):
                if request.error is not None:
                    message = f"{request.where}: {request.error}"
                    raise DecodeError(message) from request.error
                yield from _inside(request.where, request.body)


def _inside(where: str, body: bytes) -> Iterator[tuple[str, bytes]]:
    if not body.lstrip().startswith(b"["):
        yield where, body
        return
    for number, document in enumerate(_decoded(where, body, list[msgspec.Raw])):
        yield f"{where}[{number}]", bytes(document)


def _version(where: str, document: bytes) -> _Version:
    return _decoded(where, document, _Version)


def _rank(version: _Version, document: bytes) -> tuple[int, bytes]:
    """Of the same revision, the one that is larger: some order that does not depend on where they stand."""
    return version.revision, hashlib.sha256(document).digest()


def _decoded(where: str, body: bytes, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        message = f"{where}: expected run records as agent-otel export prints them: {exc}"
        raise DecodeError(message) from exc


def _record(where: str, document: bytes) -> RunRecord:
    try:
        return judge(decode(document))
    except DecodeError as exc:
        message = f"{where}: {exc}"
        raise DecodeError(message) from exc
