"""Replays telemetry: the same requests at another time, under other ids, in other words."""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Final

from agent_otel.model import names

_NANOS: Final = re.compile(r'(?P<key>"\w+UnixNano": ?")(?P<ns>[1-9]\d*)"')
_MOMENT: Final = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z")
_LASTED: Final = re.compile(
    rf'(?P<key>"(?:{re.escape(names.COMMAND_DURATION)}|{re.escape(names.budget_consumed("wall_time"))})"'
    r', ?"value": ?\{"doubleValue": ?)(?P<seconds>[\d.e-]+)'
)
_ID: Final = re.compile(
    r"(?=[0-9a-f]{8})(?<![0-9A-Za-z.])(?<!\"intValue\": \")(?<!\"intValue\":\")(?:"  # numbers may look like ids
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{32}|[0-9a-f]{16}"
    r"|(?<=-\d{8}-)[0-9a-f]{8}"  # a run of the SDK: agent, day, number
    r")(?![0-9A-Za-z])"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """How to replay the telemetry of a run; pure, and the same every time.

    Every id is another one, by ``salt``; the same id stays the same wherever it stands. The first moment is ``starts``,
    and all others are as far from it as they were, or so much further that the last one is ``lasts`` later. ``words``
    stand for others, the longest first.
    """

    salt: str
    starts: datetime
    lasts: timedelta | None = None
    words: Mapping[str, str] = field(default_factory=dict)

    def lines(self, lines: Sequence[str]) -> list[str]:
        """The requests, lines of OTLP/JSON, as this replay sends them."""
        moments = [int(found["ns"]) for line in lines for found in _NANOS.finditer(line)]
        clock = _Clock(min(moments), max(moments), self.starts, self.lasts)
        return [clock.shifted(self.renamed(line)) for line in lines]

    def renamed(self, text: str) -> str:
        """The text with the ids and the words of this replay, such as the id of a run."""
        if self.words:
            words = "|".join(map(re.escape, sorted(self.words, key=len, reverse=True)))
            text = re.sub(words, lambda found: self.words[found[0]], text)
        fresh: dict[str, str] = {}
        return _ID.sub(lambda found: fresh.get(found[0]) or fresh.setdefault(found[0], self._fresh(found[0])), text)

    def _fresh(self, known: str) -> str:
        digits = hashlib.sha256(f"{self.salt} {known}".encode()).hexdigest()
        parts = known.split("-")
        ends = list(itertools.accumulate(map(len, parts)))
        return "-".join(digits[end - len(part) : end] for part, end in zip(parts, ends, strict=True))


class _Clock:
    """Moves moments; those of a run that took no time only shift."""

    def __init__(self, first_ns: int, last_ns: int, starts: datetime, lasts: timedelta | None) -> None:
        self._first_ns = first_ns
        self._starts_ns = int(starts.timestamp()) * 10**9
        took_ns = last_ns - first_ns
        self._stretch = 1.0 if lasts is None or not took_ns else lasts.total_seconds() * 1e9 / took_ns

    def shifted(self, line: str) -> str:
        line = _LASTED.sub(lambda found: f"{found['key']}{float(found['seconds']) * self._stretch:.6f}", line)
        line = _MOMENT.sub(lambda found: self._moment(found[0]), line)
        return _NANOS.sub(lambda found: f'{found["key"]}{self._ns(int(found["ns"]))}"', line)

    def _moment(self, text: str) -> str:
        whole, _, part = text.rstrip("Z").partition(".")
        seconds = int(datetime.fromisoformat(f"{whole}+00:00").timestamp())
        moved = self._ns(seconds * 10**9 + int(part.ljust(9, "0")))
        when = datetime.fromtimestamp(moved // 10**9, tz=timezone.utc)
        return f"{when:%Y-%m-%dT%H:%M:%S}.{moved % 10**9:09}"[: 20 + (len(part) or -1)] + "Z"

    def _ns(self, known: int) -> int:
        # Text may hold moments from before the run, such as a commit's, that must not become negative.
        return max(self._starts_ns + round((known - self._first_ns) * self._stretch), 1)
