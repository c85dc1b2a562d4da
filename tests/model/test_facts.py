"""Facts and items are values."""

from __future__ import annotations

from typing import get_args

import msgspec
import pytest

from agent_otel.model import fact
from agent_otel.model.fact import AnyFact, CommandRun, Fact
from agent_otel.model.item import Item, Log, Span, SpanEvent


def test_facts_are_a_closed_set() -> None:
    """Every kind of fact is in the union, and nothing else."""
    kinds = {
        value for value in vars(fact).values() if isinstance(value, type) and issubclass(value, Fact) and value != Fact
    }
    assert kinds == set(get_args(AnyFact))


@pytest.mark.parametrize("kind", [*get_args(AnyFact), Item, Span, SpanEvent, Log], ids=lambda kind: kind.__name__)
def test_values_are_frozen_and_take_keywords_only(kind: type[msgspec.Struct]) -> None:
    """Nobody changes a value in place, and no value is built by position."""
    config = kind.__struct_config__
    assert config.frozen
    with pytest.raises(TypeError):
        kind("by position")


def test_fact_refuses_a_wrong_field() -> None:
    """A typing mistake fails where it is made."""
    with pytest.raises(TypeError):
        CommandRun(ref="t/s", time_ns=1, command="make", result="passed", exitcode=0)


def test_place_of_a_span_is_its_two_ids() -> None:
    """Entries of a record point back to ``trace_id/span_id``."""
    assert Span(trace_id="aa", span_id="bb").ref == "aa/bb"


@pytest.mark.parametrize(
    ("trace", "span", "ref"), [("aa", "bb", "aa/bb"), ("aa", "", ""), ("", "bb", ""), ("", "", "")]
)
def test_place_of_a_log_record_needs_both_ids(trace: str, span: str, ref: str) -> None:
    """A log record outside a span has no place in a trace."""
    assert Log(key="k", time_ns=1, trace_id=trace, span_id=span).ref == ref
