"""Sees to it that there is a browser, from Debian's package."""

from __future__ import annotations

from pathlib import Path

from make import program


def ensure() -> Path:
    """The program."""
    says = "install Chromium (Debian: apt-get install chromium)"
    return Path(program("chromium", packages=("chromium",), says=says))
