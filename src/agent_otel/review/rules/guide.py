"""The rules as a page to read, made from their table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from agent_otel.review.rules.base import Rule
from agent_otel.text.markdown import inline


def as_markdown(rules: Iterable[Rule]) -> str:
    """A section for each rule: what is wrong, an example of what triggers it, how to repair and how to silence it."""
    return "\n".join(["# Rules", "", _ABOUT, *(line for rule in rules for line in _section(rule))]) + "\n"


_ABOUT = """\
What records are held to. Any rule is silenced for a repository, with the reason, by a line under `[rules.ignore]` of
its contract, such as `no-handoff = "our agents report in the pull request"`; `[rules.severity]` makes it
weigh otherwise."""


def _section(rule: Rule) -> Iterator[str]:
    yield from ("", f"## {rule.id}", "", f"{_sentence(rule.summary)} Severity: {rule.severity}.")
    yield from (f"Points to: {rule.layer}.", "", f"- Example: {inline(rule.example)}")
    yield f"- Remedy: {inline(rule.remedy)}"


def _sentence(text: str) -> str:
    return f"{inline(text[:1].upper() + text[1:])}."
