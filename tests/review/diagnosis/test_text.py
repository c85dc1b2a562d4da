"""Diagnoses for people."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings

from agent_otel.model.record import RunRecord
from agent_otel.review.diagnosis.diagnose import diagnose, diagnose_check
from agent_otel.review.diagnosis.shape import CheckDiagnosis, Diagnosis, PartDiagnosis, Quote, Sign
from agent_otel.review.diagnosis.text import as_text
from hostile_records import ATTACKS, records

QUOTE = Quote(ref="v1", text="unit: failed")
CHECK = CheckDiagnosis(
    check="unit", required=True, verdict="failed", decided=True, part="runway", because="it failed", quotes=(QUOTE,)
)


def whole(**fields) -> Diagnosis:
    """A diagnosis of a failing run."""
    return Diagnosis(run_id="r", review_state="failing", decided=True, **fields)


def test_checks_come_first_then_parts() -> None:
    """With what they rest on; what a check tells is not told again."""
    undecided = CheckDiagnosis(
        check="lint", required=False, verdict="not_run", decided=False, because="who knows", missing=("a", "b")
    )
    signs = (Sign(because="it failed", check="unit", quotes=(QUOTE,)), Sign(because="c2 failed", quotes=(QUOTE,)))
    parts = (
        PartDiagnosis(part="implementation", signs=signs),
        PartDiagnosis(part="context"),
        PartDiagnosis(part="handoff", missing=("final-message-untold",)),
    )
    told = as_text(
        whole(
            checks=(CHECK, undecided), parts=parts, missing=("2 spans",), limits={"final-message-untold": "No words."}
        )
    )
    assert told == (
        "failing  r\n"
        "\n"
        "unit (required), failed: runway\n"
        "  it failed\n"
        "    v1  unit: failed\n"
        "\n"
        "lint, not run: not decided\n"
        "  who knows\n"
        "  missing: a; b\n"
        "\n"
        "the run as a whole\n"
        "  implementation: unit (above)\n"
        "  implementation: c2 failed\n"
        "    v1  unit: failed\n"
        "  context: nothing points here\n"
        "  handoff: nothing seen points here\n"
        "    missing: final-message-untold\n"
        "missing: 2 spans\n"
        "\n"
        "final-message-untold: No words.\n"
    )


def test_a_proved_check_points_nowhere() -> None:
    """And neither does a run in which nothing failed."""
    proved = CheckDiagnosis(check="unit", required=True, verdict="proved", decided=True, because="it is proved")
    assert as_text(whole(checks=(proved,))) == "failing  r\n\nunit (required), proved\n  it is proved\n"
    nothing = Diagnosis(run_id="r", review_state=None, decided=True)
    assert as_text(nothing) == "not judged  r\n\nnothing failed, and nothing that was required is missing\n"


UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(records())
def test_nothing_that_a_run_wrote_moves_a_cursor(record: RunRecord) -> None:
    """Nor begins a line of its own."""
    for found in (diagnose(record), *(diagnose_check(record, name, exact=True) for name in ATTACKS)):
        told = as_text(found)
        assert not {unicodedata.category(character) for character in told} & UNSEEN - {"Cc"}
        assert all(character == "\n" or unicodedata.category(character) != "Cc" for character in told)


@pytest.mark.parametrize("attack", ATTACKS)
def test_hostile_names_stay_on_their_line(attack: str) -> None:
    """The name of a check is the run's own text."""
    told = as_text(whole(checks=(CheckDiagnosis(**{**plain(CHECK), "check": attack}),)))
    assert len(told.splitlines()) == 5


def plain(check: CheckDiagnosis) -> dict:
    """The fields of a check's diagnosis."""
    return {name: getattr(check, name) for name in check.__struct_fields__}
