"""What a process keeps of memory that it needs no more; each in a process of its own, since it is set for good."""

from __future__ import annotations

import subprocess
import sys

import pytest

from agent_otel.service.allocator import glibc

needs_glibc = pytest.mark.skipif(glibc() is None, reason="has another C library")

LARGE = """
largest = bytearray(24 << 20)  # from now on glibc would put what is smaller among what is small
del largest
held = [(bytearray(MAPPED_BYTES + 1), bytearray(2_000)) for _ in range(32)]
for each in held: each[0][:] = b"x" * len(each[0])
before, pins = resident(), [each[1] for each in held]
del held, each
"""

THREADS = """
from threading import Thread
pins = []
def fill():
    held = [bytes(size) for size in range(600, 6_600)]
    pins.extend(held[::100])
threads = [Thread(target=fill) for _ in range(4)]
for each in threads: each.start()
for each in threads: each.join()
before = resident()
give_back()
"""


def given_back(work: str, *, first: str = "") -> int:
    """How many bytes less a process has after some work than in the middle of it."""
    imports = "from agent_otel.service.allocator import *\nfrom agent_otel.service.memory import resident\n"
    code = f"{imports}{first}\n{work}\nprint(before - resident())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    return int(done.stdout)


@needs_glibc
def test_what_is_large_is_gone_when_it_is_not_needed():
    """Whatever was there before it, and whatever lies beside it."""
    assert given_back(LARGE, first="assert keep_little()") > 28 << 20


@needs_glibc
def test_what_lies_between_things_that_are_needed_is_given_back():
    """In the heaps of all threads, those that have ended as well."""
    assert given_back(THREADS, first="assert keep_little()") > 10 << 20
