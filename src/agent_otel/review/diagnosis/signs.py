"""What in a record points to implementation, verification, context or handoff: a function for each kind of sign."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

from agent_otel.model.contract import Contract
from agent_otel.model.record import Failure, Finding, RunRecord
from agent_otel.review.diagnosis.case import Case
from agent_otel.review.diagnosis.shape import Answer, Part
from agent_otel.review.testpaths import is_test
from agent_otel.review.unavailable import says_unavailable, shows_unavailable
from agent_otel.review.verified.weakened import ChangedTest, told
from agent_otel.review.wording import count


class Whole(NamedTuple):
    """A run that is asked about: its record as it is held to the contract, and what became of its checks.

    ``tests`` are those that the run changed, by the diff that it left; None where there is none to read.
    """

    record: RunRecord
    contract: Contract
    answers: tuple[tuple[Case, Answer], ...] = ()
    tests: tuple[ChangedTest, ...] | None = None

    @property
    def told(self) -> frozenset[str]:
        """The entries that the explanations of checks rest on."""
        return frozenset(ref for _, answer in self.answers for ref in answer.refs)

    @property
    def lines(self) -> frozenset[str]:
        """The command lines of the checks that are explained."""
        return frozenset(run.command for case, _ in self.answers for run in case.runs)


class Hint(NamedTuple):
    """A sign before its entries are quoted."""

    because: str
    refs: tuple[str, ...]
    check: str | None = None


Signs = Callable[[Whole], Iterator[Hint]]
"""Finds what points to a part."""


def of_checks(part: Part) -> Signs:
    """The checks whose fix belongs to the part."""

    def found(whole: Whole) -> Iterator[Hint]:
        for case, answer in whole.answers:
            if answer.part == part:
                yield Hint(answer.because, answer.refs, case.name)

    return found


def of_rules(*rules: str) -> Signs:
    """What rules found, unless that a check's explanation tells it."""

    def found(whole: Whole) -> Iterator[Hint]:
        for finding in _findings(whole.record, *rules):
            if finding.severity != "info" and not (finding.refs and whole.told.issuperset(finding.refs)):
                yield Hint(finding.message, finding.refs)

    return found


def unresolved(whole: Whole) -> Iterator[Hint]:
    """Commands and tools that failed, and nothing later resolved it."""
    failures = {each.id: each for each in whole.record.failures}
    for finding in _findings(whole.record, "failure-not-resolved"):
        found = (failures[ref] for ref in finding.refs)
        refs = [each.id for each in found if not _reads(each) and _counts(each, whole) and not _wants(each, whole)]
        if refs:
            yield Hint(finding.message, tuple(refs))


def unavailable(whole: Whole) -> Iterator[Hint]:
    """Commands and tools that failed for want of a tool or service, by what they printed or the run says."""
    for failure in whole.record.failures:
        if failure.resolved_by is None and _counts(failure, whole) and _wants(failure, whole):
            what = failure.command or failure.tool or "something"
            refs = (failure.id, failure.command_id) if failure.command_id else (failure.id,)
            yield Hint(f"{what} failed for want of a tool or service", refs)


def unread(whole: Whole) -> Iterator[Hint]:
    """Reading and searching that failed, and nothing later resolved it."""
    for failure in whole.record.failures:
        if failure.resolved_by is None and _reads(failure):
            yield Hint(f"{failure.tool} failed, and what it would have told was not known", (failure.id,))


def unloaded(whole: Whole) -> Iterator[Hint]:
    """Sources that the contract names, and nothing shows to have been looked at."""
    seen = {source.name for source in whole.record.context_sources}
    seen |= {read.path for read in whole.record.files_inspected}
    absent = [name for name in whole.contract.context_sources if name not in seen]
    if absent:
        yield Hint(
            f"the contract names {', '.join(absent)} to work from, and nothing shows that it was read", ("task",)
        )


def undemanded(whole: Whole) -> Iterator[Hint]:
    """A run that nobody held to anything."""
    if not whole.record.task.required_checks:
        yield Hint("nothing was required of this run: no contract names a check", ("task",))


def fewer_tests(whole: Whole) -> Iterator[Hint]:
    """Tests that the run weakened, unless that a check's explanation tells it: a pass means less than it did.

    Where there is no diff to read, those that it deleted, or that lost more lines than they gained.
    """
    for path, how in _weakened(whole) if whole.tests is None else _shown(whole.tests):
        if path not in whole.told:
            yield Hint(f"the run took from {path}, by which it was checked{how}", (path,))


def unnamed(whole: Whole) -> Iterator[Hint]:
    """A handoff that is silent about what failed or is missing."""
    handoff = whole.record.handoff
    if handoff is None or handoff.blockers or handoff.risks:
        return
    wrong = [case.name for case, _ in whole.answers if case.standing.verdict != "proved"]
    if wrong:
        yield Hint(
            f"the handoff names no blocker or risk, and {count(len(wrong), 'check')} failed or is missing"
            if len(wrong) == 1
            else f"the handoff names no blocker or risk, and {len(wrong)} checks failed or are missing",
            ("handoff",),
        )


def _shown(tests: Iterable[ChangedTest]) -> Iterator[tuple[str, str]]:
    return ((change.path, f": {told(change)}") for change in tests if change.weakened)


def _weakened(whole: Whole) -> Iterator[tuple[str, str]]:
    for file in whole.record.changed_files:
        shrunk = (file.lines_removed or 0) > (file.lines_added or 0)
        if is_test(file.path) and (file.operation == "delete" or shrunk):
            yield file.path, ""


_READING: Final = re.compile(r"read|view|open|search|grep|glob|find|list|fetch", re.IGNORECASE)
"""Names of tools that look, and change nothing."""


def _reads(failure: Failure) -> bool:
    return failure.command is None and bool(_READING.search(failure.tool or ""))


def _wants(failure: Failure, whole: Whole) -> bool:
    """True for what failed because something was not there.

    What a check prints of a service that is unavailable may be what it found out; these commands are no checks.
    """
    tails = [run.output.tail or "" for run in whole.record.commands if run.id == failure.command_id and run.output]
    printed = "\n".join([*tails, failure.error or ""])
    if shows_unavailable(printed) or "unavailable" in printed.casefold():
        return True
    stated = failure.source != "observed"
    return stated and any(says_unavailable(text) for text in (failure.error, failure.suspected_cause))


def _counts(failure: Failure, whole: Whole) -> bool:
    """True unless a check's explanation tells it, or a tool failed by the way."""
    return failure.command not in whole.lines and (failure.command is not None or failure.source != "observed")


def _findings(record: RunRecord, *rules: str) -> Iterator[Finding]:
    return (finding for finding in record.findings if finding.rule in rules)
