"""What finding incidents needs of a record: little enough to hold ten thousand of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Final

import msgspec

from agent_otel.model.record import RunRecord
from agent_otel.review.audit import Audit
from agent_otel.review.incidents.waste import Waste, moment, wasted

TRUNKS: Final = frozenset(("", "main", "master", "trunk", "develop", "development", "dev", "HEAD"))
"""Branches that tell no task."""

_FAILED: Final = frozenset(("failing", "missing required evidence"))
_LATER: Final = frozenset(("failing-late-check", "post-handoff-regression"))
"""Rules of what failed on the very state that a run left, and came to light only then."""

_MOST_FILES: Final = 50
_SPACE: Final = re.compile(r"\s+")


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """A run as a candidate.

    ``root`` is the run it is part of. ``failed`` and ``accepted`` exclude each other; a run may be neither. ``names``
    are what tells its task: what it was asked to do, and its branch. ``fingerprints`` are those of failures that count.
    ``redo_of`` are the runs that somebody said it does again.
    """

    run_id: str
    root: str
    started: datetime
    ended: datetime
    failed: bool
    accepted: bool
    objective: str
    names: frozenset[str]
    files: frozenset[str]
    fingerprints: dict[str, str]
    waste: Waste
    redo_of: frozenset[str] = frozenset()


def case(audit: Audit) -> Case | None:
    """The case of a run that was held to a contract; None where nobody knows when it was, or it is still going on."""
    record = audit.record
    started = moment(record.started)
    if started is None or record.lifecycle == "open":
        return None
    return Case(
        run_id=record.run_id,
        root=record.parent_run or record.run_id,
        started=started,
        ended=max(moment(record.ended) or started, started),
        failed=_failed(record),
        accepted=accepted(record),
        objective=_plain(record.task.objective or ""),
        names=frozenset(_names(record)),
        files=frozenset(file.path for file in record.changed_files[:_MOST_FILES]),
        fingerprints=counting(record),
        waste=wasted(record),
        redo_of=frozenset(record.redo_of),
    )


def accepted(record: RunRecord) -> bool:
    """True for a run that is done, and of which nothing else came to light."""
    return record.review_state == "done" and not _failed(record)


def _failed(record: RunRecord) -> bool:
    ended_badly = record.lifecycle == "abandoned" or record.outcome in ("failed", "interrupted")
    later = any(finding.rule in _LATER for finding in record.findings)
    return ended_badly or later or record.review_state in _FAILED


def _names(record: RunRecord) -> Iterator[str]:
    where = record.base.repository or ""
    objective = _plain(record.task.objective or "")
    if objective:
        yield f"task {where} {objective}"
    branch = record.base.branch or record.task.branch or ""
    if branch not in TRUNKS and "*" not in branch:
        yield f"branch {where} {branch}"


def _plain(text: str) -> str:
    return _SPACE.sub(" ", text).strip().casefold()


def counting(record: RunRecord) -> dict[str, str]:
    """The fingerprints that count for "the same failure twice", each with the words of its first finding.

    What is an error counts, and what failed after the handoff, and of failures that nothing overcame those of checks,
    and of the run itself: a listing of a folder that is not there is no incident.
    """
    checked = {name for check in record.verifications for name in (check.command_id, *check.evidence)}
    weighty = {
        failure.id
        for failure in record.failures
        if failure.command_id in checked or not (failure.command or failure.tool)
    }
    found: dict[str, str] = {}
    for finding in record.findings:
        unresolved = finding.rule == "failure-not-resolved" and not weighty.isdisjoint(finding.refs)
        counts = finding.severity == "error" or finding.rule in _LATER or unresolved
        if counts and finding.fingerprint:
            found.setdefault(finding.fingerprint, finding.message)
    return found
