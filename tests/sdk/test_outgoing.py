"""What leaves the process: repaired, masked, cut; and our own failures end in one place."""

from __future__ import annotations

import logging

import pytest

import agent_otel
from agent_otel.model import names
from agent_otel.sdk import guard
from agent_otel.sdk.attributes import Outgoing
from agent_otel.sdk.settings import SdkSettings
from agent_otel.sdk.state import Instrumentation
from agent_otel.testing import record_runs
from agent_otel.text.redaction import Masker

SECRET = "ghp_" + "c3D4" * 9


def outgoing(**settings: object) -> Outgoing:
    """Attributes on their way out, with a masker."""
    return Outgoing(Instrumentation(settings=SdkSettings(**settings), masker=Masker(key=b"test")))


def test_absent_values_are_left_out_and_empty_lists_are_not() -> None:
    """None and "" were not given; an empty list was."""
    made = outgoing()
    made.update({"a": None, "b": "", "c": [], "d": 0, "e": False})
    assert made.finish() == {"c": [], "d": 0, "e": False}


def test_text_is_masked_before_it_is_cut() -> None:
    """Half a secret matches no pattern, so cutting comes last; the count of secrets goes along."""
    made = outgoing(value_limit=64)
    made.put("text", f"{'x' * 60} {SECRET} {'y' * 200}")
    attributes = made.finish()
    assert SECRET[:12] not in attributes["text"]
    assert len(attributes["text"].encode()) <= 64
    assert attributes[names.REDACTIONS] == 1


def test_values_no_attribute_can_hold_are_repaired() -> None:
    """Lone surrogates, integers past 64 bits, bytes and objects become what a backend accepts."""
    made = outgoing()
    made.update({"text": "a\ud800b", "big": 2**80, "bytes": b"\xff", "list": [1, "a"], "object": object})
    attributes = made.finish()
    assert attributes["text"] == "a\ufffdb"
    assert attributes["big"] == str(2**80)
    assert all(isinstance(attributes[name], str | list | int) for name in attributes)


@pytest.mark.parametrize("value", [SECRET, [SECRET], {"token": SECRET}, f"Bearer {SECRET}", [["nested", SECRET]]])
def test_secrets_are_masked_in_every_form(value: object) -> None:
    """Text, lists, mappings: the secret is nowhere."""
    made = outgoing()
    made.put("value", value)
    assert SECRET not in repr(made.finish())


def test_our_own_failure_is_counted_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    """The body's exception ends in the guard; interrupts pass."""
    caplog.set_level(logging.WARNING, logger="agent_otel")
    for _ in range(3):
        with guard.guard("testing the guard"):
            raise ZeroDivisionError
    assert guard.failures()["testing the guard: ZeroDivisionError"] == 3
    assert [line.message for line in caplog.records] == [
        "agent-otel failed while testing the guard; the program goes on (said once)"
    ]
    with pytest.raises(KeyboardInterrupt), guard.guard("testing the guard"):
        raise KeyboardInterrupt


def test_every_word_masks_what_it_records() -> None:
    """The planted secret is in no span, event or log record, whatever the word."""
    with record_runs(git=False) as recorded:
        with agent_otel.run(f"Fix {SECRET}", agent="fixer", scope=[SECRET], acceptance=SECRET, id="run") as run:
            run.failure(command=SECRET, error=SECRET, suspected_cause=SECRET)
            run.decision(SECRET, alternatives={SECRET: SECRET}, based_on=[SECRET])
            run.verification(SECRET, evidence=[SECRET], reason=SECRET)
            run.skipped(SECRET, reason=SECRET)
            run.handoff(SECRET, blockers=[SECRET], next_action=SECRET, risks=[SECRET], look_twice=[SECRET])
            run.file_read(SECRET, reason=SECRET)
            run.file_changed(SECRET)
            run.context_source(SECRET)
            run.risk(SECRET)
            run.final_message(SECRET)
            run.usage(model=SECRET)
            run.gate(SECRET, "deny", policy=SECRET, reason=SECRET)
            run.record_command(SECRET, output=SECRET, cwd=SECRET)
            run.command(["echo", SECRET], cwd="/")
        sent = "".join(span.to_json() for span in recorded.spans)
        sent += "".join(log.to_json() for log in recorded.logs)
        sent += repr(recorded.metrics())
        sent += repr(recorded.records)
    assert SECRET not in sent
    assert SECRET[4:] not in sent
