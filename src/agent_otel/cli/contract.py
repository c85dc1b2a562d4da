"""``agent-otel contract``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import msgspec

from agent_otel.cli.console import print_json, print_lines
from agent_otel.cli.contracts import Found, contract_at, nearest_contract
from agent_otel.errors import NotFound
from agent_otel.model.contract import Contract, Incidents, RequiredCheck


@click.group
def contract() -> None:
    """About the contract that runs are held to."""


@contract.command
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the contract as JSON.")
def check(*, file: Path | None, as_json: bool) -> None:
    """Check the contract in FILE, or the nearest one upwards, and print what it means.

    A key or a rule that nobody knows is an error that names the nearest known one.
    """
    found = Found(contract_at(file), file) if file else nearest_contract(Path.cwd())
    if found.file is None:
        message = "no contract here: write agent-otel.toml, or [tool.agent-otel] in pyproject.toml"
        raise NotFound(message)
    if as_json:
        print_json({"file": str(found.file), "contract": msgspec.to_builtins(found.contract)})
        return
    print_lines([f"{found.file}: a contract", *(f"  {line}" for line in meaning(found.contract))])


def meaning(demands: Contract) -> Iterator[str]:
    """What a contract demands, a line for each thing."""
    for check in demands.required_checks:
        yield f"required: {_check(check)}"
    for name, globs in (
        ("changes only", demands.scope),
        ("never, in this task", demands.exclusions),
        ("never, in any task", demands.off_limits),
        ("works from", demands.context_sources),
    ):
        if globs:
            yield f"{name}: {', '.join(globs)}"
    for name in ("objective", "acceptance", "active_behavior", "branch"):
        if getattr(demands, name):
            yield f"{name.replace('_', ' ')}: {getattr(demands, name)}"
    for name, limit in msgspec.to_builtins(demands.budgets).items():
        yield f"at most: {limit:g} {_UNITS[name]}"
    yield from _rules(demands)
    if demands.incidents != Incidents():
        yield _incidents(demands.incidents)


_UNITS = {"steps": "steps", "tokens": "tokens", "tool_calls": "calls of tools", "wall_time": "seconds"}


def _check(check: RequiredCheck) -> str:
    by = f"a command like {check.command!r} passes" if check.command else "a verification of this name is proved"
    return f"{check.name!r}: {by}" + (f", where {', '.join(check.paths)} changed" if check.paths else "")


def _rules(demands: Contract) -> Iterator[str]:
    choice = demands.rules
    if choice.select:
        yield f"only these rules count: {', '.join(choice.select)}"
    yield from (f"ignored: {rule} ({reason})" for rule, reason in choice.ignore.items())
    yield from (f"severity: {rule} is {severity}" for rule, severity in choice.severity.items())


def _incidents(limits: Incidents) -> str:
    return (
        f"a post-mortem: after {limits.redo_hours:g} h of redo, or the same failure {limits.recurrence} times in"
        f" {limits.window_days} days; a review every {limits.review_days} days"
    )
