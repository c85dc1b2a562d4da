"""Every format of an audit, by name. A new one is one function and one entry here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from agent_otel.model.record import Severity
from agent_otel.review.audit import Audit
from agent_otel.review.formats.github import as_github
from agent_otel.review.formats.gitlab import as_gitlab
from agent_otel.review.formats.junit import as_junit
from agent_otel.review.formats.plain import as_json
from agent_otel.review.formats.sarif import as_sarif
from agent_otel.review.formats.text import as_text

Format = Callable[[Sequence[Audit], Severity], str]
"""Makes one document of audits; the severity is the one at which a gate fails."""

FORMATS: Final[dict[str, Format]] = {
    "text": as_text,
    "json": as_json,
    "sarif": as_sarif,
    "github": as_github,
    "gitlab": as_gitlab,
    "junit": as_junit,
}
