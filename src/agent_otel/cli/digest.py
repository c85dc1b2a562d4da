"""``agent-otel digest``."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

import click

from agent_otel import settings
from agent_otel.cli.chosen import run_options
from agent_otel.cli.options import setting_options
from agent_otel.model.record import RunRecord
from agent_otel.review.digest import BUDGET, digest as digest_of


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestSettings:
    """How long a digest may be."""

    budget: int = field(
        default=BUDGET,
        metadata={
            "env": "AGENT_OTEL_DIGEST_BUDGET",
            "help": "the most tokens that a digest may have, estimated as bytes of UTF-8 by 4, rounded up",
        },
    )


@click.command
@run_options
@setting_options(DigestSettings)
def digest(*, record: RunRecord, **given: object) -> None:
    """Print a digest of RUN for an agent that reviews it, within a budget of tokens.

    RUN is a run id, the beginning of one, or "last". The state is computed; what the run wrote is quoted between two
    lines that it cannot write. Checks that did not pass are never left out: where they do not fit, that is an error.
    """
    chosen = settings.read(DigestSettings, arguments=given, environ=os.environ)
    click.echo(digest_of(record, budget=chosen.budget), nl=False)
