"""A record held to a contract that its run may never have seen.

The contract of the repository owns what it states: it replaces what the run said of the same, and a run of an agent
that nobody decorated is judged by it as one of the SDK is. What it does not state stays as the run had it.
"""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Final

from msgspec.structs import replace

from agent_otel.errors import SettingsError, suggestion
from agent_otel.model.contract import Contract, RequiredCheck, RuleChoice
from agent_otel.model.record import (
    Budget,
    Check,
    Command,
    CommandResult,
    Finding,
    RunRecord,
    Task,
    Verification,
    VerificationOutcome,
)
from agent_otel.review.audit import Audit, Ignored
from agent_otel.review.globs import first_match
from agent_otel.review.judge import judge
from agent_otel.review.rules.table import RULES
from agent_otel.review.standing import speaks_for

_STATED: Final = ("scope", "exclusions", "off_limits", "acceptance", "branch", "active_behavior")


def audit(record: RunRecord, contract: Contract) -> Audit:
    """The record judged under the contract, with the findings that its rules let count."""
    judged = under(record, contract)
    choice = contract.rules
    counting = tuple(_weighed(each, choice) for each in judged.findings if _counts(each, choice))
    ignored = (Ignored(each, choice.ignore[each.rule]) for each in judged.findings if each.rule in choice.ignore)
    return Audit(replace(judged, findings=counting), tuple(ignored))


def under(record: RunRecord, contract: Contract) -> RunRecord:
    """The record as if its run had been held to the contract, judged anew; twice equals once."""
    owned = [(Check(name=each.name, command=each.command), _applies(each, record)) for each in contract.required_checks]
    task = _task(record, contract, [check for check, applies in owned if applies])
    held = replace(record, task=task, budgets=_budgets(record, contract))
    verifications = _verifications(held, [check for check, applies in owned if not applies])
    ran = {entry.check for entry in verifications if entry.outcome != "not_run"}
    skipped = (entry.id for entry in verifications if entry.outcome == "not_run" and entry.check not in ran)
    return judge(replace(held, verifications=verifications, skipped_checks=tuple(skipped)))


def known_rules(contract: Contract, *, source: str) -> None:
    """Holds the rules that a contract names against those there are.

    Raises:
        SettingsError: one is unknown; the message names the nearest.
    """
    known = [rule.id for rule in RULES]
    for name in contract.rules.named:
        if name not in known:
            message = f"{source}: rules: unknown rule {name!r}; {suggestion(name, known)}"
            raise SettingsError(message)


def _counts(finding: Finding, choice: RuleChoice) -> bool:
    return finding.rule not in choice.ignore and (not choice.select or finding.rule in choice.select)


def _weighed(finding: Finding, choice: RuleChoice) -> Finding:
    return replace(finding, severity=choice.severity.get(finding.rule, finding.severity))


def _applies(check: RequiredCheck, record: RunRecord) -> bool:
    paths = (path for file in record.changed_files for path in (file.path, file.old_path) if path)
    return not check.paths or any(first_match(path, check.paths) for path in paths)


def _task(record: RunRecord, contract: Contract, demanded: list[Check]) -> Task:
    stated = {name: value for name in _STATED if (value := getattr(contract, name))}
    owned = {check.name for check in contract.required_checks}
    own = [check for check in record.task.required_checks if check.name not in owned]
    objective = record.task.objective or contract.objective
    return replace(record.task, **stated, objective=objective, required_checks=(*demanded, *own))


def _budgets(record: RunRecord, contract: Contract) -> dict[str, Budget]:
    found = dict(record.budgets)
    measured = _measured(record)
    for name in contract.budgets.__struct_fields__:
        limit = getattr(contract.budgets, name)
        if limit is not None:
            said = found.get(name, Budget())
            consumed = said.consumed if said.consumed is not None else measured.get(name)
            over = consumed is not None and consumed > limit
            found[name] = Budget(limit=float(limit), consumed=consumed, exceeded=over)
    return found


def _measured(record: RunRecord) -> dict[str, float]:
    """What the record itself shows of a budget; nobody knows the steps of an agent that does not count them."""
    usage, spent = record.usage, dict[str, float]()
    if usage.input_tokens is not None or usage.output_tokens is not None:
        spent["tokens"] = float((usage.input_tokens or 0) + (usage.output_tokens or 0))
    if record.duration_s is not None:
        spent["wall_time"] = record.duration_s
    return spent | {"tool_calls": float(sum(tool.calls for tool in record.tool_calls))}


def _verifications(record: RunRecord, waived: list[Check]) -> tuple[Verification, ...]:
    """Those of the record, as the required checks make of them, then what the record does not have of these.

    Where the contract says of a check that this run does not owe it (``waived``), what the run was told is no demand.
    """
    required = record.task.required_checks
    entries = [
        replace(entry, required=demanded or (entry.required and not spared))
        for entry in record.verifications
        for demanded, spared in [(_among(required, entry), _among(waived, entry))]
        if not (_silent(entry) and (demanded or (entry.required and spared)))
    ]
    number = max((int(entry.id[1:]) for entry in entries if entry.id[1:].isdecimal()), default=0)
    # What only says that nothing was seen stands last, so that saying it anew moves nothing.
    for find in (_untold, _unseen):
        for check in required:
            entry = find(check, entries, record)
            if entry is not None:
                number += 1
                entries.append(replace(entry, id=f"v{number}"))
    return tuple(entries)


def _among(checks: Iterable[Check], entry: Verification) -> bool:
    return any(speaks_for(entry, check) for check in checks)


def _silent(entry: Verification) -> bool:
    """True for what only says that nothing was seen of a check; it is said anew of those that are required now."""
    return entry.outcome == "not_run" and not (entry.span or entry.reason or entry.derived)


def _untold(check: Check, entries: list[Verification], record: RunRecord) -> Verification | None:
    """The last command that is this check, where no verification tells of it."""
    run = next((each for each in reversed(record.commands) if _is(each, check)), None)
    told = [entry for entry in entries if run is not None and run.id in (entry.command_id, *entry.evidence)]
    # Several checks of one line are each a part of it; what the contract names is the line.
    if run is not None and len(told) != 1 and all(entry.derived and entry.check != check.name for entry in told):
        return _whole_line(check, run)
    return None


def _unseen(check: Check, entries: list[Verification], _record: RunRecord) -> Verification | None:
    """That nothing of this check was seen."""
    if any(speaks_for(entry, check) for entry in entries):
        return None
    return Verification(id="", check=check.name, outcome="not_run", required=True)


def _is(run: Command, check: Check) -> bool:
    return bool(check.command) and fnmatchcase(run.command, check.command or "")


_OUTCOMES: Final[dict[CommandResult, VerificationOutcome]] = {
    "passed": "pass",
    "failed": "fail",
    "timed_out": "fail",
    "denied": "not_run",
    "not_started": "not_run",
    "unknown": "unknown",
}


def _whole_line(check: Check, run: Command) -> Verification:
    outcome = _OUTCOMES[run.result]
    seen = "claimed" if run.observer == "agent" else "observed"
    return Verification(
        id="",
        check=check.name,
        outcome=outcome,
        required=True,
        reason=f"command {run.result}" if outcome == "not_run" else None,
        level=None if outcome == "not_run" else seen,  # type: ignore[arg-type]  # one of two words of Level
        command=run.command,
        command_id=run.id,
        tree=run.tree,
        evidence=(run.id,),
        derived=True,
        span=run.span,
    )
