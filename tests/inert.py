"""What has to hold of everything that is told of a run, in whatever form, and of each of the forms."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

import cmarkgfm
from jsonschema import Draft4Validator

from agent_otel.text.terminal import printable

SARIF: Final = Draft4Validator(
    json.loads((Path(__file__).parent / "data" / "schemas" / "sarif-schema-2.1.0.json").read_text())
)
OURS: Final = {
    "h1", "h2", "h3", "h4", "p", "ul", "li", "code", "strong", "em", "a", "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip


def elements(page: str) -> set[str]:
    """The elements that a page of HTML has."""
    seen: set[str] = set()

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            seen.add(tag)

    Reader().feed(page)
    return seen


def is_inert(told: str) -> None:
    """Nothing moves a cursor, is unseen, or turns the reading direction; and it can be written as UTF-8."""
    assert printable(told, keep_newlines=True) == told


def starts_no_command(told: str) -> None:
    """A job that prints it gives its runner no workflow command, which may be indented."""
    assert [line for line in told.splitlines() if line.lstrip().startswith("::")] == []


def is_our_markdown(told: str) -> None:
    """GitHub's renderer makes nothing of it but what we write."""
    page = cmarkgfm.github_flavored_markdown_to_html(told, cmarkgfm.cmark.Options.CMARK_OPT_UNSAFE)
    assert elements(page) <= OURS


def is_json(told: str) -> None:
    """A parser reads it."""
    json.loads(told)


def is_sarif(told: str) -> None:
    """The standard's own schema allows it."""
    SARIF.validate(json.loads(told))


def is_xml(told: str) -> None:
    """A parser reads it, and finds one suite."""
    assert len(ET.fromstring(told)) == 1


def is_annotations(told: str) -> None:
    """Each line is one workflow command, of ours."""
    assert all(
        re.match(r"::(error|warning|notice) (file=[^,:]+,)?title=agent-otel", line) for line in told.splitlines()
    )
