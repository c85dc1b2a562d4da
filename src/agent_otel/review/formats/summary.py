"""Audits as the summary of a job on GitHub: Markdown, within its size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from agent_otel.model.record import Finding
from agent_otel.review.audit import Audit
from agent_otel.review.formats.text import summed
from agent_otel.review.wording import shortened
from agent_otel.text.markdown import code, inline

BUDGET: Final = 1 << 20
"""Bytes that GitHub takes of the summary of a step; of a larger one it takes nothing."""

_LONGEST: Final = 2000


def as_summary(audits: Sequence[Audit], *, budget: int = BUDGET) -> str:
    """A table of findings for each run, in at most ``budget`` bytes; what does not fit is counted."""
    head = f"## agent-otel: {summed(audits)}\n"
    rows = [row for audit in audits for row in _rows(audit)]
    left = budget - len(head.encode()) - len(_more(len(rows)).encode())
    for place, row in enumerate(rows):
        left -= len(row.encode())
        if left < 0:
            return head + "".join(rows[:place]) + _more(len(rows) - place)
    return head + "".join(rows)


def _rows(audit: Audit) -> Iterator[str]:
    record = audit.record
    head = f"\n### {inline(record.review_state or '')}: {code(shortened(record.run_id, _LONGEST))}\n"
    if not record.findings:
        yield head
        return
    first, *others = audit.sorted()
    # The first row comes with the head of its table: neither stands without the other.
    yield f"{head}\n| severity | rule | layer | finding |\n|---|---|---|---|\n{_row(first)}"
    yield from map(_row, others)


def _row(finding: Finding) -> str:
    message = inline(shortened(finding.message, _LONGEST))
    return f"| {finding.severity} | {code(shortened(finding.rule, _LONGEST))} | {finding.layer or ''} | {message} |\n"


def _more(number: int) -> str:
    return f"\n… and {number} more: the whole record has them\n"
