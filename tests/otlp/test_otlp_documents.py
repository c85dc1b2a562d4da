"""Items written as OTLP again, and read back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from agent_otel.model.item import Item
from agent_otel.otlp.documents import document, request_body
from agent_otel.otlp.lines import items_from_bytes, items_from_line
from agent_otel.otlp.protobuf import items_from_protobuf

DATA = Path(__file__).parents[1] / "data"
CAPTURES = sorted(DATA.glob("otlp/*.jsonl"))


def items_in(file: Path) -> list[Item]:
    """All items of a capture that needed no mending."""
    return [item for item in items_from_bytes(file.read_bytes()).items if not item.repaired]


ITEMS = [item for capture in CAPTURES for item in items_in(capture)]


@pytest.mark.parametrize("capture", CAPTURES, ids=lambda path: path.stem)
def test_what_is_written_is_read_back(capture):
    """The same items come out of the document, and out of the requests of each signal."""
    items = items_in(capture)
    assert items
    assert {item.digest for item in items_from_line(document(items)).items} == {item.digest for item in items}
    for signal in ("span", "log"):
        some = [item for item in items if item.signal == signal]
        assert set(items_from_protobuf(request_body(some), signal).items) == set(some)


@given(st.data())
def test_neither_order_nor_repetition_loses_any(data):
    """Whatever is picked, all of it is there again, with its own resource and scope."""
    picked = data.draw(st.lists(st.sampled_from(ITEMS), max_size=12))
    assert sorted(item.digest for item in items_from_line(document(picked)).items) == sorted(
        item.digest for item in picked
    )


def test_a_resource_is_told_once():
    """Spans of one resource and scope share a block."""
    blocks = json.loads(document(ITEMS))["resourceSpans"]
    assert len(blocks) == len({(item.resource, item.scope) for item in ITEMS if item.signal == "span"})


def test_nothing_is_a_document_too():
    """Its lists are empty."""
    assert items_from_line(document([])).items == ()
    assert json.loads(document([])) == {"resourceSpans": [], "resourceLogs": []}
