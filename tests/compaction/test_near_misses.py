"""What only a reviewer caught, and which run is a redo of which: read from events; nothing else of a run is touched."""

from __future__ import annotations

import itertools
import json

import pytest
from hypothesis import given, settings, strategies as st
from msgspec.structs import replace

from agent_otel.compaction.compact import brought_later, compact
from agent_otel.compaction.evidence.near_misses import identity
from agent_otel.compaction.policy import Policy
from agent_otel.model import names
from agent_otel.model.item import Log, Span
from agent_otel.model.record import NearMiss, RunRecord, encode

S = 1_000_000_000
NOW_NS = 10_000 * S
TRACE = "a" * 32


def run_items(run_id: str = "r1") -> list[Span]:
    """A run that is over."""
    attributes = {
        names.OPERATION_NAME: names.INVOKE_AGENT,
        names.AGENT_NAME: "fixer",
        names.RUN_OUTCOME: "ended",
        names.RUN_ID: run_id,
    }
    return [
        Span(
            trace_id=TRACE, span_id="1" * 16, name="invoke_agent fixer", start_ns=S, end_ns=3 * S, scope=names.SCOPE,
            attributes=attributes,
        )
    ]  # fmt: skip


def event(name: str, *, second: int = 100, ref: tuple[str, str] = ("", ""), **said: object) -> Log:
    """An event that others add to the run."""
    attributes = {names.RUN_ID: "r1", **{f"agent_otel.{key.replace('__', '.')}": value for key, value in said.items()}}
    body = json.dumps([name, attributes, second, ref], sort_keys=True, default=list)
    return Log(
        key=f"log:{body}", digest=body.encode(), time_ns=second * S, trace_id=ref[0], span_id=ref[1], event_name=name,
        attributes=attributes, scope=names.SCOPE,
    )  # fmt: skip


def miss(what: object = "no limit", by: object = "ada", **more: object) -> Log:
    """A near-miss."""
    return event(names.NEAR_MISS, near_miss__what=what, near_miss__caught_by=by, **more)


def redo(of: object = "r0", **more: object) -> Log:
    """Word that the run is a redo of another."""
    return event(names.REDO, run__redo_of=of, **more)


def folded(*logs: Log, policy: Policy = Policy()) -> RunRecord:
    """The only record of these."""
    (record,) = compact([*run_items(), *logs], now_ns=NOW_NS, policy=policy)
    return record


def test_a_near_miss_says_all_that_was_said() -> None:
    """Who caught what, when, where, and what should have caught it."""
    files = ("a.py", "b.py")
    said = miss(near_miss__files=files, near_miss__layer="tests", ref=(TRACE, "2" * 16))
    assert folded(said).near_misses == (
        NearMiss(
            id=identity("ada", "no limit", files, "tests"),
            caught_by="ada",
            what="no limit",
            at="1970-01-01T00:01:40.000Z",
            files=files,
            layer="tests",
            span=f"{TRACE}/{'2' * 16}",
        ),
    )


@pytest.mark.parametrize(
    "said",
    [
        miss(what=""),
        miss(by=""),
        miss(what=7),
        miss(run__id="r2"),
        miss(run__id=""),
        redo(of=""),
        redo(of=7),
        redo(of="r1"),
        redo(run__id=""),
        event(names.NEAR_MISS),
        event(names.REDO),
        redo(run__id="r2"),
    ],
)
def test_what_says_too_little_is_not_said(said: Log) -> None:
    """Without who, what or which run; and no run is a redo of itself."""
    assert encode(folded(said)) == encode(folded())


def test_what_others_say_makes_no_run() -> None:
    """It waits for its run."""
    assert compact([miss(), redo()], now_ns=NOW_NS) == []


def test_nothing_else_of_the_run_depends_on_it() -> None:
    """Not when it began or ended, nor what it was built from."""
    full = folded(miss(), redo(of="r0"), redo(of="r9", second=1))
    assert full.redo_of == ("r0", "r9")
    assert encode(replace(full, near_misses=(), redo_of=())) == encode(folded())


