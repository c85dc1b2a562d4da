"""Why a check failed: what it ran on, and whether it could run there at all."""

from __future__ import annotations

from typing import Final

from agent_otel.model.limits import HIDING_EDITS
from agent_otel.model.record import Command, RunRecord
from agent_otel.review.diagnosis.case import Case, lacking
from agent_otel.review.diagnosis.shape import Answer
from agent_otel.review.gaps import hides_edits
from agent_otel.review.ground import ground, started
from agent_otel.review.unavailable import says_unavailable, shows_unavailable
from agent_otel.review.wording import count

_NO_PROGRAM: Final = (126, 127)
"""Exit codes by which a shell says that it cannot run, or cannot find, the program."""


def no_program(case: Case) -> Answer | None:
    """It failed before the check began."""
    if any(run.exit_code in _NO_PROGRAM or run.result == "not_started" for run in _failed(case)):
        return Answer("runway", "it failed because its program could not be run", case.refs)
    return None


def no_service(case: Case) -> Answer | None:
    """It ran, and did not find what it needs."""
    found = case.verification
    if found is not None and (found.unavailable or says_unavailable(found.reason)):
        return Answer("runway", "it failed, and the run says that what it needs was unavailable", case.refs)
    if any(run.output and shows_unavailable(run.output.tail) for run in _failed(case)):
        return Answer("runway", "it failed for want of a tool or service, by its own output", case.refs)
    return None


def timed_out(case: Case) -> Answer | None:
    """Nobody knows what it waited for."""
    if any(run.result == "timed_out" for run in _failed(case)):
        lack = "what it waited for: the code (implementation), or a service (runway)"
        return Answer(None, "it was stopped when its time was over", case.refs, (lack,))
    return None


def unseen(case: Case) -> Answer | None:
    """The run says that it failed, and names no command."""
    if not _failed(case):
        lack = "the command that failed: neither its output nor the files that it ran on are recorded"
        return Answer(None, "it failed by the agent's word, and no command in the record shows it", case.refs, (lack,))
    return None


def outdated(case: Case) -> Answer | None:
    """It failed, then files were changed, and nobody ran it again."""
    before = [run for run in _failed(case) if _on_final(run, case.record) is False]
    if not before:
        return None
    why = "it failed before the last edit and did not run again: what the run left was never checked"
    return Answer("verification", why, (*case.refs, *_edited_since(before[-1], case.record)))


def on_final(case: Case) -> Answer | None:
    """It failed on what the run left."""
    if all(_on_final(run, case.record) for run in _failed(case)):
        changed = (file.path for file in case.record.changed_files)
        return Answer("implementation", "it fails on what the run left", (*case.refs, *changed))
    return None


def somewhere(case: Case) -> Answer:
    """It failed, nobody knows on what."""
    record, lack = case.record, []
    if record.final.tree is None:
        lack.append("the tree that the run ended on")
    lack += [f"the tree that {run.id} ran on" for run in _failed(case) if run.tree is None]
    untimed = [file.path for file in record.changed_files if file.last_edit is None]
    lack += [f"when {untimed[0] if len(untimed) == 1 else count(len(untimed), 'file')} changed last"] if untimed else []
    why = "it failed, and whether on what the run left was not recorded"
    return Answer(None, why, (*case.refs, "capture"), (*lack, *lacking(record, HIDING_EDITS)))


def _failed(case: Case) -> list[Command]:
    return [run for run in case.runs if run.result != "passed"]


def _on_final(run: Command, record: RunRecord) -> bool | None:
    """True where a command ran on what the run left, None where nobody knows; trees decide, then the order of edits."""
    if run.tree is not None and record.final.tree is not None:
        return run.tree == record.final.tree
    base, start = ground(record), started(run)
    if start is not None and base.last_edit is not None and start < base.last_edit:
        return False
    if hides_edits(record.capture) or base.edits == "untimed" or (start is None and base.edits == "timed"):
        return None
    return True


def _edited_since(run: Command, record: RunRecord) -> list[str]:
    """The files that were edited after a command started, or all that changed where that is not recorded."""
    times = {file.path: file.last_edit for file in record.changed_files}
    since = [path for path, edited in times.items() if edited and run.started and edited > run.started]
    return since or list(times)
