"""Where the marks of a chart stand: from figures over time to rectangles and lines, for a template to draw."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Final, NamedTuple

from agent_otel.review.report.shape import OverTime

WIDTH: Final = 360
HEIGHT: Final = 190

_LEFT: Final = 46
_TOP: Final = 8
_BOTTOM: Final = 22
_RIGHT: Final = 6
_LABELS: Final = 104
_WIDEST: Final = 28
_LEAST: Final = 1e-9  # less is nothing that anybody measured
_HALF: Final = 26  # of the longest date
_GAP: Final = 13
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SCALES: Final = (3600, 60, 1)

Amount = Callable[[float | None], str]


class Bar(NamedTuple):
    """A part of a stacked bar; ``title`` says what it stands for."""

    name: str
    x: float
    y: float
    width: float
    height: float
    title: str


class Tick(NamedTuple):
    """A place on an axis, and what is written there; ``anchor`` is where the text is held."""

    at: float
    text: str
    anchor: str = "end"


class Curve(NamedTuple):
    """A line: pieces of it between gaps, points that stand alone, and its label at the end."""

    name: str
    number: int
    pieces: tuple[str, ...]
    points: tuple[tuple[float, float], ...]
    label: Tick


class Chart(NamedTuple):
    """What to draw; ``right`` is where the plot ends."""

    bars: tuple[Bar, ...]
    curves: tuple[Curve, ...]
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    left: float
    right: float
    bottom: float


def stacked(over_time: OverTime, amount: Amount) -> Chart:
    """Bars, one for each step, whose parts are the lines one on the other."""
    totals = [sum(line.values[step] or 0 for line in over_time.lines) for step in range(len(over_time.starts))]
    top = _round_up(max(totals, default=0))
    right = float(WIDTH - _RIGHT)
    return Chart(
        tuple(_bars(over_time, amount, top, right)), (), _across(over_time, right), _up(top, amount), *_frame(right)
    )


def shares(over_time: OverTime, amount: Amount) -> Chart:
    """Lines between nothing and all, with gaps where nothing is known, each labelled at its end."""
    return _curved(over_time, amount, 1.0)


def durations(over_time: OverTime, amount: Amount) -> Chart:
    """Lines of seconds, on a scale of whole minutes or hours where they are that long."""
    largest = max((value or 0 for line in over_time.lines for value in line.values), default=0)
    scale = next((scale for scale in _SCALES if scale <= largest), 1)
    return _curved(over_time, amount, _round_up(largest / scale) * scale)


def _curved(over_time: OverTime, amount: Amount, top: float) -> Chart:
    right = float(WIDTH - _LABELS)
    curves = [
        _curve(number, line.name, line.values, (top, right), amount) for number, line in enumerate(over_time.lines)
    ]
    return Chart((), _labelled(curves), _across(over_time, right), _up(top, amount), *_frame(right))


def _frame(right: float) -> tuple[float, float, float]:
    return float(_LEFT), right, float(HEIGHT - _BOTTOM)


def _bars(over_time: OverTime, amount: Amount, top: float, right: float) -> Iterator[Bar]:
    slot = _slot(over_time, right)
    width = min(slot * 0.8, _WIDEST)
    for step, start in enumerate(over_time.starts):
        reached = 0.0
        for line in over_time.lines:
            value = line.values[step] or 0
            if value:
                x = _LEFT + slot * (step + 0.5) - width / 2
                title = f"{_words(line.name)}, {since(over_time.unit, start)}: {amount(value)}"
                height = _y(reached, top) - _y(reached + value, top)
                yield Bar(line.name, _near(x), _near(_y(reached + value, top)), _near(width), _near(height), title)
            reached += value


def _curve(number: int, name: str, values: Sequence[float | None], scale: tuple[float, float], amount: Amount) -> Curve:
    top, right = scale
    slot = (right - _LEFT) / max(len(values), 1)
    pieces: list[list[tuple[float, float]]] = [[]]
    last: tuple[float, float] | None = None
    for step, value in enumerate(values):
        if value is None:
            pieces.append([])
            continue
        last = (_near(_LEFT + slot * (step + 0.5)), _near(_y(min(value, top), top)))
        pieces[-1].append(last)
    latest = next((value for value in reversed(values) if value is not None), None)
    return Curve(
        name=name,
        number=number,
        pieces=tuple(" ".join(f"{x},{y}" for x, y in piece) for piece in pieces if len(piece) > 1),
        points=tuple(dict.fromkeys((*(piece[0] for piece in pieces if len(piece) == 1), *((last,) if last else ())))),
        label=Tick(last[1] if last else float(HEIGHT), f"{_words(name)} {amount(latest)}", "start"),
    )


def _labelled(curves: list[Curve]) -> tuple[Curve, ...]:
    """The curves with their labels moved apart, none above the plot or below it."""
    placed: list[Curve] = []
    least = float(_TOP)
    for curve in sorted(curves, key=lambda curve: (curve.label.at, curve.number)):
        at = min(max(curve.label.at, least), HEIGHT - _BOTTOM - _GAP * (len(curves) - len(placed) - 1))
        placed.append(curve._replace(label=curve.label._replace(at=_near(at))))
        least = at + _GAP
    return tuple(sorted(placed, key=lambda curve: curve.number))


def _across(over_time: OverTime, right: float) -> tuple[Tick, ...]:
    """The first and the last step, and the one between them where there is room."""
    steps = sorted({0, (len(over_time.starts) - 1) // 2, len(over_time.starts) - 1} if over_time.starts else ())
    shown = steps if len(steps) < 3 or len(over_time.starts) > 4 else [steps[0], steps[-1]]  # noqa: PLR2004 - labels that fit
    slot = _slot(over_time, right)
    return tuple(
        Tick(
            _near(min(_LEFT + slot * (step + 0.5), WIDTH - _HALF)),
            since(over_time.unit, over_time.starts[step]),
            "middle",
        )
        for step in shown
    )


def _up(top: float, amount: Amount) -> tuple[Tick, ...]:
    return tuple(Tick(_near(_y(value, top)), amount(value)) for value in (0, top / 2, top))


def _slot(over_time: OverTime, right: float) -> float:
    return (right - _LEFT) / max(len(over_time.starts), 1)


def _y(value: float, top: float) -> float:
    return HEIGHT - _BOTTOM - (HEIGHT - _BOTTOM - _TOP) * value / top


def _round_up(number: float) -> float:
    """A round number that is not smaller and can be halved: the end of a scale."""
    if number < _LEAST:
        return 2
    size = 10.0 ** math.floor(math.log10(number))
    return next(factor * size for factor in (1, 2, 4, 6, 8, 10, 20) if factor * size >= number and factor * size != 1)


def since(unit: str, start: str) -> str:
    """The first day of a step, as precisely as its unit needs it."""
    day = date.fromisoformat(start)
    month = _MONTHS[day.month - 1]
    return {"day": f"{day.day} {month}", "week": f"{day.day} {month}", "month": f"{month} {day.year}"}.get(
        unit, str(day.year)
    )


def _words(name: str) -> str:
    return name.replace("_", " ")


def _near(number: float) -> float:
    return round(number, 1)
