"""Puts fingerprints on the failures and findings of a record.

A fingerprint is ``what:whom:where:digest``: the rule of a finding or the kind of a failure; the check, program or tool;
the area of the repository; and a digest of the normalised error, where there is one. It holds nothing of one run, one
machine or one agent, so that the same failure has the same fingerprint wherever it is seen.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from msgspec.structs import replace

from agent_otel.model.record import Command, Failure, Finding, RunRecord, Verification
from agent_otel.review.fingerprints.areas import ROOT, area
from agent_otel.review.fingerprints.normalise import MOST_READ, PATH, normalised
from agent_otel.review.fingerprints.programs import program
from agent_otel.review.fingerprints.telling import places, telling

NONE: Final = "-"
"""Stands for a part that there is not."""

_NOT_SLUG: Final = re.compile(r"[^a-z0-9._+@/-]+")
_LONGEST: Final = 40


class Error(NamedTuple):
    """An error apart from where and when it was seen; ``text`` is empty where nothing tells it."""

    whom: str = ""
    where: str = ROOT
    text: str = ""


def fingerprinted(record: RunRecord) -> RunRecord:
    """The record with the fingerprints of its failures and findings; twice equals once."""
    errors = _Errors(record)
    failures = tuple(
        replace(failure, fingerprint=_fingerprint(_kind(failure), errors.of_failure(failure)))
        for failure in record.failures
    )
    findings = tuple(
        replace(finding, fingerprint=_fingerprint(finding.rule, errors.of_finding(finding)))
        for finding in record.findings
    )
    return replace(record, failures=failures, findings=findings)


def _fingerprint(what: str, error: Error) -> str:
    digest = hashlib.sha256(error.text.encode("utf-8", "surrogatepass")).hexdigest()[:8] if error.text else NONE
    return ":".join((_slug(what), _slug(error.whom), _slug(error.where), digest))


def _slug(text: str) -> str:
    return _NOT_SLUG.sub("-", text.lower()).strip("-")[:_LONGEST] or NONE


def _kind(failure: Failure) -> str:
    return "command" if failure.command else "tool" if failure.tool else "run"


class _Errors:
    """The errors that the entries of a record stand for."""

    def __init__(self, record: RunRecord) -> None:
        self._commands = {command.id: command for command in record.commands}
        self._failures = {failure.id: failure for failure in record.failures}
        self._checks = {check.id: check for check in record.verifications}
        self._required = {check.name for check in record.task.required_checks}
        self._tools = {f"gates[{place}]": gate.tool for place, gate in enumerate(record.gates)}
        changed = (file.path for file in record.changed_files)
        self._paths = frozenset((*changed, *(file.path for file in record.files_inspected)))
        self._seen: dict[str, Error] = {}

    def of_failure(self, failure: Failure) -> Error:
        """What failed there: what its command printed tells more than what was said of it."""
        command = self._commands.get(failure.command_id or "")
        if command is not None and command.output is not None and command.output.tail:
            return self._of_command(command)
        said = failure.error or failure.error_type or ""
        whom = program(failure.command) if failure.command else failure.tool or failure.error_type or ""
        return Error(whom, self._area(said, None), normalised(said))

    def of_finding(self, finding: Finding) -> Error:
        """What the finding is about, by the first entry that it names."""
        return next(self._named(finding), Error())

    def _named(self, finding: Finding) -> Iterator[Error]:
        for ref in finding.refs:
            if ref in self._failures:
                yield self.of_failure(self._failures[ref])
            elif ref in self._checks:
                yield self._of_check(self._checks[ref])
            elif ref in self._required:
                yield Error(ref)
            elif ref in self._tools:
                yield Error(self._tools[ref])
            elif ref in self._paths:
                yield Error(where=area(ref) or ROOT)

    def _of_check(self, check: Verification) -> Error:
        """A check that failed failed with an error; one that did not run, or not on the final files, has none."""
        command = self._commands.get(check.command_id or "")
        if check.outcome != "fail" or command is None:
            return Error(check.check)
        return self._of_command(command)._replace(whom=check.check)

    def _of_command(self, command: Command) -> Error:
        if command.id not in self._seen:
            output = (command.output and command.output.tail) or ""
            line = telling(output) or ""
            text = normalised(line) or (f"exit code {command.exit_code}" if command.exit_code else command.result)
            named = [line, *(" ".join(names) for names in places(output))]
            areas = (self._area(each, command.directory) for each in named)
            where = next((found for found in areas if found != ROOT), ROOT)
            self._seen[command.id] = Error(program(command.command), where, text)
        return self._seen[command.id]

    def _area(self, text: str, directory: str | None) -> str:
        """The area of the files that a text names: the first in the alphabet, since tools name them in any order."""
        found = (area(match[0], directory=directory, known=self._paths) for match in PATH.finditer(text[:MOST_READ]))
        return min((each for each in found if each not in (None, ROOT)), default=ROOT)
