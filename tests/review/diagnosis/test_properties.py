"""What holds for the diagnosis of any record."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings, strategies as st
from msgspec.structs import replace

from agent_otel.model.contract import Contract
from agent_otel.model.record import Added, Claim, Command, Failure, FileInspected, RunRecord, Verification
from agent_otel.review.contracted import under
from agent_otel.review.diagnosis.diagnose import diagnose, diagnose_check
from agent_otel.review.diagnosis.quotes import entries
from agent_otel.review.diagnosis.shape import Diagnosis, Quote
from agent_otel.review.standing import standings
from hostile_records import records

anything = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def quotes(found: Diagnosis) -> list[Quote]:
    """Everything that a diagnosis quotes."""
    signs = [sign for part in found.parts for sign in part.signs]
    return [quote for each in (*found.checks, *signs) for quote in each.quotes]


@anything
@given(records())
def test_everything_is_answered_or_said_to_be_missing(record: RunRecord) -> None:
    """No check that failed or is missing is left out, and no quote is made up."""
    found = diagnose(record)
    judged = under(record, Contract())
    wrong = [
        check.check
        for check in standings(judged)
        if check.verdict in ("failed", "contradicted") or (check.required and check.verdict != "proved")
    ]
    assert [check.check for check in found.checks] == wrong
    assert all(check.part or check.missing for check in found.checks)
    known = entries(judged)
    assert all(known[quote.ref] == quote for quote in quotes(found))
    assert found.decided <= all(check.decided for check in found.checks)


@anything
@given(records())
def test_a_check_that_is_asked_for_gets_the_same_answer(record: RunRecord) -> None:
    """As among all the others."""
    for check in diagnose(record).checks:
        if check.check.strip():
            first, *_ = [each for each in diagnose(record).checks if each.check == check.check]
            assert diagnose_check(record, check.check).checks == (first,)


MORE = {
    "failures": st.builds(Failure, id=st.just("f-more"), tool=st.just("Read"), error=st.just("gone")),
    "claims": st.just(Claim(text="All tests pass.")),
    "files_inspected": st.just(FileInspected(path="src/more.py")),
    "commands": st.builds(
        Command,
        id=st.just("c-more"),
        command=st.just("pytest -q"),
        result=st.sampled_from(["failed", "denied", "unknown", "timed_out"]),
    ),
    "verifications": st.builds(
        Verification,
        id=st.just("v-more"),
        check=st.sampled_from(["unit", "e2e", "more"]),
        outcome=st.sampled_from(["fail", "not_run", "unknown"]),
        added=st.none() | st.just(Added(id="e1", source="ci")),
    ),
}
"""Evidence of which none is a pass that somebody saw."""


@anything
@given(records(), st.sampled_from(sorted(MORE)), st.data())
def test_more_evidence_makes_no_failure_disappear(record: RunRecord, name: str, data: st.DataObject) -> None:
    """What failed or is missing stays so, unless something that was seen to pass says otherwise."""
    more = replace(record, **{name: (*getattr(record, name), data.draw(MORE[name]))})
    before = {check.check for check in diagnose(record).checks}
    assert before <= {check.check for check in diagnose(more).checks}


UNORDERED = ("failures", "gates", "decisions", "files_inspected", "changed_files", "tool_calls", "context_sources")
"""Entries of which the order says nothing."""


@anything
@given(records(), st.data())
def test_the_order_of_entries_does_not_matter(record: RunRecord, data: st.DataObject) -> None:
    """The same parts, with the same checks and the same signs."""
    record = replace(record, changed_files=tuple({file.path: file for file in record.changed_files}.values()))
    mixed = replace(record, **{name: tuple(data.draw(st.permutations(getattr(record, name)))) for name in UNORDERED})
    assert _answers(diagnose(mixed)) == _answers(diagnose(record))


def _answers(found: Diagnosis) -> tuple:
    signs = {(part.part, sign.check, sign.because) for part in found.parts for sign in part.signs}
    return [(check.check, check.part, sorted(check.missing)) for check in found.checks], signs, found.decided
