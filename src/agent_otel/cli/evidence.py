"""``agent-otel evidence``."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import click

from agent_otel.cli.chosen import READABLE
from agent_otel.cli.console import print_lines
from agent_otel.cli.moments import Moment
from agent_otel.cli.telling import Event, Said, Where, from_outside, masker, tell, user, where_options
from agent_otel.compaction.shell.counts import clean, counts, failing
from agent_otel.errors import AgentOtelError, DecodeError
from agent_otel.model import names
from agent_otel.model.record import RunRecord, VerificationOutcome
from agent_otel.otlp.statement import Value
from agent_otel.review.later import same
from agent_otel.review.reports.report import Report
from agent_otel.review.reports.table import COVERAGE, TESTS, read_report
from agent_otel.review.told import Told, told
from agent_otel.sdk.git import Repository
from agent_otel.text.truncation import tail

TAIL: Final = 2000
"""Bytes of a log's end that are kept; never more of any file."""

_HEX: Final = re.compile("[0-9a-fA-F]{7,64}")
_OTHERS: Final = "expected --junit, --exit-code or --log: what came of the check"
_INSIDE: Final = "evidence is what others bring to a run: inside of it, use agent-otel exec"


class GitId(click.ParamType[str]):
    """The id of a commit or tree, seven digits at least."""

    name = "id"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The id in small letters."""
        if not _HEX.fullmatch(value):
            self.fail(f"expected 7 to 64 hexadecimal digits, as git prints ids, got {value!r}", param, ctx)
        return str(value).lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Which check was run, on which state of the code, and by whom it is said."""

    check: str
    source: str
    by: str
    tree: str
    commit: str
    merge_of: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """What the files and the exit code say: the outcome, the files by their digests, coverage, the end of a log."""

    told: Told
    exit_code: int | None
    files: tuple[str, ...]
    coverage: float | None
    tail: str


@click.group
def evidence() -> None:
    """About what others saw of a run: results that come after the handoff."""


@evidence.command
@click.argument("run")
@click.option("--check", required=True, metavar="NAME", help="The check that ran, as the contract or the run names it.")
@click.option("--junit", multiple=True, type=READABLE, metavar="FILE", help="Its report in JUnit XML; several add up.")
@click.option("--exit-code", type=click.IntRange(-255, 255), help="The exit code of its command.")
@click.option(
    "--log", type=READABLE, metavar="FILE", help="What it printed; digest and end are kept, with secrets masked."
)
@click.option("--coverage", type=READABLE, metavar="FILE", help="Coverage: Cobertura, coverage.py's JSON, lcov, Go.")
@click.option("--source", default="ci", show_default=True, metavar="NAME", help="Who ran it: ci, or another word.")
@click.option("--by", metavar="WHO", help="Who adds it; by default the user of this process.")
@click.option("--at", type=Moment(), help="When it ran: 5m, or a time in UTC; by default now.")
@click.option("--tree", type=GitId(), help="The git tree it ran on.")
@click.option("--commit", type=GitId(), help="The commit it ran on; its tree is looked up in the repository here.")
@click.option(
    "--merge-of", type=GitId(), help="The commit of the run, where --commit is a merge of it; looked up, too."
)
@where_options
@click.option("--json", "as_json", is_flag=True, help="Print what was added as JSON.")
def add(  # noqa: PLR0913 - one for each option
    *,
    run: str,
    junit: tuple[Path, ...],
    exit_code: int | None,
    log: Path | None,
    coverage: Path | None,
    at: str | None,
    where: Where,
    as_json: bool,
    **about: str | None,
) -> None:
    """Add the result of a check to RUN after it has ended: what CI saw, or a reviewer.

    RUN is a run id, the beginning of one, or "last"; with --endpoint the whole id. The record then says who said so and
    when, and what it is worth: a result on the very state that the run left proves the check or fails it.
    """
    if not junit and exit_code is None and log is None:
        raise click.UsageError(_OTHERS)
    brought = _brought(junit, exit_code, log, coverage)
    event = Event(
        name=names.EVIDENCE_ADDED, what="evidence", say=partial(_said, about, brought, at), known=_known, at=at
    )
    done = tell(run, event, where)
    if as_json:
        done.print_json("evidence")
    else:
        print_lines([f"{about['check']}: {brought.told.outcome}: {done.outcome(event.what)}"])


