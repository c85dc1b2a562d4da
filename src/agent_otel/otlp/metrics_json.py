"""Reads metrics in OTLP/JSON: slices to the data points of the few metrics that are kept, and counts the rest."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec
from opentelemetry.proto.metrics.v1.metrics_pb2 import Sum

from agent_otel.errors import DecodeError, TooLarge
from agent_otel.otlp.build import KINDS, Builder
from agent_otel.otlp.json_messages import encoded, origin_of
from agent_otel.otlp.json_values import message_arguments
from agent_otel.otlp.limits import Limits
from agent_otel.otlp.measures import DATA, Encoded, Series, outcomes
from agent_otel.otlp.received import Received, Tally
from agent_otel.otlp.schema import descriptor_of
from agent_otel.otlp.steps import Steps

Block = tuple[msgspec.Raw, msgspec.Raw, list[msgspec.Raw]]
"""Resource, scope and metrics."""


class DataBlock(msgspec.Struct):
    """Sum, Histogram and their like, in either spelling."""

    points: list[msgspec.Raw] | None = msgspec.field(default=None, name="dataPoints")
    points_: list[msgspec.Raw] | None = msgspec.field(default=None, name="data_points")
    temporality: Any = msgspec.field(default=None, name="aggregationTemporality")
    temporality_: Any = msgspec.field(default=None, name="aggregation_temporality")


class MetricBlock(msgspec.Struct):
    """A metric, in either spelling."""

    name: str | None = None
    gauge: DataBlock | None = None
    sum: DataBlock | None = None
    histogram: DataBlock | None = None
    exponential_histogram: DataBlock | None = msgspec.field(default=None, name="exponentialHistogram")
    exponential_histogram_: DataBlock | None = msgspec.field(default=None, name="exponential_histogram")
    summary: DataBlock | None = None

    def data(self) -> tuple[str, DataBlock]:
        """What kind of data it has, and these."""
        said = {
            "sum": self.sum,
            "histogram": self.histogram,
            "exponential_histogram": self.exponential_histogram or self.exponential_histogram_,
            "gauge": self.gauge,
            "summary": self.summary,
        }
        return next(((kind, block) for kind, block in said.items() if block), ("", DataBlock()))


_METRIC: Final = msgspec.json.Decoder(MetricBlock | None)


def measures_from_blocks(blocks: Iterable[Block], *, limits: Limits) -> Received:
    """The items of a request's metrics; see ``measures``. A bad data point is refused alone.

    Raises:
        TooLarge: there are more data points than ``limits.items``.
    """
    tally, steps, left = Tally(), Steps(), limits.items
    for resource, scope, raws in blocks:
        source = origin_of(resource, scope, steps)
        for raw in raws:
            try:
                series, points = _sliced(raw)
            except DecodeError as exc:
                tally.reject(f"metric: {exc}", 1)
                continue
            left -= len(points)
            if left < 0:
                message = "too many data points in one request: send fewer at a time"
                raise TooLarge(message)
            if isinstance(source, str):
                tally.reject(source, len(points))
            elif series.kept:
                builder = Builder(source, KINDS["log"], limits, steps)
                tally.extend(outcomes(series, [_point(point, series.data, builder) for point in points], builder))
            else:
                tally.ignore(len(points))
    return tally.received()


def _sliced(raw: msgspec.Raw) -> tuple[Series, list[msgspec.Raw]]:
    try:
        metric = _METRIC.decode(raw) or MetricBlock()
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        message = f"not a metric: {exc}"
        raise DecodeError(message) from exc
    kind, data = metric.data()
    temporality = data.temporality if data.temporality is not None else data.temporality_
    arguments = message_arguments({"aggregationTemporality": temporality}, descriptor_of(Sum))
    series = Series(name=metric.name or "", data=kind, temporality=arguments.get("aggregation_temporality", 0))
    return series, [*(data.points or ()), *(data.points_ or ())]


def _point(raw: msgspec.Raw, data: str, builder: Builder) -> Encoded | str:
    try:
        return Encoded(*encoded(raw, DATA[data], builder.steps, most=builder.limits.item_bytes))
    except DecodeError as exc:
        return f"data point: {exc}"
