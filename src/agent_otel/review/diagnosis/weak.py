"""Why a check that is said to pass is not proved: what is missing between the word and the proof."""

from __future__ import annotations

from typing import Final

from agent_otel.model.limits import EXIT_CODES_UNTOLD, FAILED_OUTPUT_UNTOLD, HIDING_COMMANDS, HIDING_EDITS
from agent_otel.review.diagnosis.case import Case, lacking
from agent_otel.review.diagnosis.shape import Answer

_HIDING: Final = HIDING_COMMANDS | HIDING_EDITS | {EXIT_CODES_UNTOLD, FAILED_OUTPUT_UNTOLD}


def stale(case: Case) -> Answer:
    """It passed, and then files were changed."""
    changed = (file.path for file in case.record.changed_files)
    why = "it passed on other files than the run left, and did not run again"
    return Answer("verification", why, (*case.refs, *changed))


def contradicted(case: Case) -> Answer:
    """It is declared a pass, and its own evidence says otherwise."""
    return Answer("verification", "it was taken for passed against its own evidence", case.refs)


def weakened(case: Case) -> Answer | None:
    """It is proved, and the run had taken from the tests that prove it."""
    if not case.weakened:
        return None
    paths = (change.path for change in case.weakened)
    return Answer("verification", f"it is proved by tests that the run weakened: {case.weaker}", (*case.refs, *paths))


def claimed(case: Case) -> Answer:
    """It passes by the agent's word."""
    return Answer("verification", "it was taken for passed by the agent's word alone", case.refs)


def unverifiable(case: Case) -> Answer:
    """It may have passed, or may have run; the record cannot tell."""
    record, found = case.record, case.verification
    reason = (found and found.verdict_reason) or "it cannot be told"
    lack = list(lacking(record, _HIDING))
    if record.final.tree is None and case.runs:
        lack.append("the tree that the run ended on")
    lack += [f"the tree that {run.id} ran on" for run in case.runs if run.tree is None]
    return Answer(None, "whether it passed cannot be told", (*case.refs, "capture"), (reason, *lack))
