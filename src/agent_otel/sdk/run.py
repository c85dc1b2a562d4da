"""A run: one agent at one task, from its contract to its handoff.

``with run(...)`` opens the span that bounds it and makes it current for everything below, records what it starts from
(task, repository) and, at the end, what it left (tree, changed files, budgets).
"""

from __future__ import annotations

import json
import os
import re
import threading
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from opentelemetry import context as otel_context, trace
from opentelemetry.trace import SpanKind, Status, StatusCode

from agent_otel.errors import BudgetExceeded
from agent_otel.model import names
from agent_otel.model.contract import Contract
from agent_otel.sdk import git, metrics
from agent_otel.sdk.attributes import Outgoing
from agent_otel.sdk.budget import BudgetLedger, Crossing
from agent_otel.sdk.command import CommandRecorder
from agent_otel.sdk.context import current_run, with_run
from agent_otel.sdk.events import emit
from agent_otel.sdk.guard import guard
from agent_otel.sdk.heartbeat import heart
from agent_otel.sdk.outcome import End, end_of, end_of_process, record_exception
from agent_otel.sdk.plan import Plan
from agent_otel.sdk.process_context import rooted
from agent_otel.sdk.state import current

MAX_CHANGED_FILES: Final = 500
"""Changed files listed by one run; the total is told beside."""


