"""A run's evidence, verified: every check and claim held against the files and the repository that are there.

A verdict can only fall: what the record itself says of a check stands, unless a file, the tree or the numbers leave
less of it. The weakest counts, so that neither the order of evidence nor more of it hides a failure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

import msgspec
from msgspec.structs import replace

from agent_otel.model.record import Claim, Command, Counts, Level, RunRecord, Verdict, Verification
from agent_otel.review.claims import held
from agent_otel.review.reports.report import told
from agent_otel.review.reports.table import TESTS
from agent_otel.review.sentences import sentences
from agent_otel.review.standing import standings
from agent_otel.review.testpaths import relies_on_tests
from agent_otel.review.verified.files import CheckedFile, Digests, checked_files
from agent_otel.review.verified.found import Found, Place, cited
from agent_otel.review.verified.weakened import ChangedTest, recorded_tests

WEAKNESS: Final[dict[Verdict, int]] = {
    "proved": 0, "unverifiable": 1, "claimed": 2, "stale": 3, "not_run": 4, "failed": 5, "contradicted": 6,
}  # fmt: skip
_SHORT: Final = 12


class VerifiedCheck(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A verification, and what is left of it.

    ``recorded`` is the verdict by the record alone. ``reasons`` gives the record's own first, then what the evidence
    adds. ``counts`` says whether this is the one of its check that decides, of several. ``tests`` are those that the
    run changed, where the check relies on tests.
    """

    id: str
    check: str
    verdict: Verdict
    recorded: Verdict
    level: Level | None = None
    required: bool = False
    counts: bool = False
    reasons: tuple[str, ...] = ()
    files: tuple[CheckedFile, ...] = ()
    tests: tuple[ChangedTest, ...] = ()


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """What is left of a run's checks and claims; ``unproved`` says exactly which of these are not proved."""

    run_id: str
    proved: bool
    unproved: tuple[str, ...] = ()
    final_tree: str | None = None
    trees: tuple[str, ...] = ()
    checks: tuple[VerifiedCheck, ...] = ()
    claims: tuple[Claim, ...] = ()
    tests_known: bool = False


def verify(record: RunRecord, found: Mapping[str, Found], place: Place = Place()) -> Verified:  # noqa: B008 - frozen
    """What the evidence of a judged record is worth beside what was found.

    Args:
        record: a judged record.
        found: the files that its evidence names, by path.
        place: the repository they lie in.
    """
    commands = {command.id: command for command in record.commands}
    own = [file for check in record.verifications for file in check.files]
    digests = Digests.of([*own, *(file for command in record.commands for file in command.files)])
    looked = [(check, checked_files(check, commands, found, digests)) for check in record.verifications]
    base = _Base(record, commands, place)
    left = tuple(_left(check, files, base) for check, files in looked)
    after = replace(record, verifications=tuple(each.check for each in left))
    claims = tuple(held(claim, after) for claim in _claims(after))
    counting = {standing.verification.id for standing in standings(after) if standing.verification}
    tests = recorded_tests(record) if place.tests is None else place.tests
    resting = {each.check.id for each in left if relies_on_tests(each.check, cited(each.check, commands))}
    checks = tuple(
        _entry(each, tests if each.check.id in resting else (), counts=each.check.id in counting) for each in left
    )
    unproved = tuple(_unproved(after, claims))
    return Verified(
        run_id=record.run_id,
        proved=not unproved,
        unproved=unproved,
        final_tree=record.final.tree,
        trees=place.trees,
        checks=checks,
        claims=claims,
        tests_known=place.tests is not None,
    )


class _Base(NamedTuple):
    record: RunRecord
    commands: dict[str, Command]
    place: Place


class _Judged(NamedTuple):
    verdict: Verdict
    reason: str


class _Left(NamedTuple):
    """A verification with what is left of its verdict, why, and what the record had said."""

    check: Verification
    files: tuple[CheckedFile, ...]
    recorded: Verdict
    reasons: tuple[str, ...]


def _left(check: Verification, files: tuple[CheckedFile, ...], base: _Base) -> _Left:
    """The verification with the verdict that is left of it, the numbers of its reports, and its level."""
    numbers = _numbers(files)
    judged = [*_by_files(files), *_by_numbers(check, numbers), *_by_tree(check, base), *_by_itself(check, files, base)]
    own = _Judged(check.verdict or "unverifiable", check.verdict_reason or "its verdict is not known")
    worst = max((own, *judged), key=lambda each: WEAKNESS[each.verdict])
    reasons = tuple(dict.fromkeys((own.reason, *(each.reason for each in judged))))
    after = replace(
        check,
        verdict=worst.verdict,
        verdict_reason="; ".join(reasons),
        counts=numbers if _as_many(numbers, check.counts) else check.counts,
        kind=check.kind or ("test" if numbers else None),
        level=_level(check, files, base),
    )
    return _Left(after, files, own.verdict, reasons)


