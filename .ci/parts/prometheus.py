"""Sees to it that there are Prometheus and promtool, from Debian's package."""

from __future__ import annotations

from pathlib import Path

from make import program

SAYS = "install Prometheus with promtool (Debian, Ubuntu: apt-get install prometheus)"


def ensure() -> Path:
    """The server; promtool comes with it."""
    program("promtool", packages=("prometheus",), says=SAYS)
    return Path(program("prometheus", packages=("prometheus",), says=SAYS))
