"""The run that a word names: its id, the beginning of one, or ``last``."""

from __future__ import annotations

import difflib
from typing import Final

from agent_otel.cli.records import ALL, Records
from agent_otel.errors import NotFound
from agent_otel.model.record import RunRecord
from agent_otel.store.base import RecordQuery

_EVERY: Final = RecordQuery(limit=ALL)
_NAMED: Final = 8
"""How many run ids an error lists."""
_NEAREST: Final = 3
_ALIKE: Final = 0.7


def find_run(records: Records, run: str) -> RunRecord:
    """The record that ``run`` names: an id, the beginning of exactly one id, or ``last``.

    ``last`` is the latest run that is not part of another one.

    Raises:
        NotFound: none or several answer to it; the message lists what there is.
    """
    if run == "last":
        return _last(records)
    exact = records.record(run)
    if exact is not None:
        return exact
    found = [record for record in records.records(_EVERY) if record.run_id.startswith(run)] if run else []
    if len(found) == 1:
        return found[0]
    if found:
        message = f"several runs begin with {run!r}: {_listed([record.run_id for record in found])}"
        raise NotFound(message)
    message = f"no run {run!r}; {_instead(records, run)}"
    raise NotFound(message)


def _instead(records: Records, run: str) -> str:
    """The runs whose ids are nearest to one that is not there, or else the latest."""
    ids = [record.run_id for record in records.records(_EVERY)]
    if not ids:
        return "there are no runs"
    near = difflib.get_close_matches(run, ids, n=_NEAREST, cutoff=_ALIKE)
    return f"the nearest are: {_listed(near)}" if near else f"the latest are: {_listed(ids[:_NAMED])}"


def _last(records: Records) -> RunRecord:
    latest = next(iter(records.records(RecordQuery(limit=1))), None)
    if latest is None:
        message = "there are no runs"
        raise NotFound(message)
    return next((record for record in records.records(_EVERY) if record.parent_run is None), latest)


def _listed(ids: list[str]) -> str:
    more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
    return ", ".join(ids[:_NAMED]) + more
