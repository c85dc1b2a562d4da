"""The layers that could have caught a failure: what a record shows of each, and what only a human can say.

The words ask what the setup did, never what the agent should have done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from agent_otel.model.record import RunRecord, Verification
from agent_otel.review.incidents.waste import moment
from agent_otel.review.standing import Standing, counting, speaks_for, standings
from agent_otel.review.wording import count, duration, shortened
from agent_otel.text.terminal import printable

_MOST: Final = 4
_SHORT: Final = 60
_LONG: Final = 100


class Shown(NamedTuple):
    """What the record shows of a layer, and a question where it does not decide; else empty."""

    text: str
    question: str = ""


def _task(record: RunRecord) -> Shown:
    task = record.task
    stated = (("objective", task.objective), ("scope", task.scope), ("acceptance", task.acceptance))
    there = [name for name, value in stated if value]
    missing = [name for name, value in stated if not value]
    shown = f"states {_and(there)}" if there else "states nothing that the record has"
    if not missing:
        return Shown(shown)
    return Shown(f"{shown}; no {_and(missing, 'or')}", f"Would a stated {_and(missing, 'or')} have ruled this out?")


def _rules(record: RunRecord) -> Shown:
    fired = sorted({each.rule for each in record.findings if each.severity != "info"})
    if not fired:
        return Shown("no rule fired", "Which rule would have covered this?")
    more = len(fired) - _MOST
    return Shown(f"fired: {', '.join(fired[:_MOST])}" + (f" and {more} more" if more > 0 else ""))


def _hooks(record: RunRecord) -> Shown:
    denied = sum(gate.outcome == "deny" for gate in record.gates)
    if not record.gates:
        return Shown("no gate decided on a call", "Could a hook have stopped this?")
    return Shown(f"{count(len(record.gates), 'decision')} of gates, {denied} denied")


def _tests(record: RunRecord) -> Shown:
    """The required checks, and what failed though nothing required it; else whatever ran."""
    every = standings(record)
    checks = [each for each in every if each.required or each.verdict == "failed"] or list(every)
    if not checks:
        return Shown("no check ran, and none was required", "Which check would have failed?")
    told = "; ".join(_check(each, record) for each in checks[:_MOST])
    more = len(checks) - _MOST
    open_question = all(check.verdict == "proved" for check in checks)
    return Shown(
        told + (f" and {more} more" if more > 0 else ""),
        "Which check that was not there would have failed?" if open_question else "",
    )


def _check(check: Standing, record: RunRecord) -> str:
    entry = check.verification
    if entry is None or entry.added is None:
        return f"{check.check}: {_verdict(entry)}"
    own = [each for each in record.verifications if each.added is None and _is(each, check, record)]
    inside = _verdict(counting(own) if own else None)
    duty = "" if check.required else ", and nothing required it"
    when = _after(record, entry.added.at)
    return f"{check.check}: {_verdict(entry)} in {entry.added.source}{when}; in the run itself {inside}{duty}"


def _verdict(entry: Verification | None) -> str:
    verdict = ((entry and entry.verdict) or "not_run").replace("_", " ")
    return verdict + (f" ({shortened(printable(entry.reason), _LONG)})" if entry and entry.reason else "")


def _is(entry: Verification, check: Standing, record: RunRecord) -> bool:
    demanded = (each for each in record.task.required_checks if each.name == check.check)
    return entry.check == check.check or any(speaks_for(entry, each) for each in demanded)


def _after(record: RunRecord, at: str | None) -> str:
    """How long after the end of the run that was, where both are known."""
    ended, said = moment(record.ended), moment(at)
    return f" {duration((said - ended).total_seconds())} after the end" if ended and said and said > ended else ""


def _review(record: RunRecord) -> Shown:
    if record.near_misses:
        return Shown("; ".join(_caught(record)), "Which layer before could have caught it?" if _unnamed(record) else "")
    brought = sorted({each.added.source for each in record.verifications if each.added is not None})
    shown = f"results came from {_and(brought)} after the handoff" if brought else "the record ends at the handoff"
    return Shown(shown, "Was this to be seen in the diff, and who looked?")


def _caught(record: RunRecord) -> Iterator[str]:
    """Who caught it and where, without what: that is said above."""
    where: dict[str, list[str]] = {}
    for entry in record.near_misses:
        where.setdefault(entry.caught_by, []).extend(entry.files)
    for who, files in list(where.items())[:_MOST]:
        yield f"caught by {shortened(printable(who), _SHORT)}" + (f", in {_some(files)}" if files else "")


def _unnamed(record: RunRecord) -> bool:
    return all(entry.layer is None for entry in record.near_misses)


def _supervision(record: RunRecord) -> Shown:
    asked = sum(gate.outcome == "require_approval" for gate in record.gates)
    lasted = f" in {duration(record.duration_s)}" if record.duration_s is not None else ""
    if asked:
        return Shown(f"a human was asked {count(asked, 'time')}{lasted}")
    return Shown(f"nobody was asked{lasted}", "At which moment would a question have been cheap?")


LAYERS: Final[dict[str, Callable[[RunRecord], Shown]]] = {
    "task description": _task,
    "harness rules": _rules,
    "hooks": _hooks,
    "tests": _tests,
    "code review": _review,
    "human supervision": _supervision,
}
"""Layer to what a record shows of it, from the first that could have caught a failure to the last."""


def shown(layer: str, record: RunRecord) -> Shown:
    """What a record shows of a layer, and who says that it should have caught what they did."""
    found = LAYERS[layer](record)
    named = sorted({entry.caught_by for entry in record.near_misses if entry.layer == layer})
    if not named:
        return found
    said = f"{found.text}; named by {_some(named)} as what should have caught it"
    return Shown(said, found.question or "What would it have taken?")


def _some(words: list[str]) -> str:
    """The first of the texts, and how many more."""
    known = list(dict.fromkeys(words))
    more = f" and {len(known) - _MOST} more" if len(known) > _MOST else ""
    return ", ".join(shortened(printable(word), _SHORT) for word in known[:_MOST]) + more


def _and(words: list[str], last: str = "and") -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"
