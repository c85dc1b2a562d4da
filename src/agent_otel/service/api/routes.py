"""What can be asked: one table, from which the answers and their description come."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final, NamedTuple
from urllib.parse import quote, unquote

import msgspec

from agent_otel.model.item import Item
from agent_otel.model.record import RunRecord, encode
from agent_otel.otlp.documents import document
from agent_otel.service.api.cursors import opaque
from agent_otel.service.api.pages import PAGE_BYTES, next_link, page_of_records
from agent_otel.service.api.parameters import ITEMS_AT_ONCE, OF_ITEMS, OF_RUNS, RUNS_AT_ONCE, Parameter
from agent_otel.service.api.problems import bad_request, not_found
from agent_otel.service.exchange import Reply
from agent_otel.store.base import RecordQuery, Store, item_cursor

JSON: Final = "application/json"
_SHOWN: Final = 200
"""Characters of a run id that a message repeats."""


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked of a route: ``path`` as it is written properly, and the values of its parameters."""

    path: str
    run_id: str = ""
    values: Mapping[str, Any] = {}


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """Something that can be asked with GET.

    ``{run_id}`` stands for one segment of the path. ``answers`` is the JSON Schema of the body, with references to the
    components of the description. ``paged``: it leads to a next page.
    """

    path: str
    name: str
    summary: str
    description: str = ""
    parameters: tuple[Parameter, ...] = ()
    paged: bool = False
    answers: Mapping[str, Any]
    answer: Callable[[Asked, Store], Reply]


class Found(NamedTuple):
    """The route of a path, and the run it names."""

    route: Route
    run_id: str
    path: str


def find(path: str, routes: Sequence[Route]) -> Found:
    """The route at a path.

    Args:
        path: percent-encoded, as it came.
        routes: which there are.

    Raises:
        Refusal: there is none.
    """
    segments = path.split("/")
    for route in routes:
        wanted = route.path.split("/")
        if len(wanted) == len(segments) and all(
            ours == theirs or (ours == "{run_id}" and theirs) for ours, theirs in zip(wanted, segments, strict=True)
        ):
            run_id = _decoded(segments[wanted.index("{run_id}")]) if "{run_id}" in wanted else ""
            return Found(route, run_id, route.path.replace("{run_id}", quote(run_id, safe="")))
    message = f"nothing is at {path[:_SHOWN]!r}; there is {', '.join(route.path for route in routes)}"
    raise not_found(message)


def reply_json(body: bytes, headers: Mapping[str, str]) -> Reply:
    """The reply with a body of JSON."""
    return Reply(status=HTTPStatus.OK.value, body=body, headers={"content-type": JSON, **headers})


def list_runs(asked: Asked, store: Store) -> Reply:
    """A page of records."""
    values = dict(asked.values)
    earliest_first = values.pop("order", "latest") == "earliest"
    after, limit = values.pop("cursor", ""), values.pop("limit", RUNS_AT_ONCE)
    query = RecordQuery(**values, after=after, limit=limit, earliest_first=earliest_first)
    page = page_of_records(store, query)
    body = {"runs": page.documents, **({"next": page.next} if page.next else {})}
    return reply_json(msgspec.json.encode(body), next_link(asked.path, asked.values, page.next))


def show_run(asked: Asked, store: Store) -> Reply:
    """One record."""
    return reply_json(encode(_record(asked.run_id, store)), {})


def list_items(asked: Asked, store: Store) -> Reply:
    """A page of the telemetry behind a record."""
    _record(asked.run_id, store)
    after, limit = asked.values.get("cursor", ""), asked.values.get("limit", ITEMS_AT_ONCE)
    found = store.run_items(asked.run_id, after=after, limit=limit + 1, most_bytes=PAGE_BYTES)
    items = found[:limit]
    further = opaque(item_cursor(items[-1])) if len(found) > limit or _is_full(items) else ""
    return reply_json(document(items), next_link(asked.path, asked.values, further))


def _is_full(items: Sequence[Item]) -> bool:
    return sum(len(item.raw) for item in items) >= PAGE_BYTES


def _record(run_id: str, store: Store) -> RunRecord:
    record = store.record(run_id)
    if record is None:
        message = f"no run {run_id[:_SHOWN]!r}"
        raise not_found(message)
    return record


def _decoded(segment: str) -> str:
    try:
        return unquote(segment, errors="strict")
    except UnicodeDecodeError as exc:
        message = "expected a run id in UTF-8, percent-encoded"
        raise bad_request(message) from exc


RECORD: Final = {"$ref": "#/components/schemas/RunRecord"}

READS: Final = (
    Route(
        path="/api/runs",
        name="listRuns",
        summary="Run records, a page at a time.",
        description="In the order of their start, the latest first; conditions hold together.",
        parameters=OF_RUNS,
        paged=True,
        answers={
            "type": "object",
            "properties": {
                "runs": {"type": "array", "items": RECORD},
                "next": {"type": "string", "description": "The cursor of the next page; absent on the last one."},
            },
            "required": ["runs"],
        },
        answer=list_runs,
    ),
    Route(
        path="/api/runs/{run_id}",
        name="showRun",
        summary="The record of a run.",
        answers=RECORD,
        answer=show_run,
    ),
    Route(
        path="/api/runs/{run_id}/items",
        name="listItems",
        summary="The spans and log records that the record was made from, as OTLP/JSON, a page at a time.",
        description=(
            "Each page is a document that any OTLP receiver (and `agent-otel compact`) reads. They may belong to"
            " several runs that hang together, and are gone when they have expired."
        ),
        parameters=OF_ITEMS,
        paged=True,
        answers={
            "type": "object",
            "properties": {
                "resourceSpans": {"type": "array", "items": {"type": "object"}},
                "resourceLogs": {"type": "array", "items": {"type": "object"}},
            },
        },
        answer=list_items,
    ),
)
