"""What each verification is worth, computed from the record alone; whatever verdict telemetry brings is ignored.

How each verdict is decided:

* ``not_run``: the verification says so, or the contract requires the check, nothing ran it, and commands were recorded.
* ``failed``: the outcome is a failure; or it is a pass, and a later run of the same command failed. A declared failure
  whose command passed when it was run again later is judged by that later run, and is ``proved`` if that proves it.
* ``claimed``: a pass without evidence, or whose evidence only the agent reports.
* ``contradicted``: a pass whose own evidence failed (result, or exit code other than 0), or for which the contract
  demands another command than the evidence shows.
* ``stale``: it passed on another tree than the final one. Where a tree is not recorded: it started before the last
  edit.
* ``proved``: it was observed to pass on the final tree. Equal trees decide, whatever the clock says: an edit that left
  the tree as it was changed nothing that git sees. Where a tree is not recorded: it started after the last edit, the
  time of every edit is known, and the capture has no gap an edit could hide in.
* ``unverifiable``: neither can be told: the result is unknown, the evidence is not a command of this record, a tree is
  not recorded and the order of edits is not known either; nothing seen ran it, and telemetry hides what ran.

A verification that nobody declared, derived from a command line, says itself what became of that one run.

"The run" is the last one: of every command line cited as evidence, the last run with a result counts, cited or not.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable
from typing import Final, NamedTuple

from agent_otel.model.record import Command, Verdict, Verification, VerificationOutcome
from agent_otel.review.ground import Ground, counted, started
from agent_otel.review.wording import line

_ALTERED: Final = ("[REDACTED:", " bytes cut, sha256 ")
"""Signs in a command line that the SDK masked or cut it, so that a glob need not match any more."""


class Judgement(NamedTuple):
    """A verdict, and the sentence that gives its reason."""

    verdict: Verdict
    reason: str


def judgement(verification: Verification, base: Ground) -> Judgement:
    """What ``verification`` is worth on the ground of its record; see the module for the rules."""
    if verification.derived and verification.outcome != "not_run":
        return _derived(verification, base)
    return _BY_OUTCOME[verification.outcome](verification, base)


def _derived(verification: Verification, base: Ground) -> Judgement:
    run = next(iter(_cited(verification, base)), None)
    if run is None:
        return Judgement("unverifiable", "its command is not in this record")
    said = "; ".join(filter(None, (line(run), verification.reason)))
    if verification.outcome == "fail":
        return Judgement("failed", said)
    if verification.outcome == "unknown":
        return Judgement("unverifiable", said)
    if not _observed(verification, run):
        return Judgement("claimed", f"the agent reports it, nobody saw it: {said}")
    return on_final(run, said, base)


def _not_run(verification: Verification, base: Ground) -> Judgement:
    if base.hidden and not verification.reason and not verification.span:
        return Judgement("unverifiable", f"nothing seen ran it, and commands may be missing: {', '.join(base.hidden)}")
    return Judgement("not_run", verification.reason or "nothing in the record ran it")


def _unknown(verification: Verification, base: Ground) -> Judgement:
    failed = next((run for run in counted(_cited(verification, base), base) if _failed(run)), None)
    if failed is not None:
        return Judgement("failed", line(failed))
    return Judgement("unverifiable", "its outcome was not recorded")


def _fail(verification: Verification, base: Ground) -> Judgement:
    cited = _cited(verification, base)
    runs = counted(cited, base)
    if any(_failed(run) for run in cited) and runs != cited:
        later = _run_decides(verification, runs, base)
        if later.verdict == "proved":
            return Judgement("proved", f"failed at first; {later.reason}")
    return Judgement("failed", "; ".join(line(run) for run in runs if _failed(run)) or _stated(verification))


def _pass(verification: Verification, base: Ground) -> Judgement:
    cited = _cited(verification, base)
    if not cited:
        return _without_command(verification)
    failed = next((run for run in counted(cited, base) if _failed(run)), None)
    if failed is not None:
        return Judgement("contradicted" if failed in cited else "failed", f"declared a pass, but {line(failed)}")
    return _other_command(verification, cited, base) or _run_decides(verification, counted(cited, base), base)


_BY_OUTCOME: Final[dict[VerificationOutcome, Callable[[Verification, Ground], Judgement]]] = {
    "not_run": _not_run,
    "unknown": _unknown,
    "fail": _fail,
    "pass": _pass,
}


def _cited(verification: Verification, base: Ground) -> list[Command]:
    """The commands of the record that the verification names as its evidence, in the order of the run."""
    names = {verification.command_id or "", *verification.evidence} & base.commands.keys()
    return [base.commands[name] for name in sorted(names, key=base.order.__getitem__)]


def _without_command(verification: Verification) -> Judgement:
    if verification.files:
        named = ", ".join(file.path for file in verification.files)
        return Judgement("unverifiable", f"no command shows what {named} was made on; 'agent-otel verify' reads it")
    if verification.evidence or verification.command_id:
        named = ", ".join(verification.evidence or (verification.command_id or "",))
        return Judgement("unverifiable", f"its evidence is not a command of this record: {named}")
    return Judgement("claimed", "said to pass, without evidence")


def _other_command(verification: Verification, cited: list[Command], base: Ground) -> Judgement | None:
    """A judgement where the contract names the command of this check and the evidence shows another one."""
    glob = base.globs.get(verification.check)
    if glob is None or any(fnmatch.fnmatchcase(command.command, glob) for command in cited):
        return None
    shown = ", ".join(command.command for command in cited)
    if any(sign in command.command for command in cited for sign in _ALTERED):
        return Judgement("unverifiable", f"the contract demands {glob}; the recorded line was masked or cut: {shown}")
    return Judgement("contradicted", f"the contract demands {glob}, the evidence shows {shown}")


def _run_decides(verification: Verification, runs: list[Command], base: Ground) -> Judgement:
    """The judgement on runs none of which failed: the weakest of what can be said of each."""
    return max((_run(verification, run, base) for run in runs), key=lambda judged: _WEAKNESS[judged.verdict])


_WEAKNESS: Final[dict[Verdict, int]] = {"proved": 0, "stale": 2, "claimed": 3, "unverifiable": 1, "failed": 4}


def _run(verification: Verification, run: Command, base: Ground) -> Judgement:
    if _failed(run):
        return Judgement("failed", line(run))
    if run.result != "passed":
        return Judgement("unverifiable", line(run))
    if not _observed(verification, run):
        return Judgement("claimed", f"the agent reports it, nobody saw it: {line(run)}")
    return on_final(run, line(run), base)


def on_final(run: Command, said: str, base: Ground) -> Judgement:
    """The judgement on a run that passed: whether it ran on what the run left."""
    if run.tree is not None and base.final_tree is not None:
        return _by_tree(run.tree, said, base.final_tree)
    return _by_time(run, said, base)


def _by_tree(tree: str, said: str, final_tree: str) -> Judgement:
    if tree == final_tree:
        return Judgement("proved", f"{said}, on the final tree")
    return Judgement("stale", f"{said}, but on tree {tree[:12]}; the final tree is {final_tree[:12]}")


def _by_time(run: Command, said: str, base: Ground) -> Judgement:
    """Without trees the order of runs and edits has to do."""
    start = started(run)
    if base.last_edit is not None and start is not None and start < base.last_edit:
        return Judgement("stale", f"{said}, but files were edited after it started")
    if not base.gapless or base.edits == "untimed" or (start is None and base.last_edit is not None):
        return Judgement("unverifiable", f"{said}, but whether on the final files was not recorded")
    return Judgement("proved", f"{said}, after the last edit (trees were not recorded)")


def _failed(run: Command) -> bool:
    """True when a run cannot stand for a pass; a refused or missing program proves nothing ever ran."""
    return run.result in ("failed", "timed_out", "denied", "not_started") or run.exit_code not in (None, 0)


def _observed(verification: Verification, run: Command) -> bool:
    if run.observer is not None:
        return run.observer != "agent"
    return verification.level not in (None, "claimed")


def _stated(verification: Verification) -> str:
    return verification.reason or "said to fail"
