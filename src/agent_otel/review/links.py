"""Addresses of what stands behind a record: its traces in Jaeger, Tempo or Grafana, and kept outputs of commands.

They come from templates that the user gives. What a record puts into them is percent-encoded, so that it can be part of
one segment or parameter, and nothing else.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

import msgspec

from agent_otel.errors import SettingsError
from agent_otel.model.record import Command, RunRecord

_SAFE: Final = "%:/?#[]@!$&'()*+,;="
_LONGEST: Final = 1000


class Templates(msgspec.Struct, frozen=True, kw_only=True):
    """Where things are: ``trace`` has ``{trace_id}`` and may have ``{span_id}``; ``output`` has ``{sha256}``.

    Empty: nowhere. Other braces are left as they are, since addresses of Grafana are full of them.
    """

    trace: str = ""
    output: str = ""

    def __post_init__(self) -> None:
        _check("trace", self.trace, "{trace_id}")
        _check("output", self.output, "{sha256}")


def trace_link(record: RunRecord, templates: Templates) -> str:
    """The address of the run's first trace; empty where there is none."""
    first = next(iter(record.capture.traces), "")
    return span_link(f"{first}/", templates) if first else ""


def span_link(span: str | None, templates: Templates) -> str:
    """The address of a span, given as ``trace_id/span_id``; empty where there is none."""
    trace_id, _, span_id = (span or "").partition("/")
    return _filled(templates.trace, {"trace_id": trace_id, "span_id": span_id}) if trace_id else ""


def output_link(command: Command, templates: Templates) -> str:
    """The address of what a command printed; empty where its digest is not known."""
    digest = command.output.sha256 if command.output else None
    return _filled(templates.output, {"sha256": digest}) if digest else ""


def _filled(template: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        template = template.replace(f"{{{name}}}", quote(value, safe="", errors="replace"))
    filled = quote(template, safe=_SAFE, errors="replace")
    return filled if len(filled) <= _LONGEST else ""


def _check(name: str, template: str, needed: str) -> None:
    if template and not (template.startswith(("http://", "https://")) and needed in template):
        message = f"{name}: expected an http(s) URL with {needed} in it, got {template!r}"
        raise SettingsError(message)
