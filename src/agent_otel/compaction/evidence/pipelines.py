"""What build servers and test runners tell, by the semantic conventions for CI/CD and tests, as evidence for runs.

They know a commit, or a tree, and no run. A run that ended leaves word of its own commit and tree; where both are seen
together, each result about that state is evidence for the run. What is said of a span depends on the span alone, and on
which states its trace is about: more of them only ever add evidence, so that it does not matter what came first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from agent_otel.compaction.copies import settle
from agent_otel.compaction.evidence.added import CASE, PIPELINE, SUITE
from agent_otel.compaction.reading.values import first, text
from agent_otel.model import names
from agent_otel.model.item import Log, Span
from agent_otel.model.record import VerificationOutcome

TASK: Final = "task"
UNNAMED: Final = "tests"
"""The check that a test belongs to whose suite has no name."""


class State(NamedTuple):
    """A state of the code, as far as it is told: a commit, its tree, the commit that it merged with others."""

    commit: str = ""
    tree: str = ""
    merge_of: str = ""


class Event(NamedTuple):
    """An event of evidence that is to be made: what it says, and the span or log record that it is about."""

    attributes: Mapping[str, str]
    time_ns: int
    trace_id: str
    span_id: str


class _Kind(NamedTuple):
    """A kind of result: where it stands, what its words mean, and what the check is called."""

    name: str
    result: str
    words: Mapping[str, VerificationOutcome]
    called: tuple[str, ...]


_OF_PIPELINE: Final[Mapping[str, VerificationOutcome]] = {
    "success": "pass",
    "failure": "fail",
    "timeout": "fail",
    "error": "unknown",
}
_OF_SUITE: Final[Mapping[str, VerificationOutcome]] = {
    "success": "pass",
    "failure": "fail",
    "timed_out": "fail",
    "aborted": "unknown",
}
_OF_CASE: Final[Mapping[str, VerificationOutcome]] = {"pass": "pass", "fail": "fail"}
KINDS: Final = (
    _Kind(CASE, names.TEST_CASE_STATUS, _OF_CASE, (names.TEST_SUITE_NAME, names.CICD_TASK_NAME)),
    _Kind(SUITE, names.TEST_SUITE_RUN_STATUS, _OF_SUITE, (names.TEST_SUITE_NAME,)),
    _Kind(TASK, names.CICD_TASK_RESULT, _OF_PIPELINE, (names.CICD_TASK_NAME,)),
    _Kind(PIPELINE, names.CICD_PIPELINE_RESULT, _OF_PIPELINE, (names.CICD_PIPELINE_NAME,)),
)
"""The finest first; an item is what the first of them says that it has. Words that are left out are no result: what was
skipped, cancelled, or goes on."""


def meetings(items: Iterable[Span | Log]) -> Iterator[Event]:
    """The events of evidence, for each run that left one of the states that results here are about."""
    settled, left = settle(items).parted(names.RUN_LEFT)
    if not left:
        return
    told = [item for item in settled.items if _is_theirs(item)]
    by_trace: dict[str, set[State]] = defaultdict(set)
    for item in told:
        by_trace[item.trace_id].add(_state(item))
    runs = sorted({(text(log.attributes.get(names.LEFT_BY)), _state(log)) for log in left})
    for item in told:
        own = _state(item)
        states = {own} if any(own) else by_trace[item.trace_id]
        for attributes in _results(item):
            for run_id, final in runs:
                yield from _meet(item, attributes, run_id, (state for state in sorted(states) if _meets(state, final)))


def _meet(item: Span | Log, attributes: Mapping[str, str], run_id: str, states: Iterable[State]) -> Iterator[Event]:
    for state in list(states)[:1]:
        said = {
            **attributes,
            names.RUN_ID: run_id,
            names.EVIDENCE_COMMIT: state.commit,
            names.EVIDENCE_TREE: state.tree,
            names.EVIDENCE_MERGE_OF: state.merge_of,
        }
        time_ns = item.end_ns if isinstance(item, Span) else item.time_ns
        yield Event(said, time_ns, item.trace_id, item.span_id)


def _meets(state: State, final: State) -> bool:
    by_commit = bool(final.commit) and final.commit in (state.commit, state.merge_of)
    return by_commit or (bool(final.tree) and final.tree == state.tree)


def _results(item: Span | Log) -> Iterator[Mapping[str, str]]:
    """What an item says came of something; nothing while it goes on."""
    get = item.attributes.get
    kind = next((kind for kind in KINDS if kind.result in item.attributes), None)
    outcome = kind.words.get(text(get(kind.result))) if kind else None
    if kind is None or outcome is None or not item.ref or (isinstance(item, Span) and not item.end_ns):
        return
    said = {**item.resource, **item.attributes}
    check = text(first(said, names.VERIFICATION_CHECK, *kind.called)) or UNNAMED
    yield {
        names.VERIFICATION_CHECK: check,
        names.VERIFICATION_OUTCOME: outcome,
        names.VERIFICATION_REASON: text(get(names.ERROR_TYPE)),
        names.EVIDENCE_ID: item.digest.hex(),
        names.EVIDENCE_KIND: kind.name,
        names.EVIDENCE_CASE: text(get(names.TEST_CASE_NAME)) if kind.name == CASE else "",
        names.EVIDENCE_SOURCE: "ci",
        names.EVIDENCE_BY: text(first(said, names.CICD_PIPELINE_NAME, names.SERVICE_NAME)),
    }


def _is_theirs(item: Span | Log) -> bool:
    """True for what others say: the events of this SDK have words of the conventions for tests, too."""
    return item.scope != names.SCOPE


def _state(item: Span | Log) -> State:
    said = {**item.resource, **item.attributes}
    return State(
        text(first(said, names.EVIDENCE_COMMIT, names.VCS_REF_REVISION)),
        text(said.get(names.EVIDENCE_TREE)),
        text(said.get(names.EVIDENCE_MERGE_OF)),
    )
