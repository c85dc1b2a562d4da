"""Remembering what texts come to."""

from __future__ import annotations

from agent_otel.compaction.remembered import remembered


def test_short_texts_are_worked_out_once_and_long_ones_each_time() -> None:
    """What is remembered is bounded by the length of the texts, too: they are a sender's."""
    asked: list[str] = []

    @remembered
    def length(text: str) -> int:
        """How long it is."""
        asked.append(text)
        return len(text)

    long = "x" * 10_000
    assert [length("short"), length("short"), length(long), length(long)] == [5, 5, 10_000, 10_000]
    assert asked == ["short", long, long]
    assert length.__doc__ == "How long it is."
