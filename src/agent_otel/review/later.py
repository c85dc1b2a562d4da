"""What evidence is worth that was brought to a run after it: a matter of which state of the code it is about.

A result on the state that the run left proves or fails the check. One on another state is ``stale``, whichever way it
went. One on a merge of what the run left with something else cannot prove the run's own state, and a failure there
counts: it is the first to look at. Where nobody knows the state, a failure counts and a pass proves nothing.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from agent_otel.model.record import Added, Final as FinalState, Level, Verdict, Verification
from agent_otel.review.wording import count

State = Literal["final", "merge", "other", "unknown"]
"""Which state of the code a result is about: the one that the run left, a merge of it, another, or nobody knows."""

CI: Final = "ci"
"""The source of what a build server says."""

SHORTEST: Final = 7
"""Digits of an abbreviated id that are enough to know what it stands for, as git prints them."""


class Worth(NamedTuple):
    """What a piece of evidence is worth, and the sentence that gives the reason."""

    level: Level
    verdict: Verdict
    reason: str


def worth(verification: Verification, added: Added, final: FinalState) -> Worth:
    """What evidence is worth, given the state that its run left."""
    state = state_of(verification.tree, added, final)
    level = _level(verification, added, state)
    return Worth(level, _VERDICTS[verification.outcome](state, level), _reason(verification, added, state, final))


def state_of(tree: str | None, added: Added, final: FinalState) -> State:
    """Which state a result on this tree and commit is about. Trees decide: equal ones are the same code."""
    if tree and final.tree and same(tree, final.tree):
        return "final"
    if final.commit and final.dirty is False:
        if added.commit and same(added.commit, final.commit):
            return "final"
        if added.merge_of and same(added.merge_of, final.commit):
            return "merge"
    if tree and final.tree:
        return "other"
    if not added.commit or not final.commit or final.dirty is None:
        return "unknown"
    # What was left uncommitted may be in any later commit, but not in the one that it was an edit of.
    return "other" if not final.dirty or same(added.commit, final.commit) else "unknown"


def same(one: str, other: str) -> bool:
    """True where two ids of git are one, of which either may be abbreviated."""
    short, long = sorted((one.casefold(), other.casefold()), key=len)
    return short == long or (len(short) >= SHORTEST and long.startswith(short))


def _level(verification: Verification, added: Added, state: State) -> Level:
    """Attested where a build server says so of the state that the run left; else by what there is to show."""
    if added.source.casefold() == CI:
        return "attested" if state == "final" else "observed"
    return "bound" if any(file.sha256 for file in verification.files) else "claimed"


def _pass(state: State, level: Level) -> Verdict:
    if state == "final":
        return "claimed" if level == "claimed" else "proved"
    return "unverifiable" if state == "unknown" else "stale"


def _fail(state: State, _level: Level) -> Verdict:
    return "stale" if state == "other" else "failed"


def _unknown(_state: State, _level: Level) -> Verdict:
    return "unverifiable"


def _not_run(_state: State, _level: Level) -> Verdict:
    return "not_run"


_VERDICTS: Final = {"pass": _pass, "fail": _fail, "unknown": _unknown, "not_run": _not_run}
"""Outcome to the verdict, by state and level."""


def _reason(verification: Verification, added: Added, state: State, final: FinalState) -> str:
    """Such as ``ci (bot), 2026-05-18T10:00:00.000Z: exit 1, 41 passed; on commit 8f2c19a, which the run left``."""
    who = f"{added.source} ({added.by})" if added.by else added.source
    heading = f"{who}, {added.at}" if added.at else who
    said = ", ".join(filter(None, [*_numbers(verification, added), verification.reason])) or _SAID[verification.outcome]
    return f"{heading}: {said}; {_where(verification.tree, added, state, final)}"


_SAID: Final = {"pass": "passed", "fail": "failed", "unknown": "its outcome was not recorded", "not_run": "did not run"}


def _numbers(verification: Verification, added: Added) -> list[str]:
    found = [] if added.exit_code is None else [f"exit {added.exit_code}"]
    if counts := verification.counts:
        numbers = ((counts.passed, "passed"), (counts.failed, "failed"), (counts.skipped, "skipped"))
        found += [f"{number} {word}" for number, word in numbers if number is not None]
        found += [count(counts.errors, "error")] if counts.errors else []
    return found


def _where(tree: str | None, added: Added, state: State, final: FinalState) -> str:
    shown = f"commit {added.commit[:12]}" if added.commit else f"tree {tree[:12]}" if tree else ""
    if state == "final":
        return f"on {shown}, which the run left"
    if state == "merge":
        return f"on {shown or 'a commit'}, a merge of {(final.commit or '')[:12]}, which the run left"
    if state == "other":
        left = f"tree {final.tree[:12]}" if final.tree and tree else f"commit {(final.commit or '')[:12]}"
        return f"on {shown}; the run left {left}{' and uncommitted edits' if final.dirty else ''}"
    if not shown:
        return "on which state of the code was not recorded"
    return f"on {shown}; whether the run left that was not recorded"
