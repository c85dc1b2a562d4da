"""Diagnoses of runs as data: what a record holds, what is asked, and which part of the harness is to be repaired."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agent_otel.model.contract import contract_from_mapping
from agent_otel.model.limits import LIMITS
from agent_otel.model.record import RunRecord
from agent_otel.model.versions import from_builtins
from agent_otel.review.contracted import under
from agent_otel.review.diagnosis.diagnose import diagnose, diagnose_check
from agent_otel.review.diagnosis.quotes import entries
from agent_otel.review.diagnosis.shape import SCHEMA_ID, Diagnosis, to_builtins
from agent_otel.review.verified.weakened import ChangedTest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FOLDER = Path(__file__).parents[2] / "data" / "review" / "diagnoses"
CASES = {path.stem: tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.toml"))}
OF_CHECKS = {name: case for name, case in CASES.items() if "check" in case}
WHOLE = {name: case for name, case in CASES.items() if "check" not in case}

USUAL = {
    "schema": "agent-otel/run-record/1",
    "run_id": "r",
    "lifecycle": "settled",
    "outcome": "ended",
    "agent": {"dialect": "agent_otel"},
    "capture": {"complete": True, "root_seen": True},
}
"""What a case does not say of its record."""


def record_of(case: dict[str, Any]) -> RunRecord:
    """The record of a case, as its run left it."""
    return from_builtins({**USUAL, **case["record"]})


def asked(case: dict[str, Any]) -> Diagnosis:
    """The diagnosis that a case asks for."""
    contract = contract_from_mapping(case.get("contract", {}), source="case")
    tests = msgspec.convert(case["tests"], tuple[ChangedTest, ...]) if "tests" in case else None
    if "check" in case:
        exact = case.get("exact", False)
        return diagnose_check(record_of(case), case["check"], contract, exact=exact, tests=tests)
    return diagnose(record_of(case), contract, tests=tests)


def held(case: dict[str, Any]) -> RunRecord:
    """The record of a case under its contract."""
    return under(record_of(case), contract_from_mapping(case.get("contract", {}), source="case"))


@pytest.mark.parametrize("case", OF_CHECKS.values(), ids=OF_CHECKS)
def test_a_check_points_to_a_part(case: dict[str, Any]) -> None:
    """Or is not decided, and then it is said what is missing; the entries it rests on are quoted."""
    found = asked(case)
    (check,) = found.checks
    expected = case["expected"]
    assert check.check == expected.get("name", case["check"])
    assert (check.part, check.verdict) == (expected.get("part"), expected["verdict"]), check.because
    assert [quote.ref for quote in check.quotes] == expected["quotes"]
    assert list(check.missing) == expected.get("missing", [])
    assert found.decided == check.decided == expected.get("decided", True)
    assert check.required == expected.get("required", check.required)
    assert expected.get("because", "") in check.because
    assert list(found.limits) == expected.get("limits", [])
    assert found.parts == ()


@pytest.mark.parametrize("case", WHOLE.values(), ids=WHOLE)
def test_a_run_points_to_parts(case: dict[str, Any]) -> None:
    """Each part with the entries that point to it, and what would have to be recorded to see more."""
    found = asked(case)
    expected = case["expected"]
    assert {check.check: check.part for check in found.checks} == expected.get("checks", {})
    told = {part.part: [[quote.ref for quote in sign.quotes] for sign in part.signs] for part in found.parts}
    assert told == expected.get("parts", {})
    missing = {part.part: list(part.missing) for part in found.parts if part.missing}
    assert missing == expected.get("missing", {})
    assert list(found.missing) == expected.get("lost", [])
    assert list(found.limits) == expected.get("limits", [])
    assert found.decided == expected.get("decided", True)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_is_quoted_is_in_the_record(case: dict[str, Any]) -> None:
    """With the words and the span of the entry; every limit is explained."""
    found, known = asked(case), entries(held(case))
    quotes = [
        quote
        for each in (*found.checks, *(sign for part in found.parts for sign in part.signs))
        for quote in each.quotes
    ]
    assert all(known[quote.ref] == quote for quote in quotes)
    assert all(LIMITS[name] == meaning for name, meaning in found.limits.items())


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_undecided_is_never_silent(case: dict[str, Any]) -> None:
    """No check is without a part and without what is missing, but one that passed."""
    for check in asked(case).checks:
        assert check.part or check.missing or check.verdict == "proved"
        assert check.decided == bool(check.part or check.verdict == "proved")


def test_every_part_has_a_case_and_a_counter_case() -> None:
    """Positive and negative, for each part that a fix can belong to, and for no answer."""
    parts = {case["expected"].get("part") for case in OF_CHECKS.values()}
    assert parts >= {"implementation", "verification", "runway", "judging", "release process", None}
    for part in ("implementation", "verification", "context", "handoff", "runway"):
        pointed = [bool(case["expected"].get("parts", {}).get(part)) for case in WHOLE.values()]
        assert set(pointed) == {True, False}


def test_a_diagnosis_is_a_document() -> None:
    """With a name and a version, and without what there is not."""
    plain = to_builtins(asked(CASES["firefox-unavailable"]))
    assert plain == {
        "schema": SCHEMA_ID,
        "run_id": "r",
        "review_state": "missing required evidence",
        "decided": True,
        "checks": [
            {
                "check": "e2e: firefox",
                "required": True,
                "verdict": "not_run",
                "decided": True,
                "part": "runway",
                "because": "it was required, and the run says that what it needs was unavailable",
                "quotes": [{"ref": "v2", "text": "e2e: firefox: not run: preview down", "span": "t/2"}],
                "missing": [],
            }
        ],
        "parts": [],
        "missing": [],
        "limits": {},
    }