def _known(record: RunRecord, said: Said) -> bool:
    return any(each.added and each.added.id == said[names.EVIDENCE_ID] for each in record.verifications)


def _subject(about: Mapping[str, str | None], record: RunRecord | None) -> Subject:
    """The state that the check ran on, completed by what git knows of the commit."""
    commit, merge_of = about["commit"] or "", about["merge_of"] or ""
    tree = about["tree"] or ""
    repository = Repository.find(Path.cwd()) if commit else None
    found = repository.found(commit) if repository else None
    if found is not None:
        commit, tree = found.commit, tree or found.tree
        left = (record and record.final.commit) or ""
        if left and len(found.parents) > 1:
            merge_of = merge_of or next((parent for parent in found.parents if same(parent, left)), "")
    return Subject(
        check=about["check"] or "",
        source=about["source"] or "",
        by=about["by"] or user(),
        tree=tree,
        commit=commit,
        merge_of=merge_of,
    )


def _brought(junit: Iterable[Path], exit_code: int | None, log: Path | None, coverage: Path | None) -> Brought:
    tests = [(path, _read(path, TESTS)) for path in junit]
    covered = [(path, _read(path, COVERAGE)) for path in ([coverage] if coverage else [])]
    logs = [(path, _read(path, frozenset(["log"]))) for path in ([log] if log else [])]
    output = log.read_bytes().decode("utf-8", "replace") if log else ""
    says = _log_says(logs[0][1], output) if logs else None
    mask = masker().mask
    result = told(exit_code, [report for _, report in tests], says)
    failed = tuple(mask(name)[0] for name in result.failing)
    counted = result.counts if result.counts is not None or not logs else logs[0][1].counts
    share = covered[0][1].coverage if covered else None
    return Brought(
        told=result._replace(failing=failed, counts=counted),
        exit_code=exit_code,
        files=tuple(_file(path, report) for path, report in (*tests, *logs, *covered)),
        coverage=share.percent if share else None,
        tail=tail(mask(output)[0], TAIL).text,
    )


def _log_says(log: Report, output: str) -> VerificationOutcome:
    if failing(output) or (log.counts is not None and (log.counts.failed or log.counts.errors)):
        return "fail"
    return "pass" if clean(log.counts, output) else "unknown"


def _read(path: Path, expected: frozenset[Any]) -> Report:
    try:
        return read_report(path.read_bytes(), tally=counts, expected=expected)
    except AgentOtelError as exc:
        message = f"{path}: {exc}"
        raise DecodeError(message) from exc


def _file(path: Path, report: Report) -> str:
    shown = path.name if path.is_absolute() else path.as_posix()
    return json.dumps({"path": shown, "sha256": report.sha256, "bytes": report.size})


def _said(
    about: Mapping[str, str | None], brought: Brought, at: str | None, run_id: str, record: RunRecord | None
) -> Said:
    """What the event says; its id is that of the same evidence added again, by whomever."""
    from_outside(run_id, _INSIDE)
    subject = _subject(about, record)
    said = brought.told
    tallied = said.counts
    content: dict[str, Value | None] = {
        names.RUN_ID: run_id,
        names.VERIFICATION_CHECK: subject.check,
        names.VERIFICATION_OUTCOME: said.outcome,
        names.VERIFICATION_REASON: said.reason,
        names.VERIFICATION_FILES: brought.files,
        names.EVIDENCE_SOURCE: subject.source,
        names.EVIDENCE_COMMIT: subject.commit,
        names.EVIDENCE_TREE: subject.tree,
        names.EVIDENCE_MERGE_OF: subject.merge_of,
        names.EVIDENCE_EXIT_CODE: brought.exit_code,
        names.EVIDENCE_PASSED: tallied.passed if tallied else None,
        names.EVIDENCE_FAILED: tallied.failed if tallied else None,
        names.EVIDENCE_SKIPPED: tallied.skipped if tallied else None,
        names.EVIDENCE_ERRORS: tallied.errors if tallied else None,
        names.EVIDENCE_COVERAGE: brought.coverage,
        names.EVIDENCE_FAILING: said.failing,
    }
    identity = json.dumps([content, at], sort_keys=True)
    known = {names.EVIDENCE_ID: hashlib.sha256(identity.encode()).hexdigest()[:32]}
    return {**content, **known, names.EVIDENCE_BY: subject.by, names.EVIDENCE_TAIL: brought.tail}
