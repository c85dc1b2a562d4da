"""Which names of checks are slips for others."""

from __future__ import annotations

import pytest

from agent_otel.errors import SettingsError
from agent_otel.model.contract import Contract, RequiredCheck
from agent_otel.model.record import RunRecord
from agent_otel.review.diagnosis.diagnose import diagnose_check
from agent_otel.review.diagnosis.names import meant

KNOWN = ["unit", "e2e: chromium", "test-3.10", "pnpm playwright invite --project=chromium"]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("units", "unit"),
        ("Unit", "unit"),
        ("E2E chromium", "e2e: chromium"),
        ("e2e: chromum", "e2e: chromium"),
        ("chromium", "e2e: chromium"),
        ("playwright invite", "pnpm playwright invite --project=chromium"),
        ("e2e: firefox", None),
        ("test-3.11", None),
        ("pnpm playwright invite --project=firefox", None),
        ("e2e: chromium on arm", None),
        ("lint", None),
        ("???", None),
    ],
)
def test_a_slip_names_what_was_meant(name: str, found: str | None) -> None:
    """Another spelling, a part, one mistyped word; never another browser or version."""
    assert meant(name, KNOWN) == found


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("units", "this run has no check 'units'; did you mean 'unit'? (--exact: it is meant as it is written)"),
        ("  ", "expected the name of a check, got an empty one"),
    ],
)
def test_a_slip_is_misuse(name: str, message: str) -> None:
    """It gets no answer about a check that nobody meant; checks of the contract are known, too."""
    record = RunRecord(run_id="r", lifecycle="settled", outcome="ended")
    contract = Contract(required_checks=(RequiredCheck(name="unit", paths=("src/**",)),))
    with pytest.raises(SettingsError) as caught:
        diagnose_check(record, name, contract)
    assert str(caught.value) == message
