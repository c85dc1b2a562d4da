"""The review note: what a reviewer has to know before reading the diff, as Markdown for a pull request.

``text.as_markdown`` tells a whole record; this tells what decides: which required checks are proved and which are not,
what speaks against the run's own words, what was changed and where to look twice, what is still open and whose move it
is. The same record gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from agent_otel.model.record import ChangedFile, Command, Finding, Layer, RunRecord, Severity, Verdict
from agent_otel.review.fit import Block, Measure
from agent_otel.review.links import Templates, output_link, span_link, trace_link
from agent_otel.review.standing import Standing, standings
from agent_otel.review.testpaths import edited_tests, is_test, relies_on_tests
from agent_otel.review.wording import count, duration, result, shortened
from agent_otel.text.markdown import code, inline
from agent_otel.text.terminal import printable

LEAST: Final = 8_000
"""The smallest budget: the heading and the counts of any record fit into it."""
BUDGET: Final = 60_000
"""Below what GitHub takes as a comment, which is 65536 characters."""

NO_TEMPLATES: Final = Templates()

_LONG: Final = 300
_SHORT: Final = 60
_TAIL: Final = 3
_WORST: Final[tuple[Verdict, ...]] = (
    "contradicted", "failed", "not_run", "stale", "claimed", "unverifiable", "proved",
)  # fmt: skip
_OF_CHECKS: Final = frozenset(
    ["missing-required-check", "failing-required-check", "contradicted-verification", "stale-verification"]
)
"""Rules whose findings say what the line of a check says already."""
_SEVERITIES: Final[tuple[Severity, ...]] = ("error", "warning", "info")
_MARKDOWN: Final = Measure(size=len, more=lambda left: f"- … and {left} more, in the whole record")


def note(record: RunRecord, *, templates: Templates = NO_TEMPLATES, budget: int = BUDGET) -> str:
    """The review note of a judged record, ending in a line feed.

    Args:
        record: a judged record.
        templates: where traces and outputs can be looked at.
        budget: the most characters it may have; at least ``LEAST``.
    """
    head = "\n".join(_head(record, templates))
    foot = f"\nThe whole record: {code(f'agent-otel show {_cut(record.run_id, _SHORT)}')}\n"
    blocks = tuple(_blocks(record, templates))
    lines = _MARKDOWN.fitted(blocks, budget - len(head) - len(foot) - 1)
    return "\n".join((head, *lines, foot))


def _head(record: RunRecord, templates: Templates) -> Iterator[str]:
    yield f"## agent-otel: {record.review_state or 'not judged'}"
    yield ""
    yield _words(record.task.objective or "no objective recorded")
    yield ""
    agent = " ".join(_words(text, _SHORT) for text in (record.agent.name, record.agent.version) if text)
    took = f", {duration(record.duration_s)}" if record.duration_s is not None else ""
    started = f", {_code(record.started, _SHORT)}" if record.started else ""
    trace = _aside("trace", trace_link(record, templates))
    yield f"- run {_code(record.run_id, _SHORT)} by {agent or 'an unnamed agent'}{started}{took}{trace}"
    yield f"- required checks: {_required(record)}"
    yield f"- {_did(record)}"
    if record.final_status:
        yield f"- it says of itself: {_words(record.final_status)}"


def _required(record: RunRecord) -> str:
    required = [check for check in standings(record) if check.required]
    if not required:
        return "none were demanded"
    proved = sum(check.verdict == "proved" for check in required)
    return f"{proved} of {len(required)} proved"


def _did(record: RunRecord) -> str:
    failed = sum(command.result != "passed" for command in record.commands)
    added = sum(file.lines_added or 0 for file in record.changed_files)
    removed = sum(file.lines_removed or 0 for file in record.changed_files)
    lines = f" (+{added}, -{removed})" if added or removed else ""
    ran = f"{count(len(record.commands), 'command')}" + (f", {failed} of them not passed" if failed else "")
    return f"{count(len(record.changed_files), 'file')} changed{lines}; {ran}; {_found(record)}"


def _found(record: RunRecord) -> str:
    numbers = {word: sum(each.severity == word for each in record.findings) for word in _SEVERITIES[:2]}
    return ", ".join(count(number, word) for word, number in numbers.items() if number) or "no errors or warnings"


def _blocks(record: RunRecord, templates: Templates) -> Iterator[Block]:
    checks = sorted(standings(record), key=lambda check: _WORST.index(check.verdict))
    edited = len(edited_tests(record))
    layers = {ref: each.layer for each in record.findings if each.rule in _OF_CHECKS for ref in each.refs}
    told: tuple[tuple[str, Iterator[str], int], ...] = (
        ("Required checks", (_check(check, layers, templates, edited) for check in checks if check.required), 200),
        ("Other checks", (_check(check, layers, templates, edited) for check in checks if not check.required), 30),
        ("What speaks against it", _findings(record), 40),
        ("Near-misses, which only a reviewer caught", _near_misses(record), 20),
        ("Next action", _next(record), 30),
        ("Remaining risks", (f"- {_words(risk)}" for risk in _risks(record)), 30),
        ("Assumptions", (f"- {_words(text)}" for text in (record.handoff.assumptions if record.handoff else ())), 30),
        ("Look twice", _twice(record), 30),
        ("Tests edited in the run", _tests(record), 30),
        ("Changed files", _changes(record, templates), 100),
        ("Commands", _commands(record, templates), 60),
        ("What telemetry could not show", (f"- {_words(limit)}" for limit in record.capture.limits), 30),
    )
    for title, lines, most in told:
        entries = tuple(lines)
        if entries:
            yield Block(f"\n### {title}\n", entries, most)


def _check(check: Standing, layers: Mapping[str, Layer | None], templates: Templates, edited: int) -> str:
    """A check, its verdict with the reason, and the part of the harness that a fix belongs to.

    ``edited`` is how many tests the run edited, which is told of what relies on them.
    """
    found = check.verification
    layer = layers.get(check.refs[0])
    why = f": {_words(found.verdict_reason)}" if found and found.verdict_reason else ""
    link = span_link(found.span, templates) if found else ""
    tests = f" ({count(edited, 'test file')} edited in the run)" if edited and found and relies_on_tests(found) else ""
    return f"- {_strong(check.verdict)} {_linked(_words(check.check), link)}{why}{tests}{_pointer(layer)}"


def _pointer(layer: Layer | None) -> str:
    return f" → {layer}" if layer else ""


def _strong(verdict: Verdict) -> str:
    told = verdict.replace("_", " ")
    return told if verdict == "proved" else f"**{told}**"


def _findings(record: RunRecord) -> Iterator[str]:
    """Errors and warnings that no check's line tells, the worst first."""
    told = {ref for check in standings(record) for ref in check.refs}
    serious = [
        each
        for each in record.findings
        if each.severity != "info" and not (each.rule in _OF_CHECKS and each.refs and told.issuperset(each.refs))
    ]
    for each in sorted(serious, key=lambda finding: _SEVERITIES.index(finding.severity)):
        yield f"- {each.severity} {_code(each.rule, _SHORT)}: {_words(each.message)}{_pointer(each.layer)}"


