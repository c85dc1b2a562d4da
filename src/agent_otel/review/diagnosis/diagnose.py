"""Diagnoses a record: which part of the harness its failing and missing checks, and its failures, point to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from agent_otel.errors import SettingsError
from agent_otel.model.contract import Contract
from agent_otel.model.limits import LIMITS
from agent_otel.model.record import RunRecord
from agent_otel.review.contracted import under
from agent_otel.review.diagnosis.case import Case, Known, cases, lacking, paths_of
from agent_otel.review.diagnosis.names import meant
from agent_otel.review.diagnosis.parts import parts
from agent_otel.review.diagnosis.quotes import entries, quoted
from agent_otel.review.diagnosis.shape import Answer, CheckDiagnosis, Diagnosis, PartDiagnosis, Quote
from agent_otel.review.diagnosis.signs import Whole
from agent_otel.review.diagnosis.table import explanation
from agent_otel.review.standing import Standing
from agent_otel.review.verified.weakened import ChangedTest

NO_CONTRACT: Final = Contract()


def diagnose(
    record: RunRecord, contract: Contract = NO_CONTRACT, *, tests: tuple[ChangedTest, ...] | None = None
) -> Diagnosis:
    """Where the fix belongs of every check that failed or is missing, and what points to each part of the harness.

    Args:
        record: as its run recorded it, which says what the run was told.
        contract: what the repository demands, whatever the run was told.
        tests: those that the run changed, by the diff that it left; None where there is none to read.
    """
    held = under(record, contract)
    known = entries(held)
    answers = tuple(
        (case, explanation(case)) for case in cases(held, Known(record, contract, tests)) if _is_wrong(case)
    )
    asked = answers or held.review_state != "done"
    pointed = parts(Whole(held, contract, answers, tests), known) if asked else ()
    return _whole(held, tuple(_told(case, answer, known) for case, answer in answers), pointed)


def diagnose_check(
    record: RunRecord,
    name: str,
    contract: Contract = NO_CONTRACT,
    *,
    exact: bool = False,
    tests: tuple[ChangedTest, ...] | None = None,
) -> Diagnosis:
    """Where the fix of one check belongs; one that the record does not know was never asked for.

    Args:
        record: as its run recorded it.
        name: the check, what a verification of it is called, or its command line.
        contract: what the repository demands.
        exact: the name is no slip, however much it looks like one.
        tests: as ``diagnose`` takes them.

    Raises:
        SettingsError: the name is empty, or looks like a slip; the message has the name that was meant.
    """
    if not name.strip():
        message = "expected the name of a check, got an empty one"
        raise SettingsError(message)
    held = under(record, contract)
    known = list(cases(held, Known(record, contract, tests)))
    found = next((case for case in known if case.name == name), None) or next(
        (case for case in known if any(name in (each.check, each.command) for each in case.entries)), None
    )
    if found is None:
        waived = paths_of(contract, name)
        if not exact and not waived:
            _no_slip(name, known, contract)
        found = Case(held, Standing(name, None, required=False), paths=waived)
    return _whole(held, (_told(found, explanation(found), entries(held)),), ())


def _is_wrong(case: Case) -> bool:
    """True for a check that failed, for one that had to pass and is not proved, and for one proved by weaker tests."""
    verdict = case.standing.verdict
    if verdict == "proved":
        return bool(case.weakened)
    return case.standing.required or verdict in ("failed", "contradicted")


def _no_slip(name: str, known: list[Case], contract: Contract) -> None:
    names = [each for case in known for each in (case.name, *(entry.check for entry in case.entries))]
    near = meant(name, [*names, *(check.name for check in contract.required_checks)])
    if near is not None:
        message = f"this run has no check {name!r}; did you mean {near!r}? (--exact: it is meant as it is written)"
        raise SettingsError(message)


def _told(case: Case, answer: Answer, known: Mapping[str, Quote]) -> CheckDiagnosis:
    return CheckDiagnosis(
        check=case.name,
        required=case.standing.required,
        verdict=case.standing.verdict,
        decided=answer.part is not None or not answer.missing,
        part=answer.part,
        because=answer.because,
        quotes=quoted(answer.refs, known),
        missing=answer.missing,
    )


def _whole(held: RunRecord, checks: tuple[CheckDiagnosis, ...], pointed: tuple[PartDiagnosis, ...]) -> Diagnosis:
    shown = bool(checks) or not pointed or any(part.signs for part in pointed)
    named = {what for check in checks for what in check.missing} | {what for part in pointed for what in part.missing}
    return Diagnosis(
        run_id=held.run_id,
        review_state=held.review_state,
        decided=shown and all(check.decided for check in checks),
        checks=checks,
        parts=pointed,
        missing=lacking(held, frozenset()) if pointed else (),
        limits={name: LIMITS[name] for name in held.capture.limits if name in LIMITS and name in named},
    )