def test_a_run_says_itself_what_it_does_again() -> None:
    """On its span, in its task, or by its process; together with what others say, each once."""
    (span,) = run_items()
    asked = event(names.TASK_STARTED, second=1, run__redo_of="b", task__objective="fix")
    own = replace(span, attributes={**span.attributes, names.RUN_REDO_OF: "a"}, resource={names.RUN_REDO_OF: "c"})
    (record,) = compact([own, asked, redo(of="a"), redo(of="d")], now_ns=NOW_NS)
    assert record.redo_of == ("a", "b", "c", "d")
    (record,) = compact([replace(own, attributes={**own.attributes, names.RUN_REDO_OF: "r1"})], now_ns=NOW_NS)
    assert record.redo_of == ("c",)


def test_the_same_marked_again_counts_once_as_of_the_first_time() -> None:
    """Whoever sends it again, and wherever; another word is another near-miss."""
    told = [
        miss(second=second, ref=ref) for second, ref in ((300, ("", "")), (200, (TRACE, "2" * 16)), (200, ("", "")))
    ]
    records = {encode(folded(*order)) for order in itertools.permutations(told)}
    assert records == {encode(folded(told[2]))}
    more = folded(
        *told, miss(what="other", second=50), miss(by="bob"), miss(near_miss__layer="no such layer")
    ).near_misses
    assert [(entry.caught_by, entry.what, entry.layer) for entry in more] == [
        ("ada", "other", None),
        *sorted([("ada", "no limit", None), ("bob", "no limit", None)], key=lambda each: identity(*each[:2], (), "")),
    ]


def test_a_finished_record_takes_more_of_it() -> None:
    """Beside what it has, each once; what was said earlier counts from then."""
    later = brought_later([miss(second=50), miss("x"), redo(of="r9"), *run_items()])
    after = later.to(folded(miss(), redo()))
    assert [(entry.what, entry.at) for entry in after.near_misses] == [
        ("no limit", "1970-01-01T00:00:50.000Z"),
        ("x", "1970-01-01T00:01:40.000Z"),
    ]
    assert after.redo_of == ("r0", "r9")
    assert later.to(after) == after
    assert brought_later([]).to(after) is after


def test_texts_and_lists_are_bounded() -> None:
    """As all of a record is; it says so."""
    policy = Policy(max_text=40, max_entries=3)
    found = folded(*(miss(what=f"{number} {'x' * 100}") for number in range(9)), policy=policy)
    assert len(found.near_misses) == 3
    assert all(len(entry.what.encode()) <= 40 for entry in found.near_misses)
    assert "near_misses: 3 of 9" in found.capture.limits


PIECES = st.sampled_from(
    [
        miss(), miss(second=7), miss("x"), miss("x", "bob"), miss(near_miss__files=("a.py",)), miss(what=""),
        miss(run__id="r2"), redo(), redo("r0", second=3), redo("r9"), redo("r1"), redo(run__id="r2"),
    ]
)  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(st.lists(PIECES, max_size=8), st.randoms(use_true_random=False))
def test_order_and_repetition_do_not_matter(pieces: list[Log], chance) -> None:
    """The same words give the same record, byte for byte."""
    items = [*run_items(), *pieces]
    again = [*items, *chance.choices(items, k=3)]
    chance.shuffle(again)
    assert encode(folded(*pieces)) == encode(compact(again, now_ns=NOW_NS)[0])


@settings(max_examples=40, deadline=None)
@given(st.lists(PIECES, max_size=8), st.integers(0, 8))
def test_what_comes_after_a_record_is_finished_makes_the_same_of_it(pieces: list[Log], cut: int) -> None:
    """Items may have expired by then: a record and what was said since are what all of it together is."""
    assert brought_later(pieces[cut:]).to(folded(*pieces[:cut])) == folded(*pieces)
