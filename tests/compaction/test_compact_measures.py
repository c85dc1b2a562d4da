"""What metrics say of a run: believed where nothing else tells, and counted once however it came."""

from __future__ import annotations

import pytest
from hypothesis import given, settings, strategies as st

from agent_otel.compaction.compact import compact
from agent_otel.model import names
from agent_otel.model.item import Log, Span
from agent_otel.model.record import Usage, encode

S = 1_000_000_000
TRACE = "ab" * 16
TOKENS = "claude_code.token.usage"


def _agent(session="s1", trace=TRACE, **more):
    attributes = {names.OPERATION_NAME: "invoke_agent", names.AGENT_NAME: "a", names.SESSION_ID: session, **more}
    return Span(
        trace_id=trace, span_id="cd" * 8, name="invoke_agent a", start_ns=S, end_ns=9 * S, attributes=attributes
    )


def _measured(value, *, series, metric=TOKENS, kind="input", time_ns=S, **attributes):
    said = {
        names.EVENT_ID: series,
        names.MEASURED_METRIC: metric,
        names.MEASURED_KIND: kind,
        names.MEASURED_VALUE: value,
        names.SESSION_ID: "s1",
        **attributes,
    }
    return Log(
        key=f"event:{series}/{names.MEASURED}",
        time_ns=time_ns,
        event_name=names.MEASURED,
        attributes=said,
        digest=f"{value} {time_ns}".encode(),
    )


def _records(*items):
    return compact(items, now_ns=99 * S)


def test_tokens_and_money_come_from_metrics_where_nothing_else_tells():
    """Cached input is input, too; the record says where it has the numbers from."""
    (record,) = _records(
        _agent(),
        _measured(100.0, series="a"),
        _measured(30.0, series="b", kind="cacheRead"),
        _measured(7.0, series="c", kind="output"),
        _measured(0.25, series="d", metric="claude_code.cost.usage", kind=""),
        _measured(9.0, series="e", kind="of a later version"),
        _measured(9.0, series="f", metric="of a later version"),
        _measured("9", series="g"),
    )
    assert record.usage == Usage(
        input_tokens=130, output_tokens=7, cache_read_tokens=30, cost_usd=0.25, from_metrics=True
    )
    assert (record.capture.logs, record.capture.unrecognised) == (0, 0)


@pytest.mark.parametrize("told", [names.INPUT_TOKENS, names.OUTPUT_TOKENS])
def test_nothing_is_counted_twice(told):
    """One span that states its tokens makes the metrics a second telling."""
    (record,) = _records(_agent(**{told: 5}), _measured(100.0, series="a"))
    assert not record.usage.from_metrics
    assert {record.usage.input_tokens, record.usage.output_tokens} == {5, None}


def test_the_latest_value_of_a_series_counts_and_series_add_up():
    """A value that comes late is no step back, and what came before a reset counts on."""
    (record,) = _records(
        _agent(),
        _measured(40.0, series="a", time_ns=3 * S),
        _measured(10.0, series="a", time_ns=2 * S),
        _measured(5.0, series="a after a reset", time_ns=4 * S),
    )
    assert record.usage.input_tokens == 45
    assert record.capture.duplicates == 0


def test_of_two_metrics_that_tell_the_same_one_counts():
    """An agent's own goes before what the conventions call it."""
    (record,) = _records(
        _agent(),
        _measured(10.0, series="a", metric="gemini_cli.token.usage"),
        _measured(10.0, series="b", metric="gen_ai.client.token.usage"),
        _measured(3.0, series="c", metric="gen_ai.client.token.usage", kind="output"),
    )
    assert (record.usage.input_tokens, record.usage.output_tokens) == (10, 3)


def test_metrics_are_no_sign_of_life_and_make_no_run():
    """They come at an interval, also when all is over."""
    (quiet,) = _records(_agent())
    (told,) = _records(_agent(), _measured(1.0, series="a", time_ns=50 * S))
    assert told.capture == quiet.capture
    assert told.ended == quiet.ended
    assert _records(_measured(1.0, series="a")) == []


def test_what_is_not_understood_changes_nothing():
    """A record without numbers stays one."""
    (record,) = _records(_agent(), _measured(1.0, series="a", kind="of a later version"))
    assert record.usage == Usage()


def test_each_session_has_its_own():
    """By the run that the metric names, else by its session, else the first run of the group."""
    first, second = "11" * 16, "22" * 16
    one, two = _records(
        _agent("s1", first),
        Span(
            trace_id=second,
            span_id="ef" * 8,
            start_ns=2 * S,
            end_ns=3 * S,
            attributes=_agent("s2").attributes,
        ),
        _measured(1.0, series="a"),
        _measured(20.0, series="b", **{names.SESSION_ID: "s2"}),
        _measured(300.0, series="c", **{names.SESSION_ID: "s3"}),
        _measured(4000.0, series="d", **{names.RUN_ID: "s2", names.SESSION_ID: "s1"}),
    )
    assert (one.run_id, one.usage.input_tokens) == ("s1", 301)
    assert (two.run_id, two.usage.input_tokens) == ("s2", 4020)


def test_absurd_numbers_stay_numbers():
    """The sum of many of the largest is cut to what a record can hold."""
    (record,) = _records(_agent(), *(_measured(2.0**63, series=f"{number}") for number in range(9)))
    assert record.usage.input_tokens == 2**63
    assert encode(record)


logs = st.lists(
    st.builds(
        lambda value, series, kind, metric, time_ns: _measured(
            value, series=series, kind=kind, metric=metric, time_ns=time_ns
        ),
        st.floats(0, 1e9),
        st.sampled_from(["a", "b", "c"]),
        st.sampled_from(["input", "output", "cacheRead"]),
        st.sampled_from([TOKENS, "claude_code.cost.usage", "gen_ai.client.token.usage"]),
        st.integers(0, 3),
    ),
    max_size=6,
)


@settings(max_examples=100, deadline=None)
@given(logs, st.randoms(use_true_random=False))
def test_order_and_repetition_do_not_matter(measured, random):
    """The same set of items gives the same bytes."""
    items = [_agent(), *measured]
    expected = list(map(encode, _records(*items)))
    again = items * 2
    random.shuffle(again)
    assert list(map(encode, _records(*again))) == expected
