"""What the run was asked to do, from which state of which repository, and with what at hand."""

from __future__ import annotations

from collections.abc import Sequence

from agent_otel.compaction.reading.values import text
from agent_otel.compaction.runs import Run
from agent_otel.model import names
from agent_otel.model.contract import Contract
from agent_otel.model.fact import AgentInvoked, BaseSeen, ContextLoaded, RunFinished, TaskStarted
from agent_otel.model.record import Base, Check, ContextSource, Final, Task


def task_started(kin: Sequence[Run]) -> TaskStarted | None:
    """The first statement of the task; one that was read off a model's input only where nobody stated it."""
    own = kin[0].all(TaskStarted)
    every = own or sorted((fact for run in kin for fact in run.all(TaskStarted)), key=lambda fact: fact.time_ns)
    return next((fact for fact in every if fact.stated), every[0] if every else None)


def follow_ups_of(run: Run, started: TaskStarted | None) -> tuple[str, ...]:
    """What a person asked of the run after its task, each once."""
    if started is None or not started.from_user:
        return ()
    said = (fact.contract.objective or "" for fact in run.all(TaskStarted) if fact.from_user)
    return tuple(text for text in dict.fromkeys(said) if text not in ("", started.contract.objective))


def task_of(started: TaskStarted | None, follow_ups: tuple[str, ...] = ()) -> Task:
    """The task as the record has it."""
    contract = started.contract if started else Contract()
    return Task(
        objective=contract.objective,
        follow_ups=follow_ups,
        active_behavior=contract.active_behavior,
        scope=contract.scope,
        exclusions=contract.exclusions,
        off_limits=contract.off_limits,
        acceptance=contract.acceptance,
        branch=contract.branch,
        required_checks=tuple(Check(name=check.name, command=check.command) for check in contract.required_checks),
        missing=started.missing if started else (),
    )


def redo_of(run: Run) -> tuple[str, ...]:
    """The runs that it does again, as it says itself, or its process does."""
    said = {text(run.resource.get(names.RUN_REDO_OF))}
    said |= {fact.redo_of for fact in run.all(AgentInvoked)} | {fact.redo_of for fact in run.all(TaskStarted)}
    return tuple(sorted(said - {"", run.run_id}))


def base_of(run: Run) -> Base:
    """The repository at the start: as the run stated it, else as its resource has it."""
    seen = run.all(BaseSeen)

    def stated(field: str, attribute: str) -> str | None:
        said = next((getattr(fact, field) for fact in seen if getattr(fact, field)), None) or run.resource.get(
            attribute
        )
        return said if isinstance(said, str) and said else None

    return Base(
        repository=stated("repository", names.VCS_REPOSITORY_NAME) or stated("repository", names.VCS_REPOSITORY_URL),
        branch=stated("branch", names.VCS_REF_NAME),
        commit=stated("commit", names.VCS_REF_REVISION),
        tree=stated("tree", names.BASE_TREE),
        dirty=next((fact.dirty for fact in seen if fact.dirty is not None), None),
    )


def final_of(run: Run) -> Final:
    """The repository at the end."""
    seen = run.all(RunFinished)
    last = seen[-1] if seen else RunFinished(ref="", time_ns=0)
    return Final(commit=last.commit or None, tree=last.tree or None, dirty=last.dirty)


def context_of(run: Run, started: TaskStarted | None) -> tuple[ContextSource, ...]:
    """The sources of context, each once: those the contract names, then those that were loaded."""
    found: dict[str, ContextSource] = {}
    if started:
        for name in started.contract.context_sources:
            found[name] = ContextSource(name=name, span=started.ref or None)
    for fact in run.all(ContextLoaded):
        if not found.get(fact.name, ContextSource(name="")).digest:
            found[fact.name] = ContextSource(name=fact.name, digest=fact.digest or None, span=fact.ref or None)
    return tuple(found.values())
