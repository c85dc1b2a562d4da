"""A record stays an index: long texts are cut, long lists keep their ends, and the record says so."""

from __future__ import annotations

from typing import Any

import msgspec

from agent_otel.compaction.policy import Policy
from agent_otel.model.record import RunRecord
from agent_otel.text.truncation import truncate


def bounded(record: RunRecord, policy: Policy) -> RunRecord:
    """The record within the limits of the policy; ``capture.limits`` tells which lists are not whole."""
    if _fits(record, policy):
        return record
    cutter = _Cutter(policy)
    changed = {name: cutter.cut(getattr(record, name), name) for name in record.__struct_fields__}
    capture = msgspec.structs.replace(
        changed["capture"], truncated=True, limits=tuple(sorted({*record.capture.limits, *cutter.cuts}))
    )
    return msgspec.structs.replace(record, **{**changed, "capture": capture})


def _fits(whole: Any, policy: Policy) -> bool:
    """True when nothing in it is over a limit, which is nearly always so, and therefore asked first."""
    most, short = policy.max_entries, policy.max_text // 4  # no character has more than four bytes
    waiting: list[Any] = [whole]
    for value in waiting:  # which grows as structures are opened; what is empty fits
        kind = value.__class__
        if kind is str:
            if len(value) > short and len(value.encode("utf-8", "replace")) > policy.max_text:
                return False
        elif kind is tuple or kind is dict:
            if len(value) > most:
                return False
            waiting += filter(None, value)
            if kind is dict:
                waiting += value.values()
        elif isinstance(value, msgspec.Struct):
            waiting += filter(None, msgspec.structs.astuple(value))
    return True


class _Cutter:
    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self.cuts: set[str] = set()

    def cut(self, value: Any, where: str) -> Any:
        """The value within the limits; ``where`` is the field of the record it stands in."""
        if _fits(value, self._policy):
            return value
        if isinstance(value, str):
            self.cuts.add("text-cut")
            return truncate(value, self._policy.max_text).text
        if isinstance(value, tuple):
            return tuple(self.cut(entry, where) for entry in self._ends(value, where))
        if isinstance(value, dict):
            entries = self._ends(tuple(value.items()), where)
            return {self.cut(key, where): self.cut(entry, where) for key, entry in entries}
        fields = {name: self.cut(getattr(value, name), f"{where}.{name}") for name in value.__struct_fields__}
        return msgspec.structs.replace(value, **fields)

    def _ends(self, entries: tuple[Any, ...], where: str) -> tuple[Any, ...]:
        most = self._policy.max_entries
        if len(entries) <= most:
            return entries
        self.cuts.add(f"{where}: {most} of {len(entries)}")
        first = (most + 1) // 2
        return entries[:first] + entries[len(entries) - (most - first) :]
