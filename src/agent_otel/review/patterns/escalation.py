"""Escalation mistuned: what was refused was allowed or done after all, or leave was asked for what nobody refuses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from agent_otel.review.patterns.observed import Observed
from agent_otel.review.patterns.requests import Refusal, among
from agent_otel.review.patterns.shape import Sighting, ref
from agent_otel.review.wording import count
from agent_otel.text.terminal import printable

NAME: Final = "escalation-mistuned"
LAYER: Final = "human supervision"

ASKED_OFTEN: Final = 10
"""After so many questions of a kind without one refusal, reading the answers took longer than writing the rule."""

_MOST_RUNS: Final = 50


class _Request(NamedTuple):
    """A request to the setup of one repository."""

    repository: str
    does: frozenset[bytes]


class _Refused(NamedTuple):
    run: Observed
    refusal: Refusal


def escalation(runs: Sequence[Observed]) -> Iterator[Sighting]:
    """Denied then allowed, done where it was denied before, and asked too often; one for each request.

    Args:
        runs: the earliest first.
    """
    refused: dict[_Request, list[_Refused]] = defaultdict(list)
    for run in runs:
        for refusal in run.requests.refusals:
            refused[_Request(run.repository, refusal.does)].append(_Refused(run, refusal))
    later = _later(runs, refused)
    for request, each in refused.items():
        yield from _allowed(each, later.allowed[request])
        yield from _proceeded(each, later.proceeded[request])
    yield from _asked_often(runs)


class _Later(NamedTuple):
    """Runs that did what an earlier one was refused: with a person's leave, and without."""

    allowed: dict[_Request, list[Observed]]
    proceeded: dict[_Request, list[Observed]]


def _later(runs: Sequence[Observed], refused: dict[_Request, list[_Refused]]) -> _Later:
    later = _Later(defaultdict(list), defaultdict(list))
    wanted = frozenset(digest for request in refused for digest in request.does)
    for run in runs:
        ran = among(run.requests.ran, wanted)
        for request in _done(ran, refused) if ran else ():
            first = refused[request][0].run
            own = any(each.run is run for each in refused[request])
            if run.repository == request.repository and first.started < run.started and not own:
                approved = request.does <= among(run.requests.approved, request.does)
                (later.allowed if approved else later.proceeded)[request].append(run)
    return later


def _done(ran: frozenset[bytes], refused: dict[_Request, list[_Refused]]) -> Iterator[_Request]:
    return (request for request in refused if request.does <= ran)


def _allowed(each: Sequence[_Refused], elsewhere: Sequence[Observed]) -> Iterator[Sighting]:
    """Refused and then allowed: in one run, or in a later one by a person."""
    turned = [found for found in each if found.refusal.then == "allowed"]
    if turned:
        yield _sighting(turned, (), f"{_text(turned)} was denied and then allowed, in {_runs(turned)}")
    if elsewhere:
        later = count(len(elsewhere), "later run")
        yield _sighting(
            each, elsewhere, f"{_text(each)} was denied in {_runs(each)}, and a person allowed it in {later}"
        )


def _proceeded(each: Sequence[_Refused], elsewhere: Sequence[Observed]) -> Iterator[Sighting]:
    """Refused and done after all: in another way, or in a later run of which nobody was asked."""
    around = [found for found in each if found.refusal.then == "otherwise"]
    if around:
        yield _sighting(around, (), f"{_text(around)} was denied and then done by another command, in {_runs(around)}")
    if elsewhere:
        later = count(len(elsewhere), "later run")
        yield _sighting(each, elsewhere, f"{_text(each)} was denied in {_runs(each)}, and ran in {later}")


def _text(each: Sequence[_Refused]) -> str:
    return f"'{each[0].refusal.text}'"


def _runs(each: Sequence[_Refused]) -> str:
    return count(len(each), "run")


def _sighting(each: Sequence[_Refused], elsewhere: Sequence[Observed], said: str) -> Sighting:
    runs = sorted([*(found.run for found in each), *elsewhere], key=lambda run: (run.started, run.run_id))
    refs = (ref(found.run.run_id, entry) for found in each for entry in found.refusal.refs)
    return Sighting(
        pattern=NAME,
        runs=tuple(dict.fromkeys(run.run_id for run in runs))[:_MOST_RUNS],
        said=said,
        refs=tuple(refs)[:_MOST_RUNS],
        layer=LAYER,
        area=each[0].run.ground.main,
    )


def _asked_often(runs: Sequence[Observed]) -> Iterator[Sighting]:
    """The kinds of requests that were always granted; a single refusal shows that asking is worth its while."""
    asked: dict[tuple[str, str], int] = defaultdict(int)
    kinds: dict[tuple[str, str], list[Observed]] = defaultdict(list)
    refused: set[tuple[str, str]] = set()
    for run in runs:
        for each in run.requests.asked:
            kind = (run.repository, each.kind)
            asked[kind] += each.asked
            kinds[kind].append(run)
            refused |= {kind} if each.refused else set()
    for kind, number in asked.items():
        if number >= ASKED_OFTEN and kind not in refused:
            where = kinds[kind]
            often = f"leave was asked {count(number, 'time')} for '{printable(kind[1])}'"
            yield Sighting(
                pattern=NAME,
                runs=tuple(run.run_id for run in where)[:_MOST_RUNS],
                said=f"{often} in {count(len(where), 'run')}, and never refused",
                layer=LAYER,
                area=where[0].ground.main,
            )
