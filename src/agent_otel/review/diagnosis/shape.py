"""What a diagnosis is, as a document for programs. Lists are always there; what there is none of is absent."""

from __future__ import annotations

from typing import Any, Final, Literal, NamedTuple

import msgspec

from agent_otel.model.record import ReviewState, Verdict

SCHEMA_ID: Final = "agent-otel/diagnosis/1"

Part = Literal["implementation", "verification", "context", "handoff", "runway", "judging", "release process"]
"""The part of the harness that a fix belongs to (requirements.md §3)."""


class Quote(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of the record, by its id, path or place, with what it says; ``span`` leads to the telemetry."""

    ref: str
    text: str
    span: str | None = None


class CheckDiagnosis(msgspec.Struct, frozen=True, kw_only=True):
    """Where the fix of a check belongs that failed, or is missing.

    ``part`` is absent where nothing is wrong with the check, and where the record does not decide. ``missing`` says
    what the record lacks: to decide, or to be surer.
    """

    check: str
    required: bool
    verdict: Verdict
    decided: bool
    part: Part | None = None
    because: str
    quotes: tuple[Quote, ...] = ()
    missing: tuple[str, ...] = ()


class Sign(msgspec.Struct, frozen=True, kw_only=True):
    """Something in the record that points to a part, and the entries that show it; ``check`` where that explains it."""

    because: str
    check: str | None = None
    quotes: tuple[Quote, ...] = ()


class PartDiagnosis(msgspec.Struct, frozen=True, kw_only=True):
    """What points to a part; ``missing`` is what would have to be recorded to see more."""

    part: Part
    signs: tuple[Sign, ...] = ()
    missing: tuple[str, ...] = ()


class Diagnosis(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the checks of a run, and what points to each part; ``decided`` where nothing is left open.

    ``parts`` are there where the whole run was asked about, and something is wrong with it. ``missing`` is what the
    capture lost of everything. ``limits`` says what the names of limits mean that stand under any ``missing``.
    """

    schema: str = SCHEMA_ID
    run_id: str
    review_state: ReviewState | None = None
    decided: bool
    checks: tuple[CheckDiagnosis, ...] = ()
    parts: tuple[PartDiagnosis, ...] = ()
    missing: tuple[str, ...] = ()
    limits: dict[str, str] = {}


class Answer(NamedTuple):
    """An explanation before its entries are quoted. Without a part nothing is wrong, or ``missing`` says why."""

    part: Part | None
    because: str
    refs: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def to_builtins(diagnosis: Diagnosis) -> dict[str, Any]:
    """The diagnosis as plain dicts and lists."""
    plain: dict[str, Any] = _without_none(msgspec.to_builtins(diagnosis))
    return plain


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_none(inner) for name, inner in value.items() if inner is not None}
    return [_without_none(inner) for inner in value] if isinstance(value, list | tuple) else value
