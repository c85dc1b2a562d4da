"""How much memory processes have, as the operating system tells."""

from __future__ import annotations

import subprocess
import sys

from agent_otel.service.memory import of_processor, resident


def test_memory_that_is_taken_shows() -> None:
    """A process that takes 50 MB more has 50 MB more."""
    before = resident()
    taken = bytearray(b"x" * 50_000_000)
    assert resident() - before > 45_000_000
    del taken


def test_other_processes_are_weighed_while_they_live() -> None:
    """Those that fold are added up; one that has gone weighs nothing."""
    with subprocess.Popen([sys.executable, "-c", "print(); input()"], stdin=-1, stdout=-1) as other:
        other.stdout.readline()
        weighed = of_processor([other.pid])
        assert weighed["workers"] == resident(other.pid) > 1_000_000
        assert weighed["receiver"] > 1_000_000
        other.communicate(b"\n")
    assert of_processor([other.pid])["workers"] == 0