def _by_files(files: tuple[CheckedFile, ...]) -> Iterator[_Judged]:
    for file in files:
        if file.verdict is not None:
            yield _Judged(file.verdict, f"{file.path}: {file.reason}")


def _by_numbers(check: Verification, numbers: Counts | None) -> Iterator[_Judged]:
    """What the reports count, beside what the output and the check's own words say."""
    if numbers is None:
        return
    passed, skipped = numbers.passed or 0, numbers.skipped or 0
    said = next((each.number for each in sentences(check.reason or "") if each.number is not None), None)
    if said is not None and said not in (passed, passed + skipped):
        yield _Judged("contradicted", f"it says {said} passed, and its reports count {told(numbers)}")
    if not _as_many(numbers, check.counts):
        printed = told(check.counts or Counts())
        yield _Judged("unverifiable", f"its output counts {printed}, and its reports only {told(numbers)}")


def _as_many(numbers: Counts | None, printed: Counts | None) -> bool:
    """Whether reports have all that an output counts; they may have more, where they count parts of tests."""
    return numbers is not None and (numbers.passed or 0) >= ((printed and printed.passed) or 0)


def _by_tree(check: Verification, base: _Base) -> Iterator[_Judged]:
    """A check that holds on the tree which the run left, where another one is there now."""
    final, here = base.record.final.tree, base.place.trees
    if check.verdict == "proved" and final is not None and here and final not in here:
        was, now = final[:_SHORT], here[0][:_SHORT]
        yield _Judged("stale", f"the run left tree {was}, and the repository is at {now}")


def _by_itself(check: Verification, files: tuple[CheckedFile, ...], base: _Base) -> Iterator[_Judged]:
    """What makes a check stale that nothing else may have: its own report, where git does not ignore it."""
    changed = {file.path for file in base.record.changed_files}
    mine = [file.path for file in files if file.path in changed]
    if check.verdict == "stale" and mine:
        yield _Judged("stale", f"{mine[0]} is itself part of the tree that the run left: let git ignore reports")


def _numbers(files: tuple[CheckedFile, ...]) -> Counts | None:
    """The tests in all reports of a check together; None where it has none that is as it was recorded."""
    counted = [
        file.report.counts
        for file in files
        if file.report and file.report.form in TESTS and file.report.counts and file.state in _TRUSTED
    ]
    if not counted:
        return None
    fields = Counts.__struct_fields__
    return Counts(**{name: sum(getattr(each, name) or 0 for each in counted) for name in fields})


_TRUSTED: Final = ("as recorded", "no digest recorded")


def _level(check: Verification, files: tuple[CheckedFile, ...], base: _Base) -> Level | None:
    """Bound where every file with a digest still has it; otherwise what was seen of the command alone."""
    if check.level != "bound":
        return check.level
    digested = [file for file in files if file.state != "no digest recorded"]
    if digested and all(file.state == "as recorded" for file in digested):
        return "bound"
    run = base.commands.get(check.command_id or "")
    return "claimed" if run is None or run.observer == "agent" else "observed"


def _entry(left: _Left, tests: tuple[ChangedTest, ...], *, counts: bool) -> VerifiedCheck:
    check = left.check
    return VerifiedCheck(
        id=check.id,
        check=check.check,
        verdict=check.verdict or "unverifiable",
        recorded=left.recorded,
        level=check.level,
        required=check.required,
        counts=counts,
        reasons=left.reasons,
        files=left.files,
        tests=tests,
    )


def _claims(record: RunRecord) -> Iterator[Claim]:
    """What the run says of itself: its last words, and the status of its handoff."""
    yield from record.claims
    if record.handoff is not None and record.handoff.status:
        yield Claim(text=record.handoff.status)


def _unproved(record: RunRecord, claims: tuple[Claim, ...]) -> Iterator[str]:
    checks = standings(record)
    if not checks:
        yield "nothing was checked"
    for check in checks:
        if check.verdict != "proved":
            reason = (check.verification and check.verification.verdict_reason) or "nothing in the record ran it"
            yield f"{check.check}: {check.verdict.replace('_', ' ')}: {reason}"
    for claim in claims:
        for stated in claim.statements:
            if stated.verdict == "contradicted":
                yield f'"{stated.text}": contradicted: {stated.verdict_reason}'
