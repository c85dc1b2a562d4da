"""The options by which commands choose among runs."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final, get_args

import click

from agent_otel.cli.moments import Moment
from agent_otel.model.record import Lifecycle, ReviewState, Verdict
from agent_otel.review.rules.table import RULES
from agent_otel.store.base import RecordQuery

STATES: Final = (*get_args(ReviewState), *get_args(Lifecycle))

_OPTIONS: Final = (
    click.option("--agent", default="", help="Only runs of this agent."),
    click.option("--state", type=click.Choice(STATES), help="Only runs in this review state or lifecycle."),
    click.option("--repository", default="", help="Only runs on this repository."),
    click.option("--since", type=Moment(), help="Only runs started since: 7d, 12h, or a date in UTC."),
    click.option("--until", type=Moment(), help="Only runs started before: 7d, 12h, or a date in UTC."),
    click.option("--finding", type=click.Choice([rule.id for rule in RULES]), help="Only with this finding."),
    click.option("--check", default="", help="Only runs with this check."),
    click.option(
        "--verdict",
        type=click.Choice(get_args(Verdict)),
        help="Only runs in which a check (with --check, that one) is worth this.",
    ),
    click.option("--file", metavar="PATH", default="", help="Only runs that changed this file."),
    click.option("--fingerprint", default="", help="Only runs with a failure or finding of this fingerprint."),
)
_NAMES: Final = ("agent", "state", "repository", "since", "until", "finding", "check", "verdict", "file", "fingerprint")


def query_options(command: Callable[..., object]) -> Callable[..., object]:
    """Adds options that choose runs to a command, which gets them as ``query``."""

    @functools.wraps(command)
    def with_query(**given: Any) -> object:
        chosen: dict[str, Any] = {name: given.pop(name) or "" for name in _NAMES}
        return command(query=RecordQuery(**chosen), **given)

    with_options: Callable[..., object] = with_query
    for option in reversed(_OPTIONS):
        with_options = option(with_options)
    return with_options
