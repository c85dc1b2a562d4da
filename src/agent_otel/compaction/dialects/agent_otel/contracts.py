"""The contract as task_started carries it, read without trust in its form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agent_otel.compaction.reading.values import mapping, number, text, texts
from agent_otel.model import names
from agent_otel.model.contract import Budgets, Contract, RequiredCheck


def contract(attributes: Mapping[str, Any]) -> Contract:
    """The contract of a task_started event; what is malformed is not recorded."""
    return Contract(
        objective=text(attributes.get(names.TASK_OBJECTIVE)) or None,
        scope=texts(attributes.get(names.TASK_SCOPE)),
        exclusions=texts(attributes.get(names.TASK_EXCLUSIONS)),
        off_limits=texts(attributes.get(names.TASK_OFF_LIMITS)),
        acceptance=text(attributes.get(names.TASK_ACCEPTANCE)) or None,
        active_behavior=text(attributes.get(names.TASK_ACTIVE_BEHAVIOR)) or None,
        branch=text(attributes.get(names.TASK_BRANCH_PATTERN)) or None,
        required_checks=tuple(_checks(texts(attributes.get(names.TASK_REQUIRED_CHECKS)))),
        budgets=_budgets(mapping(attributes.get(names.TASK_BUDGETS))),
        context_sources=texts(attributes.get(names.TASK_CONTEXT_SOURCES)),
    )


def _checks(written: tuple[str, ...]) -> list[RequiredCheck]:
    parsed = [mapping(entry) for entry in written]
    return [
        RequiredCheck(name=text(check.get("name")), command=text(check.get("command")) or None)
        for check in parsed
        if text(check.get("name"))
    ]


def _budgets(written: Mapping[str, Any]) -> Budgets:
    limits = {name: number(written.get(name)) for name in names.BUDGETS}
    known = {name: limit for name, limit in limits.items() if limit is not None and limit >= 0}
    wall_time = known.pop("wall_time", None)
    return Budgets(**{name: int(limit) for name, limit in known.items()}, wall_time=wall_time)
