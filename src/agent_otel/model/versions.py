"""Reads records of every version ever written: old documents are upgraded step by step, newer ones refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from agent_otel.errors import DecodeError
from agent_otel.model.record import RECORD_VERSION, RunRecord

Upgrade = Callable[[dict[str, Any]], dict[str, Any]]
"""Turns the plain document of one version into that of the next."""

UPGRADES: Final[Mapping[int, Upgrade]] = {}
"""Version to the step that leads to the next; a test holds that none is missing and each has a golden file."""

_PREFIX: Final = "agent-otel/run-record/"


def decode(document: bytes | str) -> RunRecord:
    """The record a JSON document holds, whatever version wrote it.

    Raises:
        DecodeError: not JSON, not a run record, damaged, or written by a newer program.
    """
    try:
        plain = msgspec.json.decode(document)
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        message = f"a run record is JSON; this is not: {exc}"
        raise DecodeError(message) from exc
    return from_builtins(plain)


def from_builtins(plain: object) -> RunRecord:
    """The record plain dicts and lists hold; see ``decode``."""
    version = _version(plain)
    current = upgrade(plain, version=version, target=RECORD_VERSION, steps=UPGRADES)  # type: ignore[arg-type]  # _version has seen a dict
    try:
        return msgspec.convert(current, RunRecord)
    except msgspec.ValidationError as exc:
        message = f"not a run record: {exc}"
        raise DecodeError(message) from exc


def upgrade(plain: dict[str, Any], *, version: int, target: int, steps: Mapping[int, Upgrade]) -> dict[str, Any]:
    """The document brought from ``version`` to ``target``, one step after the other.

    Raises:
        DecodeError: the document is newer than ``target``, or a step is missing.
    """
    if version > target:
        message = f"the record has version {version}, this program reads up to {target}: upgrade agent-otel"
        raise DecodeError(message)
    for number in range(version, target):
        if number not in steps:
            message = (
                f"records of version {number} cannot be read any more; expected {min(steps, default=target)} or later"
            )
            raise DecodeError(message)
        plain = {**steps[number](plain), "schema": f"{_PREFIX}{number + 1}"}
    return plain


def _version(plain: object) -> int:
    schema = plain.get("schema") if isinstance(plain, dict) else None
    digits = schema.removeprefix(_PREFIX) if isinstance(schema, str) and schema.startswith(_PREFIX) else ""
    if not (digits.isascii() and digits.isdigit()):
        message = f"not a run record: expected a 'schema' such as {_PREFIX}{RECORD_VERSION}, got {schema!r}"
        raise DecodeError(message)
    return int(digits)
