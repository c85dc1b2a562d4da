"""Metrics: of the few that tell what a run has used, the sums of its session are kept; the rest is counted."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings, strategies as st
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric

from agent_otel.errors import DecodeError, TooLarge
from agent_otel.model import names
from agent_otel.model.measures import MEASURES
from agent_otel.otlp.encode import json_line
from agent_otel.otlp.limits import DEFAULT_LIMITS, Limits
from agent_otel.otlp.lines import items_from_bytes
from agent_otel.otlp.otlp_json import items_from_json
from agent_otel.otlp.protobuf import items_from_protobuf
from agent_otel.otlp.received import Rejection
from agent_otel.otlp.views import view
from agent_otel.otlp.wire import encode_varint

DELTA, CUMULATIVE = 1, 2
TOKENS = "claude_code.token.usage"


def _attribute(key, value):
    return {"key": key, "value": {"string_value": value}}


def _point(value=5.0, *, kind="input", session="s1", start=1, end=2, **fields):
    attributes = [_attribute("type", kind), _attribute("user.id", "u"), _attribute(names.SESSION_ID, session)]
    return {
        "attributes": attributes,
        "start_time_unix_nano": start,
        "time_unix_nano": end,
        "as_double": value,
        **fields,
    }


def _sum(*points, name=TOKENS, temporality=CUMULATIVE):
    return {"name": name, "sum": {"data_points": points, "aggregation_temporality": temporality, "is_monotonic": True}}


def _body(*metrics, resource=None):
    scopes = [{"scope": {"name": "meter"}, "metrics": metrics}]
    return ExportMetricsServiceRequest(
        resource_metrics=[{"resource": resource or {}, "scope_metrics": scopes}]
    ).SerializeToString()


def _both(body, limits=DEFAULT_LIMITS):
    """What is received of a request in either encoding, which is the same."""
    received = items_from_protobuf(body, "metric", limits=limits)
    assert items_from_json(json_line(body, "metric").encode(), "metric", limits=limits) == received
    return received


def test_a_point_becomes_an_event_of_its_session():
    """It says what was counted and when, and nothing else of the point."""
    (item,) = _both(_body(_sum(_point(7.0, end=9)))).items
    said = view(item)
    assert (said.event_name, said.time_ns) == (names.MEASURED, 9)
    assert item.links == (f"{names.SESSION_ID}:s1",)
    assert item.key == f"event:{said.attributes[names.EVENT_ID]}/{names.MEASURED}"
    assert {name: value for name, value in said.attributes.items() if name != names.EVENT_ID} == {
        names.MEASURED_METRIC: TOKENS,
        names.MEASURED_KIND: "input",
        names.MEASURED_VALUE: 7.0,
        names.SESSION_ID: "s1",
    }


def test_a_later_value_of_a_cumulative_series_is_another_copy():
    """Until the series is reset, which begins another."""
    body = _body(_sum(_point(1.0, end=2), _point(4.0, end=3), _point(2.0, start=5, end=6)))
    first, second, reset = _both(body).items
    assert first.key == second.key != reset.key
    assert first.digest != second.digest


def test_each_point_of_a_delta_series_counts_once():
    """However often it is sent."""
    body = _body(_sum(_point(end=2), _point(end=3), _point(end=3), temporality=DELTA))
    first, second, again = _both(body).items
    assert first.key != second.key
    assert second == again


@pytest.mark.parametrize("other", [{"kind": "output"}, {"session": "s2"}])
def test_a_series_is_known_by_its_attributes(other):
    """In whatever order they come."""
    first, second = _both(_body(_sum(_point(), _point(**other)))).items
    assert first.key != second.key
    turned = _point()
    turned["attributes"].reverse()
    (third,) = _both(_body(_sum(turned))).items
    assert third == first


@pytest.mark.parametrize("data", ["histogram", "exponential_histogram"])
def test_the_sum_of_a_histogram_is_kept(data):
    """As older conventions count tokens."""
    point = _point(kind="")
    del point["as_double"]
    point |= {"sum": 12.5, "count": 2, "attributes": [*point["attributes"], _attribute("gen_ai.token.type", "output")]}
    metric = {"name": "gen_ai.client.token.usage", data: {"data_points": [point], "aggregation_temporality": DELTA}}
    (item,) = _both(_body(metric)).items
    attributes = view(item).attributes
    assert (attributes[names.MEASURED_KIND], attributes[names.MEASURED_VALUE]) == ("output", 12.5)


def test_integers_are_numbers_too():
    """Sums come as either."""
    point = _point()
    del point["as_double"]
    (item,) = _both(_body(_sum({**point, "as_int": 77}))).items
    assert view(item).attributes[names.MEASURED_VALUE] == 77.0


def test_a_session_may_be_named_by_the_resource():
    """The points of its process are its own."""
    point = {**_point(), "attributes": [_attribute("type", "input")]}
    assert _both(_body(_sum(point))).ignored == 1
    (item,) = _both(_body(_sum(point), resource={"attributes": [_attribute(names.SESSION_ID, "s9")]})).items
    assert item.links == (f"{names.SESSION_ID}:s9",)


def test_all_other_points_are_counted_as_ignored():
    """Other metrics, kinds without a sum, points without a session or a value: no mistake of the sender."""
    alone = {**_point(), "attributes": []}
    body = _body(
        _sum(_point(), _point(), name="http.requests"),
        {"name": TOKENS, "gauge": {"data_points": [_point()]}},
        {"name": TOKENS, "summary": {"data_points": [{"sum": 1.0}]}},
        {"name": TOKENS},
        _sum(alone, _point(flags=1)),
    )
    received = _both(body)
    assert (received.items, received.ignored, received.rejected) == ((), 6, ())
    assert items_from_bytes(body) == received
    assert items_from_bytes(json_line(body, "metric").encode()) == received


@pytest.mark.parametrize(
    ("metric", "reason"),
    [
        (_sum(_point(-1.0)), "data point whose value is not from 0 to 2**63"),
        (_sum(_point(float("nan"))), "data point whose value is not from 0 to 2**63"),
        (_sum(_point(float("inf"))), "data point whose value is not from 0 to 2**63"),
        (_sum(_point(), temporality=0), "data point of no aggregation temporality"),
    ],
)
def test_a_bad_point_is_refused_alone(metric, reason):
    """Its neighbours are kept."""
    received = _both(_body(metric, _sum(_point())))
    assert received.rejected == (Rejection(reason, 1),)
    assert len(received.items) == 1


def test_limits_hold_for_each_point():
    """Of one size too large, and of one attribute too many."""
    large = _point(session="s" * 400)
    many = _point()
    many["attributes"] = many["attributes"] * 2
    received = _both(_body(_sum(large, many, _point())), Limits(item_bytes=300, attributes=5))
    assert {rejection.reason: rejection.count for rejection in received.rejected} == {
        "data point larger than 300 bytes": 1,
        "data point with more than 5 attributes": 1,
    }
    assert len(received.items) == 1


def test_too_many_points_are_refused():
    """The limit is over all metrics of the request."""
    body = _body(_sum(_point(), _point()), _sum(_point()))
    for read, content in ((items_from_protobuf, body), (items_from_json, json_line(body, "metric").encode())):
        assert len(read(content, "metric", limits=Limits(items=3)).items) == 3
        with pytest.raises(TooLarge):
            read(content, "metric", limits=Limits(items=2))
        with pytest.raises(TooLarge):
            read(content, "metric", limits=Limits(items=1))


def _field(number, payload):
    return encode_varint(number << 3 | 2) + encode_varint(len(payload)) + payload


def _raw(*metrics, resource=b""):
    scope = b"".join(_field(2, metric) for metric in metrics)
    return _field(1, _field(1, resource) + _field(2, scope))


GOOD = Metric(**_sum(_point())).SerializeToString()


def test_damaged_metrics_and_points_are_refused_alone():
    """A metric counts as one, since how many points it had is not known."""
    damaged = _field(1, TOKENS.encode()) + _field(7, _field(1, b"\x3a\x7f") + b"\x10\x02")
    received = items_from_protobuf(_raw(GOOD, b"\x0a\x7f", damaged, GOOD), "metric")
    assert len(received.items) == 2
    assert [rejection.count for rejection in received.rejected] == [1, 1]
    assert [rejection.reason.partition(":")[0] for rejection in received.rejected] == ["metric", "data point"]


def test_an_unreadable_resource_refuses_all_points_of_it():
    """In either encoding."""
    received = items_from_protobuf(_raw(GOOD, GOOD, resource=b"\x0a\x7f"), "metric")
    assert [rejection.count for rejection in received.rejected] == [2]
    line = json.loads(json_line(_body(_sum(_point(), _point())), "metric"))
    line["resourceMetrics"][0]["resource"] = 5
    received = items_from_json(json.dumps(line).encode(), "metric")
    assert [rejection.count for rejection in received.rejected] == [2]


def test_fields_may_come_in_any_order_and_more_than_once():
    """Data of one kind are joined; of two kinds the last one counts. Unknown fields are passed over."""
    points = _field(1, Metric(**_sum(_point())).sum.data_points[0].SerializeToString())
    name, temporality = _field(1, TOKENS.encode()), b"\x10\x02"
    joined = _field(7, points) + _field(7, temporality + points) + name + _field(99, b"new") + b"\xa0\x06\x01"
    replaced = name + _field(5, points) + _field(7, points + temporality + _field(99, b"new"))
    received = items_from_protobuf(_raw(joined, replaced), "metric")
    assert len(received.items) == 3
    assert len(set(received.items)) == 1


def test_broken_text_is_mended():
    """A session id that was cut within a character."""
    raw = GOOD.replace(b"\x02s1", b"\x02s\xff")
    (item,) = items_from_protobuf(_raw(raw), "metric").items
    assert (item.repaired, item.links) == (True, (f"{names.SESSION_ID}:s\ufffd",))


@pytest.mark.parametrize(
    ("metric", "reason"),
    [
        ({"name": 5}, "metric: not a metric: "),
        (
            {"name": TOKENS, "sum": {"aggregationTemporality": []}},
            "metric: aggregationTemporality: expected an integer",
        ),
        (
            {"name": TOKENS, "sum": {"aggregationTemporality": 2, "dataPoints": [{"asDouble": []}]}},
            "data point: asDouble: expected a number",
        ),
    ],
)
def test_json_of_another_shape_is_refused_alone(metric, reason):
    """The reason names the field."""
    line = json.loads(json_line(_body(_sum(_point())), "metric"))
    line["resourceMetrics"][0]["scopeMetrics"][0]["metrics"] += [metric, None]
    received = items_from_json(json.dumps(line).encode(), "metric")
    assert len(received.items) == 1
    ((rejection),) = received.rejected
    assert rejection.count == 1
    assert rejection.reason.startswith(reason)


def test_json_is_read_in_either_spelling():
    """As the other signals are; enums by name, too."""
    line = json_line(_body(_sum(_point())), "metric")
    snake = line
    for camel, other in (
        ("resourceMetrics", "resource_metrics"),
        ("scopeMetrics", "scope_metrics"),
        ("dataPoints", "data_points"),
        ('"aggregationTemporality":2', '"aggregation_temporality":"AGGREGATION_TEMPORALITY_CUMULATIVE"'),
    ):
        assert camel in snake
        snake = snake.replace(camel, other)
    assert items_from_json(snake.encode(), "metric") == items_from_json(line.encode(), "metric")


def test_no_bytes_are_anything_else_than_damaged():
    """A request that is cut anywhere is a DecodeError, or is a smaller one."""
    body = _body(_sum(_point(), _point()))
    for end in range(len(body)):
        try:
            received = items_from_protobuf(body[:end], "metric")
        except DecodeError:
            continue
        assert received.items == ()


points = st.builds(
    lambda value, kind, session, start, end, extra: {
        **_point(value, kind=kind, session=session, start=start, end=end),
        **extra,
    },
    st.floats(0, 1e6),
    st.sampled_from(["input", "output", "cacheRead", "other", ""]),
    st.sampled_from(["s1", "s2", "", "x" * 600]),
    st.integers(0, 3),
    st.integers(0, 2**64 - 1),
    st.sampled_from([{}, {"attributes": []}, {"flags": 1}, {"as_int": 3}]),
).map(lambda point: {name: value for name, value in point.items() if name != "as_double" or "as_int" not in point})
metrics = st.builds(
    lambda name, found, temporality: _sum(*found, name=name, temporality=temporality),
    st.sampled_from([*MEASURES, "other"]),
    st.lists(points, max_size=3),
    st.sampled_from([DELTA, CUMULATIVE]),
)


@settings(max_examples=60)
@given(st.lists(metrics, max_size=3))
def test_encoding_and_splitting_leave_no_mark(found):
    """All points of a request are the items that each alone gives."""
    whole = _both(_body(*found))
    alone = []
    for metric in found:
        for point in metric["sum"]["data_points"]:
            one = {**metric, "sum": {**metric["sum"], "data_points": [point]}}
            alone.extend(items_from_protobuf(_body(one), "metric").items)
    assert tuple(alone) == whole.items
