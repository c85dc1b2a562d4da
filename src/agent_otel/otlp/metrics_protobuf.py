"""Reads metrics in OTLP/protobuf: walks to the data points of the few that are kept, and steps over the rest."""

from __future__ import annotations

from typing import Final

import msgspec
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric, Sum

from agent_otel.errors import DecodeError, TooLarge
from agent_otel.otlp.build import KINDS, Builder, origin
from agent_otel.otlp.limits import Limits
from agent_otel.otlp.measures import Encoded, Series, outcomes
from agent_otel.otlp.received import Received, Tally
from agent_otel.otlp.steps import Steps
from agent_otel.otlp.wire import LENGTH, VARINT, fields, slices, varint

_DATA: Final = {
    Metric.GAUGE_FIELD_NUMBER: "gauge",
    Metric.SUM_FIELD_NUMBER: "sum",
    Metric.HISTOGRAM_FIELD_NUMBER: "histogram",
    Metric.EXPONENTIAL_HISTOGRAM_FIELD_NUMBER: "exponential_histogram",
    Metric.SUMMARY_FIELD_NUMBER: "summary",
}

# Sum, Gauge, Histogram, ExponentialHistogram and Summary number these fields alike, as far as they have them.
_POINTS: Final = Sum.DATA_POINTS_FIELD_NUMBER
_TEMPORALITY: Final = Sum.AGGREGATION_TEMPORALITY_FIELD_NUMBER


class _Metric(msgspec.Struct):
    """A metric, sliced; data points as (start, end)."""

    name: bytes = b""
    data: str = ""
    temporality: int = 0
    points: list[tuple[int, int]] = []


def measures_from_protobuf(body: bytes, *, limits: Limits) -> Received:
    """The items of an ``ExportMetricsServiceRequest``; see ``measures``. A bad data point is refused alone.

    Raises:
        DecodeError: the body is not a request.
        TooLarge: it holds more data points than ``limits.items``.
    """
    tally, steps, left = Tally(), Steps(), limits.items
    for part in slices(body, items=limits.items):
        source = origin(part.resource, part.scope, steps)
        for _, start, end in part.items:
            try:
                metric = _sliced(body, start, end, left)
            except DecodeError as exc:
                tally.reject(f"metric: {exc}", 1)
                continue
            left -= len(metric.points)
            series = Series(name=metric.name.decode(errors="replace"), data=metric.data, temporality=metric.temporality)
            if isinstance(source, str):
                tally.reject(source, len(metric.points))
            elif series.kept:
                points = [Encoded(body[begin:after]) for begin, after in metric.points]
                tally.extend(outcomes(series, points, Builder(source, KINDS["log"], limits, steps)))
            else:
                tally.ignore(len(metric.points))
    return tally.received()


def _sliced(body: bytes, start: int, end: int, most: int) -> _Metric:
    metric = _Metric(points=[])
    for number, wire_type, begin, after in fields(body, start, end):
        if wire_type == LENGTH and number == Metric.NAME_FIELD_NUMBER:
            metric.name = body[begin:after]
        elif wire_type == LENGTH and number in _DATA:
            if _DATA[number] != metric.data:  # of a oneof that is set twice the last one counts; of one kind, both
                metric.data, metric.temporality, metric.points = _DATA[number], 0, []
            _read_data(metric, body, begin, after, most)
    return metric


def _read_data(metric: _Metric, body: bytes, start: int, end: int, most: int) -> None:
    for number, wire_type, begin, after in fields(body, start, end):
        if number == _POINTS and wire_type == LENGTH:
            if len(metric.points) == most:
                message = "too many data points in one request: send fewer at a time"
                raise TooLarge(message)
            metric.points.append((begin, after))
        elif number == _TEMPORALITY and wire_type == VARINT:
            metric.temporality = varint(body, begin, after)