class Run(CommandRecorder):
    """A run in progress. Made by ``run``; its methods record what the agent does.

    Attributes:
        id: the run's id.
        agent: the agent's name.
        contract: what it is held to.
        span: the span that bounds it.
        parent_id: the run it is a part of, or "".
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._instrumentation = current()
        self.agent = plan.agent
        self.contract: Contract = plan.contract
        self.id = plan.id or new_run_id(plan.agent, self._now_ns(), self._instrumentation.new_id())
        above = current_run()
        self.parent_id = above.id if above is not None else os.environ.get(names.ENV_RUN, "")
        self.span: trace.Span = trace.INVALID_SPAN
        self.ledger = BudgetLedger(plan.contract.budgets, self._seconds)
        self._repository: git.Repository | None = None
        self._base_tree = ""
        self._commands: dict[str, str] = {}
        self._calls: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._started = self._seconds()

    def _run(self) -> Run:
        return self

    # -- what tools and recorders ask of it ---------------------------------------------------------------------------

    def relative(self, path: str | os.PathLike[str]) -> str:
        """``path`` as a record has it: relative to the repository where it lies in there, with forward slashes."""
        text = os.fspath(path)
        if self._repository is not None and text:
            absolute = Path(os.path.abspath(text))  # noqa: PTH100 - symbolic links stay as they are named
            if absolute.is_relative_to(self._repository.root):
                return absolute.relative_to(self._repository.root).as_posix()
        return text

    def tree(self) -> str:
        """The git tree of the work tree now, "" where not recorded."""
        return self._repository.tree() if self._repository is not None else ""

    def tool_called(self) -> None:
        """Counts a tool call.

        Raises:
            BudgetExceeded: the run was asked to raise, and a budget is crossed.
        """
        self.spend("tool_calls", 1)

    def model_called(self, input_tokens: int, output_tokens: int) -> None:
        """Counts a model call and its tokens; raises as ``spend`` does."""
        with self._lock:
            self._calls.update(model=1, input=input_tokens, output=output_tokens)
        self.spend("tokens", input_tokens + output_tokens)

    def spend(self, budget: str, amount: float) -> None:
        """Adds to a budget. A crossing is recorded once.

        Raises:
            BudgetExceeded: the run was asked to raise, and a budget is crossed.
        """
        crossings = self.ledger.spend(budget, amount)
        for crossing in crossings:
            self._crossed(crossing)
        if crossings and self._plan.raise_on_budget:
            first = crossings[0]
            raise BudgetExceeded(first.budget, limit=first.limit, consumed=first.consumed)

    def refused(self, tool: str, values: Mapping[str, Any]) -> None:
        """Gives a refused call the span it never had."""
        outgoing = Outgoing(self._instrumentation)
        outgoing.update(
            {
                names.OPERATION_NAME: names.EXECUTE_TOOL,
                names.TOOL_NAME: tool,
                names.AGENT_NAME: self.agent,
                names.RUN_ID: self.id,
                names.ERROR_TYPE: names.ERROR_DENIED,
            }
        )
        tracer = self._instrumentation.tracer()
        span = tracer.start_span(
            f"{names.EXECUTE_TOOL} {outgoing.text(tool, limit=256)}",
            context=trace.set_span_in_context(_span_in(self)),
            attributes=outgoing.finish(),
            start_time=self._clock(),
        )
        emit(names.GATE_DECISION, values, span=span, run_id=self.id)
        span.set_status(Status(StatusCode.ERROR, outgoing.text(str(values.get(names.GATE_REASON, "")))))
        span.end(self._clock())

    def beat(self) -> None:
        """Sends a sign of life, to the log pipeline only."""
        for crossing in self.ledger.look():
            self._crossed(crossing)
        values = {names.RUN_OPEN_SPANS: list(self._commands.values())}
        emit(names.RUN_HEARTBEAT, values, span=self.span, run_id=self.id, log_only=True)

    def command_started(self, command_id: str, span_name: str) -> None:
        """Notes what is going on, for the signs of life: a killed process never sends its open spans."""
        self._commands[command_id] = span_name

    def command_ended(self, command_id: str) -> None:
        """Forgets a command that is over."""
        self._commands.pop(command_id, None)

    # -- its beginning and its end ------------------------------------------------------------------------------------

    def open(self) -> otel_context.Context:
        """Starts the span; returns the context in which the run is current."""
        parent = rooted(otel_context.get_current())
        with guard("starting a run"):
            self.span = self._start_span(parent)
        return with_run(self, trace.set_span_in_context(self.span, parent))

    def observe_start(self) -> dict[str, Any]:
        """Asks git where the run starts from (blocking); the fields of ``task_started`` that tell."""
        if not (self._instrumentation.settings.git and self.span.is_recording()):
            return {}
        with guard("asking git where the run starts"):
            self._repository = git.Repository.find(self._plan.repo or Path.cwd())
            if self._repository is not None:
                base = self._repository.base()
                self._base_tree = self._repository.tree()
                return {
                    names.BASE_REPOSITORY: base.repository,
                    names.VCS_REPOSITORY_URL: base.url,
                    names.BASE_BRANCH: base.branch,
                    names.BASE_COMMIT: base.commit,
                    names.BASE_DIRTY: base.dirty,
                    names.BASE_TREE: self._base_tree,
                }
        return {}

    def announce(self, base: Mapping[str, Any]) -> None:
        """Records ``task_started``."""
        with guard("recording task_started"):
            required = (names.TASK_OBJECTIVE, names.TASK_SCOPE, names.TASK_EXCLUSIONS)
            emit(names.TASK_STARTED, {**self._task(), **base}, span=self.span, run_id=self.id, required=required)
        for started in self._instrumentation.on_run_start:
            with guard("telling that a run started"):
                started(self.id)
        if self.span.is_recording():
            heart.add(self, self._instrumentation.settings.heartbeat_s)

    def observe_end(self) -> dict[str, Any]:
        """Asks git what the run left (blocking); the fields of ``run.finished`` that tell."""
        if self._repository is None:
            return {}
        with guard("asking git what the run left"):
            tree = self._repository.tree()
            changes = self._repository.changes(self._base_tree, tree) if tree and self._base_tree else None
            base = self._repository.base()
            self._repository.close()
            return {
                names.FINAL_TREE: tree,
                names.FINAL_COMMIT: base.commit,
                names.FINAL_DIRTY: base.dirty,
                names.CHANGED_FILES: None
                if changes is None
                else [_change(each) for each in changes[:MAX_CHANGED_FILES]],
                names.CHANGED_FILES_TOTAL: None if changes is None else len(changes),
            }
        return {}

    def close(self, final: Mapping[str, Any], error: BaseException | None, *, exit_code: int | None = None) -> None:
        """Records the end and ends the span.

        Args:
            final: what ``observe_end`` gave.
            error: what the run raised.
            exit_code: of the process that the run was, where it was one; negative for the signal that ended it.
        """
        heart.remove(self)
        end = end_of(error) if exit_code is None else end_of_process(exit_code)
        with guard("recording the end of a run"):
            for crossing in self.ledger.look():
                self._crossed(crossing)
            self._set_totals(end.outcome)
            if end.error_type:
                self.span.set_attribute(names.ERROR_TYPE, end.error_type)
            if exit_code is not None:
                self.span.set_attribute(names.PROCESS_EXIT_CODE, exit_code)
            if end.said:
                self.span.set_status(Status(StatusCode.ERROR, end.said))
            if error is not None and end.error_type:
                record_exception(self._instrumentation, self.span, error)
            emit(names.RUN_FINISHED, {**final, names.RUN_OUTCOME: end.outcome}, span=self.span, run_id=self.id)
        with guard("ending a run"):
            self.span.end(self._clock())
            self._measure(end)
        for ended in self._instrumentation.on_run_end:
            with guard("telling that a run ended"):
                ended(self.id)

    # -- details ------------------------------------------------------------------------------------------------------

    def _clock(self) -> int | None:
        return self._instrumentation.clock() if self._instrumentation.clock else None

    def _seconds(self) -> float:
        clock = self._instrumentation.clock
        return clock() / 1e9 if clock else time.monotonic()

    def _now_ns(self) -> int:
        return self._clock() or time.time_ns()

    def _start_span(self, parent: otel_context.Context) -> trace.Span:
        outgoing = Outgoing(self._instrumentation)
        workflow = self._plan.workflow
        outgoing.update(
            {
                names.OPERATION_NAME: names.INVOKE_WORKFLOW if workflow else names.INVOKE_AGENT,
                names.WORKFLOW_NAME: workflow,
                names.AGENT_NAME: self.agent,
                names.AGENT_VERSION: self._plan.version,
                names.CONVERSATION_ID: self._plan.conversation,
                names.REQUEST_MODEL: self._plan.model,
                names.RUN_ID: self.id,
                names.RUN_PARENT: self.parent_id,
                names.RUN_REDO_OF: self._plan.redo_of,
                names.TASK_OBJECTIVE: self.contract.objective,
            }
        )
        for budget, limit in self.ledger.limits.items():
            outgoing.put(names.budget_limit(budget), limit)
        operation = names.INVOKE_WORKFLOW if workflow else names.INVOKE_AGENT
        return self._instrumentation.tracer().start_span(
            f"{operation} {outgoing.text(workflow or self.agent, limit=256)}",
            context=parent,
            kind=SpanKind.INTERNAL,
            attributes=outgoing.finish(),
            start_time=self._clock(),
        )

    def _task(self) -> dict[str, Any]:
        contract, stated = self.contract, self._plan.stated
        budgets = self.ledger.limits
        return {
            names.AGENT_NAME: self.agent,
            names.RUN_PARENT: self.parent_id,
            names.RUN_REDO_OF: self._plan.redo_of or None,
            names.TASK_OBJECTIVE: contract.objective,
            names.TASK_SCOPE: contract.scope if "scope" in stated else None,
            names.TASK_EXCLUSIONS: contract.exclusions if "exclusions" in stated else None,
            names.TASK_OFF_LIMITS: contract.off_limits or None,
            names.TASK_ACCEPTANCE: contract.acceptance,
            names.TASK_ACTIVE_BEHAVIOR: contract.active_behavior,
            names.TASK_BRANCH_PATTERN: contract.branch,
            names.TASK_REQUIRED_CHECKS: [_check(each.name, each.command) for each in contract.required_checks] or None,
            names.TASK_BUDGETS: json.dumps(dict(budgets)) if budgets else None,
            names.TASK_CONTEXT_SOURCES: contract.context_sources or None,
        }

    def _set_totals(self, outcome: str) -> None:
        self.span.set_attribute(names.RUN_OUTCOME, outcome)
        for budget, consumed in self.ledger.consumed().items():
            self.span.set_attribute(names.budget_consumed(budget), consumed)
        if self._calls["model"]:
            self.span.set_attribute(names.INPUT_TOKENS, self._calls["input"])
            self.span.set_attribute(names.OUTPUT_TOKENS, self._calls["output"])

    def _measure(self, end: End) -> None:
        metrics.run_ended(
            agent=self.agent,
            duration_s=self._seconds() - self._started,
            tool_calls=int(self.ledger.consumed()["tool_calls"]),
            model_calls=self._calls["model"],
            error_type=end.error_type or None,
        )

    def _crossed(self, crossing: Crossing) -> None:
        with guard("recording a crossed budget"):
            values = {
                names.BUDGET_NAME: crossing.budget,
                names.BUDGET_LIMIT: crossing.limit,
                names.BUDGET_CONSUMED: crossing.consumed,
            }
            emit(names.BUDGET_EXCEEDED, values, span=_span_in(self), run_id=self.id)


def _span_in(run: Run) -> trace.Span:
    """The innermost span of this code that is open in ``run``."""
    span = trace.get_current_span()
    return span if current_run() is run and span.is_recording() else run.span


def new_run_id(agent: str, now_ns: int, unique: str) -> str:
    """An id for a run of ``agent`` that starts now, for people as much as for programs."""
    slug = re.sub(r"[^a-z0-9]+", "-", agent.lower()).strip("-")[:40] or "run"
    return f"{slug}-{time.strftime('%Y%m%d', time.gmtime(now_ns // 1_000_000_000))}-{unique[-8:]}"


def _check(name: str, command: str | None) -> str:
    return json.dumps({"name": name} if command is None else {"name": name, "command": command})


def _change(change: git.Change) -> str:
    described = {
        "path": change.path,
        "operation": change.operation,
        "added": change.added,
        "removed": change.removed,
        "old_path": change.old_path or None,
    }
    return json.dumps({name: value for name, value in described.items() if value is not None})
