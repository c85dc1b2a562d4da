"""The page that shows a report: one file of HTML with its style and charts in it, which asks for nothing else.

What a record says is put in as text and nothing else: everything is escaped, invisible and directing characters are
spelled out (``text.terminal``), the page has no script, and its policy lets the browser load nothing.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from agent_otel.errors import MissingExtra
from agent_otel.review.quarter.markdown import entries, often, to_decide
from agent_otel.review.report.amounts import AMOUNTS
from agent_otel.review.report.charts import HEIGHT, WIDTH, durations, shares, since, stacked
from agent_otel.review.report.shape import Report
from agent_otel.review.wording import count, shortened
from agent_otel.text.terminal import printable

if TYPE_CHECKING:
    import jinja2

    from agent_otel.review.quarter.shape import Review

_CHARTS: Final[dict[str, Callable[..., object]]] = {"stacked": stacked, "shares": shares, "durations": durations}


def page(report: Report, *, review: Review | None = None, title: str = "", made: str = "") -> str:
    """The page; the same report gives the same page.

    Args:
        report: the figures.
        review: the quarterly review, where it is asked for.
        title: what stands above, instead of what it is.
        made: when it was made, as it is to be told.

    Raises:
        MissingExtra: the library for templates is not installed.
    """
    templates = _templates()
    style = _text(templates, "style.css")
    policy = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    places = {row.run_id: number for number, row in enumerate(report.runs.first_to_review, start=1)}
    return templates.get_template("page.html").render(
        report=report,
        review=review,
        title=title or "Runs of coding agents",
        made=made,
        style=style,
        policy=policy,
        places=places,
    )


@functools.cache
def _templates() -> jinja2.Environment:
    try:
        import jinja2  # noqa: PLC0415 - an extra; the figures need nothing
    except ImportError as exc:
        what = "A report as a page"
        raise MissingExtra(what, "jinja2", extra="report") from exc
    templates = jinja2.Environment(
        loader=jinja2.PackageLoader("agent_otel.review.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    templates.filters |= {
        **AMOUNTS,
        "short": _short,
        "slug": _slug,
        "words": _words,
        "often": often,
        "entries": entries,
        "to_decide": to_decide,
    }
    templates.globals |= {
        **_CHARTS,
        "amounts": AMOUNTS,
        "count": count,
        "since": since,
        "width": WIDTH,
        "height": HEIGHT,
    }
    return templates


def _text(templates: jinja2.Environment, name: str) -> str:
    """A file beside the templates, as it is."""
    loader: Any = templates.loader
    source: str = loader.get_source(templates, name)[0]
    return source


def _shown(value: object) -> object:
    """What is put out where a template names a value: foreign text is made visible before it is escaped."""
    return printable(value) if type(value) is str else value


def _short(text: str, most: int = 100) -> str:
    """The first line of a text, as much as goes into a table."""
    return shortened(text.strip().split("\n", 1)[0], most)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _slug(name: str) -> str:
    """The name as a class of the style; only our own names have colours."""
    return re.sub(r"[^a-z]+", "-", name.lower())
