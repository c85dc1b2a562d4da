"""Why a check did not run: it was not asked for, it could not run, or it was judged not to matter."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from agent_otel.model.limits import HIDING_COMMANDS
from agent_otel.review.diagnosis.case import CUT_OFF, Case, Explanation, lacking
from agent_otel.review.diagnosis.shape import Answer
from agent_otel.review.unavailable import says_unavailable


def refused(case: Case) -> Answer | None:
    """A gate of the harness refused the command that the harness requires."""
    denied = [run for run in case.runs if run.result == "denied"]
    if not denied:
        return None
    spans = {run.span for run in denied if run.span}
    gates = (f"gates[{n}]" for n, gate in enumerate(case.record.gates) if gate.outcome == "deny" and gate.span in spans)
    return Answer("runway", "it was required, and the harness refused to run it", (*case.refs, *gates))


def not_started(case: Case) -> Answer | None:
    """The program is not there, or is none."""
    if any(run.result == "not_started" for run in case.runs):
        return Answer("runway", "it was required, and its program could not be started", case.refs)
    return None


def declared(case: Case) -> Answer | None:
    """The run says whether what the check needs was there."""
    found = case.verification
    if found is None or found.unavailable is None:
        return None
    if found.unavailable:
        return Answer("runway", "it was required, and the run says that what it needs was unavailable", case.refs)
    return Answer("judging", "it was required, and skipped though the run says that it could run", case.refs)


def explained(case: Case) -> Answer | None:
    """The run gives a reason, and its words tell."""
    reason = case.verification and case.verification.reason
    if not reason:
        return None
    if says_unavailable(reason):
        return Answer("runway", "it was required, and the reason given is that something was unavailable", case.refs)
    return Answer("judging", "it was required, and skipped for a reason that names nothing as unavailable", case.refs)


def untold(case: Case) -> Answer | None:
    """The repository demands it, and whoever started the run did not."""
    if case.told is not False:
        return None
    why = "the repository requires it, and the run was not told: it was not in its required evidence"
    return Answer("verification", why, (*case.refs, "task"))


def cut_off(case: Case) -> Answer | None:
    """A run that ended early did not judge."""
    record = case.record
    if record.outcome not in CUT_OFF and record.lifecycle != "abandoned":
        return None
    over = (f"budgets.{name}" for name, budget in record.budgets.items() if budget.exceeded)
    why = f"the run ended early ({record.outcome}, {record.lifecycle}) before it ran or skipped the check"
    return Answer(None, why, (*case.refs, "outcome", *over), ("the rest of the run: whether it would have run it",))


def lost(case: Case) -> Answer | None:
    """Where telemetry is missing, so may be the run of the check."""
    capture = case.record.capture
    if capture.complete and not capture.truncated:
        return None
    why = "nothing seen ran it, and the telemetry is incomplete"
    return Answer(None, why, (*case.refs, "capture"), lacking(case.record, HIDING_COMMANDS))


def mentioned(case: Case) -> Answer | None:
    """The run names the check elsewhere, as one that could not run."""
    refs = tuple(ref for ref, text in _texts(case) if says_unavailable(text) and _names(text, case))
    if not refs:
        return None
    return Answer("runway", "it was required, and the run says elsewhere that it could not run", (*case.refs, *refs))


def silent(case: Case) -> Answer:
    """The run came to its end, and nothing tried."""
    why = "it was required, nothing tried to run it, and nothing says that it could not run"
    handoff = ("handoff",) if case.record.handoff is not None else ()
    unknown = ("whether the run was told to run it",) if case.told is None else ()
    return Answer("judging", why, (*case.refs, "task", *handoff), unknown)


SKIPPED: Final[tuple[Explanation, ...]] = (
    refused, not_started, declared, explained, untold, cut_off, lost, mentioned, silent,
)  # fmt: skip
"""In the order in which they are asked: what was seen, what was said, then what follows from silence."""


def _texts(case: Case) -> Iterator[tuple[str, str]]:
    record = case.record
    if record.handoff is not None:
        yield from (("handoff", text) for text in (*record.handoff.blockers, *record.handoff.risks))
    yield from ((f"open_risks[{n}]", text) for n, text in enumerate(record.open_risks))
    for each in record.failures:
        yield each.id, " ".join(filter(None, (each.command, each.error, each.suspected_cause)))


def _names(text: str, case: Case) -> bool:
    """True where a text names the check, or the beginning of the command that is demanded for it."""
    commands = (check.command for check in case.record.task.required_checks if check.name == case.name)
    starts = (command.partition("*")[0].strip() for command in commands if command)
    return any(name.casefold() in text.casefold() for name in (case.name, *starts) if name)