def _near_misses(record: RunRecord) -> Iterator[str]:
    for entry in record.near_misses:
        where = f", in {', '.join(_code(file) for file in entry.files)}" if entry.files else ""
        yield f"- {_words(entry.caught_by, _SHORT)}: {_words(entry.what)}{where}{_pointer(entry.layer)}"


def _next(record: RunRecord) -> Iterator[str]:
    handoff = record.handoff
    if handoff is None:
        yield "- the run left no handoff"
        return
    yield f"- {_words(handoff.next_action or 'none was given')}"
    yield from (f"- blocked: {_words(blocker)}" for blocker in handoff.blockers)


def _risks(record: RunRecord) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*record.open_risks, *(record.handoff.risks if record.handoff else ()))))


def _twice(record: RunRecord) -> Iterator[str]:
    """Places to look twice: those the run names, then changed files that give reason to."""
    named = record.handoff.look_twice if record.handoff else ()
    yield from (f"- {_code(place)}: the handoff says so" for place in named)
    for file in record.changed_files:
        reasons = _suspicions(file, record.findings)
        if reasons:
            yield f"- {_code(file.path)}: {', '.join(reasons)}"


def _suspicions(file: ChangedFile, findings: tuple[Finding, ...]) -> list[str]:
    rules = dict.fromkeys(each.rule for each in findings if file.path in each.refs and each.severity != "info")
    return [_code(rule, _SHORT) for rule in rules]


def _tests(record: RunRecord) -> Iterator[str]:
    """Edited tests: what they prove now is not what they proved before."""
    for file in edited_tests(record):
        yield f"- {_words(file.operation, _SHORT)} {_code(file.path)}{_lines(file)}"


def _changes(record: RunRecord, templates: Templates) -> Iterator[str]:
    named = frozenset(record.handoff.look_twice if record.handoff else ())
    for file in record.changed_files:
        marks = ["**look twice**"] if file.path in named or _suspicions(file, record.findings) else []
        marks += ["test"] if is_test(file.path) else []
        moved = f" from {_code(file.old_path)}" if file.old_path else ""
        path = _linked(_code(file.path), span_link(file.span, templates))
        yield f"- {' · '.join((f'{_words(file.operation, _SHORT)} {path}{moved}{_lines(file)}', *marks))}"


def _lines(file: ChangedFile) -> str:
    parts = [
        f"{sign}{number}" for sign, number in (("+", file.lines_added), ("-", file.lines_removed)) if number is not None
    ]
    parts += ["never read before"] if file.read_before is False else []
    return f" ({', '.join(parts)})" if parts else ""


def _commands(record: RunRecord, templates: Templates) -> Iterator[str]:
    """Commands with their results, those that did not pass first, with the end of what they printed."""
    for command in sorted(record.commands, key=lambda each: each.result == "passed"):
        text = _linked(_code(command.command), span_link(command.span, templates))
        output = _aside("output", output_link(command, templates))
        tail = () if command.result == "passed" else _tail(command)
        yield "\n".join((f"- {text}: {result(command)}{output}", *(f"  - {_code(line)}" for line in tail)))


def _tail(command: Command) -> list[str]:
    lines = [line.strip() for line in ((command.output and command.output.tail) or "").splitlines()]
    return [line for line in lines if line][-_TAIL:]


def _linked(text: str, address: str) -> str:
    return f"[{text}](<{address}>)" if address else text


def _aside(text: str, address: str) -> str:
    return f", [{text}](<{address}>)" if address else ""


def _words(text: str, most: int = _LONG) -> str:
    return inline(_cut(text, most))


def _code(text: str, most: int = _LONG) -> str:
    return code(_cut(text, most))


def _cut(text: str, most: int) -> str:
    return shortened(printable(text), most)
