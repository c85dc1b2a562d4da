"""The formats of secrets, as the collector's regular expressions (RE2) say them."""

from __future__ import annotations

import re
from typing import Final

from agent_otel.text.patterns import TOKEN_RULES

_PEM_BODY: Final = r"(?:[^-]{0,200}-(?!-)){0,8}[^-]*"
_AROUND: Final = re.compile(r"\(\?<?[=!](?:\[[^\]]*\]|\{[^}]*\}|[^()\[\]])*\)")


def blocked_values() -> list[str]:
    """One for each format. RE2 looks neither ahead nor behind: words begin at their boundary instead."""
    return list(dict.fromkeys(_re2(rule.regex) for rule in TOKEN_RULES))


def _re2(regex: str) -> str:
    beginning = r"\b" if regex.startswith("(?<![A-Za-z0-9])") else ""
    # Without looking ahead there is no need to bound how far it reads, and RE2 would not repeat that often.
    return beginning + _AROUND.sub("", regex.replace(_PEM_BODY, r"(?:[^-]|-[^-])*"))
