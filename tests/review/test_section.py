"""The marked section of a file."""

from __future__ import annotations

import pytest
from hypothesis import given, settings, strategies as st

from agent_otel.errors import SettingsError
from agent_otel.review.note import note
from agent_otel.review.section import marks, with_section
from hostile_records import TEXTS, records

BEFORE, AFTER = marks("r")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", b"[\nnew\n]\n"),
        (b"mine", b"mine\n\n[\nnew\n]\n"),
        (b"mine\n", b"mine\n\n[\nnew\n]\n"),
        (b"mine\r\n", b"mine\r\n\r\n[\r\nnew\r\n]\r\n"),
        (b"mine\n[\nold\n]\nmine\xff", b"mine\n[\nnew\n]\nmine\xff"),
        (b"[\r\nold\r\nolder\r\n]\r\n", b"[\r\nnew\r\n]\r\n"),
        (b"[\n]", b"[\nnew\n]"),
        (b"see [ and ]\n", b"see [ and ]\n\n[\nnew\n]\n"),
    ],
)
def test_the_section_is_rewritten_and_nothing_else(content: bytes, expected: bytes) -> None:
    """In its place, or at the end; brackets stand for the marks."""
    content, expected = (
        text.replace(b"[", BEFORE.encode()).replace(b"]", AFTER.encode()) for text in (content, expected)
    )
    once = with_section(content, "r", "new\n")
    assert once == expected
    assert with_section(once, "r", "new\n") == once


@pytest.mark.parametrize("content", ["[\nold\n", "[\n]\n[\n]\n", "[\n{\n]\n"])
def test_what_is_not_clear_is_not_guessed(content: str) -> None:
    """A section that is not closed, or there twice, or holds another one is the user's to repair."""
    other, _ = marks("other")
    marked = content.replace("[", BEFORE).replace("]", AFTER).replace("{", other)
    with pytest.raises(SettingsError, match="once, and <!-- /agent-otel:note --> on a line of its own"):
        with_section(marked.encode(), "r", "new\n")


def test_runs_have_sections_of_their_own() -> None:
    """A note of another run is left as it is."""
    both = with_section(with_section(b"", "a", "of a\n"), "b", "of b\n")
    assert with_section(both, "a", "again\n") == both.replace(b"of a", b"again")


@given(run=TEXTS)
def test_marks_are_one_comment(run: str) -> None:
    """A run id cannot end the comment it stands in."""
    opening, _ = marks(run)
    assert opening.isascii()
    assert opening.isprintable()
    assert "--" not in opening.removeprefix("<!-- ").removesuffix(" -->")


@given(record=records(), around=st.lists(st.binary(max_size=20), min_size=2, max_size=2))
@settings(max_examples=40, deadline=None)
def test_any_note_can_be_found_again(record, around: list[bytes]) -> None:
    """Whatever a record says, its section ends where it ends."""
    before, after = (part.replace(b"\r", b"") for part in around)
    once = with_section(before + b"\n", record.run_id, note(record)) + after
    assert with_section(once, record.run_id, note(record)) == once
    shorter = with_section(once, record.run_id, "gone\n")
    assert shorter.startswith(before)
    assert shorter.endswith(AFTER.encode() + b"\n" + after)
