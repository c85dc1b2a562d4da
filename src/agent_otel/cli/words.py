"""Words as people type them on a command line."""

from __future__ import annotations

from typing import Any

import click

from agent_otel.text.sanitise import clean


class Words(click.ParamType[str]):
    """Text that says something, as it can be sent."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The text without the space around it, and without what UTF-8 cannot hold."""
        words = clean(str(value)).strip()
        if not words:
            self.fail("expected words, got none", param, ctx)
        return words
