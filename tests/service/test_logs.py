"""Log lines: structured, few, and harmless to look at."""

from __future__ import annotations

import io
import json
import logging

import pytest

from agent_otel.service.logs import EVERY_S, LONGEST, Rarely, logger
from agent_otel.service.settings import ProcessorSettings


@pytest.fixture(autouse=True)
def _root_as_it_was():
    """The root logger is everybody's."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield
    root.handlers[:] = before
    root.setLevel(level)


def lines(**settings) -> tuple:
    """A logger, and a function that gives what it wrote."""
    stream = io.StringIO()
    return logger(ProcessorSettings(**settings), stream), stream.getvalue


def test_lines_are_json_for_programs():
    """Where standard error is no terminal: one object a line, with level and time."""
    log, written = lines()
    log.info("listening", http=("http://127.0.0.1:1",))
    said = json.loads(written())
    assert (said["event"], said["level"], said["http"]) == ("listening", "info", ["http://127.0.0.1:1"])
    assert said["timestamp"].endswith("Z")


def test_lines_are_text_for_people():
    """Words and values, no colours."""
    log, written = lines(log_format="text")
    log.warning("requests are refused", error="full")
    assert "requests are refused" in written()
    assert "error=full" in written()
    assert "\x1b" not in written()


def test_less_severe_lines_are_left_out():
    """As the level says."""
    log, written = lines(log_level="error")
    log.info("listening")
    log.warning("hm")
    log.error("oh")
    assert [json.loads(line)["event"] for line in written().splitlines()] == ["oh"]


def test_what_others_said_cannot_move_a_cursor_or_fill_a_disk():
    """Control characters are shown as escapes, long texts are cut."""
    log, written = lines(log_format="text")
    log.warning("wrong", error="\x1b[2J\u202eevil\n" + "x" * 10_000)
    assert "\x1b" not in written()
    assert "\u202e" not in written()
    assert len(written()) < LONGEST + 300


def test_an_exception_comes_with_its_trace():
    """For the mistakes that are ours."""
    log, written = lines()
    try:
        _ = 1 // 0
    except ZeroDivisionError as exc:
        log.warning("a request cannot be answered", exc_info=exc)
    assert "ZeroDivisionError" in json.loads(written())["exception"]


def test_libraries_speak_the_same_way():
    """Warnings of theirs become lines like ours; their chatter does not."""
    _, written = lines(log_level="debug")
    logging.getLogger("some.library").warning("careful: %s", "\x1b[2J")
    logging.getLogger("some.library").info("chatter")
    (line,) = written().splitlines()
    assert json.loads(line)["event"] == "careful: \\x1b[2J"


def test_a_kind_of_trouble_is_told_now_and_then():
    """The first of it at once, the others as a number; other kinds are not held back."""
    now = [100.0]
    log, written = lines()
    rarely = Rarely(log, clock=lambda: now[0])
    for _ in range(50):
        rarely.warning("refused", error="full")
    rarely.warning("other")
    now[0] += EVERY_S
    rarely.warning("refused", error="still full")
    said = [json.loads(line) for line in written().splitlines()]
    assert [(each["event"], each.get("held_back")) for each in said] == [
        ("refused", None),
        ("other", None),
        ("refused", 49),
    ]
