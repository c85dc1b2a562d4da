"""Starts the programs of a test; all are ended after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest


@pytest.fixture(scope="module")
def run() -> Iterator[Callable[..., Any]]:
    """Starts a program: its class, and what that takes."""
    started: list[Any] = []

    def start(kind: Callable[..., Any], *arguments: object, **options: object) -> Any:
        started.append(kind(*arguments, **options))
        return started[-1]

    yield start
    for each in reversed(started):
        each.program.kill()
