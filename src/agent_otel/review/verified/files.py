"""What a file says of the check that it is evidence of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Final, Literal, NamedTuple

import msgspec

from agent_otel.model.record import Command, EvidenceFile, Verdict, Verification
from agent_otel.review.ground import moment, started
from agent_otel.review.reports.report import Report, told, went_wrong
from agent_otel.review.reports.table import TESTS
from agent_otel.review.verified.found import Found, bound_to, cited, unbound

State = Literal["as recorded", "differs", "written again", "no digest recorded", "not read"]

_SLACK: Final = timedelta(seconds=2)
"""File systems and clocks differ by that much."""
_NAMED: Final = 3


class CheckedFile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A file of the evidence, as it was found; ``verdict`` is what it leaves of the check, None where all of it."""

    path: str
    state: State
    reason: str
    verdict: Verdict | None = None
    sha256: str | None = None
    report: Report | None = None


class Digests(NamedTuple):
    """Every digest that a record has of a path: a report that a later command wrote again has several."""

    by_path: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, files: Iterable[EvidenceFile]) -> Digests:
        """Those of all files of a record."""
        found: dict[str, set[str]] = {}
        for file in files:
            found.setdefault(file.path, set()).update(filter(None, [file.sha256]))
        return cls({path: frozenset(digests) for path, digests in found.items()})


def checked_files(
    check: Verification, commands: dict[str, Command], found: Mapping[str, Found], digests: Digests
) -> tuple[CheckedFile, ...]:
    """The files of a check, each held against what was found of it."""
    runs = cited(check, commands)
    bound = [_bound(check, file, runs, found.get(file.path, _NOWHERE), digests) for file in bound_to(check, commands)]
    named = [_unbound(check, path, runs, found.get(path, _NOWHERE)) for path in unbound(check, commands)]
    return tuple(dict.fromkeys((*bound, *named)))


_NOWHERE: Final = Found(problem="was not looked for")


def _bound(check: Verification, file: EvidenceFile, runs: list[Command], seen: Found, digests: Digests) -> CheckedFile:
    if file.sha256 is None:
        return _checked(file.path, "no digest recorded", seen, "unverifiable", "it was too large to be hashed")
    if seen.sha256 is None:
        return _unread(check, file, seen)
    if seen.sha256 != file.sha256:
        if seen.sha256 in digests.by_path[file.path]:
            return _checked(file.path, "written again", seen, "unverifiable", "it was written again later in the run")
        differs = f"recorded with sha256 {file.sha256[:12]}…, and now it has {seen.sha256[:12]}…"
        return _checked(file.path, "differs", seen, "contradicted", differs)
    old = _older(file, check, runs)
    if old is not None:
        return _checked(file.path, "as recorded", seen, "stale", f"written before {old.command!r} started")
    return _checked(file.path, "as recorded", seen, *_says(check, runs, seen))


def _unread(check: Verification, file: EvidenceFile, seen: Found) -> CheckedFile:
    """A file that is not to be had; what was added later had it where it was added."""
    if check.added is not None:
        had = f"{seen.problem}; it was read when {check.added.source} added it"
        return _checked(file.path, "not read", seen, None, had)
    return _checked(file.path, "not read", seen, "unverifiable", seen.problem or "")


def _unbound(check: Verification, path: str, runs: list[Command], seen: Found) -> CheckedFile:
    """A file by its name alone: what speaks against the check counts, and nothing that speaks for it."""
    if seen.sha256 is None:
        return _checked(path, "not read", seen, "unverifiable", seen.problem or "")
    verdict, says = _says(check, runs, seen)
    return _checked(path, "no digest recorded", seen, verdict, f"{says}; no digest was recorded of it")


def _checked(path: str, state: State, seen: Found, verdict: Verdict | None, reason: str) -> CheckedFile:
    return CheckedFile(path=path, state=state, verdict=verdict, reason=reason, sha256=seen.sha256, report=seen.report)


def _older(file: EvidenceFile, check: Verification, runs: list[Command]) -> Command | None:
    """A command that the file is evidence of, and that started after it was written."""
    written = moment(file.modified)
    mine = [run for run in runs if file in run.files] if file not in check.files else runs
    starts = [(start, run) for run in mine if (start := started(run)) is not None]
    if written is None or not starts or len(starts) < len(mine):
        return None
    first, run = min(starts, key=lambda pair: pair[0])
    return run if written + _SLACK < first else None


def _says(check: Verification, runs: list[Command], seen: Found) -> tuple[Verdict | None, str]:
    report = seen.report
    if report is None:
        return "unverifiable", seen.problem or ""
    if went_wrong(report.counts):
        names = [*report.failing[:_NAMED], *(["…"] if report.unnamed or len(report.failing) > _NAMED else [])]
        which = f": {', '.join(names)}" if names else ""
        verdict, words = _FAILING.get(check.outcome, ("failed", "it counts"))
        return verdict, f"{words} {_numbers(report)}{which}"
    if report.form in TESTS and check.outcome == "pass" and not (report.counts and report.counts.passed):
        return "unverifiable", f"no test ran in it: {_numbers(report)}"
    return None, _content(report, runs)


_FAILING: Final[dict[str, tuple[Verdict | None, str]]] = {
    "pass": ("contradicted", "declared a pass, and it counts"),
    "fail": (None, "declared a failure, and it counts"),
}


def _content(report: Report, runs: list[Command]) -> str:
    if report.coverage is not None:
        covered = report.coverage
        return f"{covered.percent} % of {covered.total} {covered.unit} covered"
    whose = next((run for run in runs if run.output and run.output.sha256 == report.sha256), None)
    if whose is not None:
        return f"all that {whose.command!r} printed"
    return f"it counts {_numbers(report)}" if report.counts else "its digest is all there is to compare"


def _numbers(report: Report) -> str:
    said = told(report.counts) if report.counts else "nothing"
    return "; ".join((said, *report.remarks))
