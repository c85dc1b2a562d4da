"""What the run used: model calls, tokens, budgets; and who it was."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence

from agent_otel.compaction.reading.values import text
from agent_otel.compaction.runs import Run
from agent_otel.model import names
from agent_otel.model.fact import AgentInvoked, BudgetSpent, ModelCalled, TaskStarted
from agent_otel.model.record import Agent, Budget, Usage


def agent_of(run: Run, started: TaskStarted | None) -> Agent:
    """Who ran. A workflow around an agent has its say only where no agent has."""
    tops = sorted(run.tops, key=lambda top: top.boundary != "agent")
    inner = run.all(AgentInvoked)
    models = [fact.model for fact in run.all(ModelCalled)] or [top.model for top in run.tops]
    return Agent(
        name=next((top.name for top in (*tops, *inner) if top.name), None)
        or (started.agent if started else "")
        or None,
        version=next((top.version for top in tops if top.version), None),
        service=text(run.resource.get(names.SERVICE_NAME)) or None,
        models=tuple(dict.fromkeys(model for model in models if model)),
        dialect=run.dialect or None,
    )


def usage_of(run: Run) -> Usage:
    """Sums over the model calls; the sums a run or agent span states only where no call was seen."""
    calls = run.all(ModelCalled)
    counted = calls or run.tops
    return Usage(
        model_calls=len(calls),
        failed_model_calls=sum(call.failed for call in calls),
        input_tokens=_sum([one.input_tokens for one in counted]),
        output_tokens=_sum([one.output_tokens for one in counted]),
        cache_read_tokens=_sum([call.cache_read_tokens for call in calls]),
        cost_usd=_cost([call.cost_usd for call in calls]),
    )


def budgets_of(run: Run, started: TaskStarted | None) -> dict[str, Budget]:
    """The budgets by name: limits of the contract, what was last said of each, and whether it was ever exceeded."""
    contract = started.contract.budgets if started else None
    said: dict[str, list[BudgetSpent]] = defaultdict(list)
    for fact in run.all(BudgetSpent):
        said[fact.budget].append(fact)
    found: dict[str, Budget] = {}
    for name in names.BUDGETS:
        limit = getattr(contract, name) if contract else None
        if limit is not None or name in said:
            found[name] = _budget(float(limit) if limit is not None else None, said[name])
    return found | {name: _budget(None, said[name]) for name in sorted(said.keys() - found.keys())}


def _budget(limit: float | None, said: Sequence[BudgetSpent]) -> Budget:
    limit = next((fact.limit for fact in reversed(said) if fact.limit is not None), limit)
    consumed = next((fact.consumed for fact in reversed(said) if fact.consumed is not None), None)
    over = limit is not None and consumed is not None and consumed > limit
    return Budget(limit=limit, consumed=consumed, exceeded=over or any(fact.exceeded for fact in said))


def _cost(costs: Sequence[float | None]) -> float | None:
    known = [cost for cost in costs if cost is not None]
    return math.fsum(known) if known else None  # exactly, so that the order of the calls cannot matter


def _sum(numbers: Sequence[int | None]) -> int | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if known else None
