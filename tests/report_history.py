"""A quarter of work by three agents on three repositories, as telemetry of the SDK: made, and the same every time.

What the runs were like is planned here, so that tests know the truth that a report has to tell.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final, NamedTuple

from agent_otel.cli.intake import Intake, intake_store
from agent_otel.cli.records import ALL, StoreRecords
from agent_otel.cli.sources import requests_in
from agent_otel.model import names
from agent_otel.review.report.build import Figures
from agent_otel.review.report.page import page as page_of
from agent_otel.store.base import RecordQuery
from agent_otel.store.open import open_store

START_S: Final = 1_772_409_600  # 2026-03-02T00:00:00Z, a Monday
DAYS: Final = 91
_NS: Final = 10**9

AGENTS: Final = {"invite-fixer": "atlas-4", "dependency-bot": "atlas-4-mini", "migrator": "borealis-2"}
REPOSITORIES: Final = ("invite-app", "billing", "docs-site")
TASKS: Final = (
    "Fix invite acceptance redirect after SSO enforcement",
    "Round invoice totals once, at the end",
    "Upgrade the HTTP client and its stubs",
    "Move session storage behind the new interface",
    "Stop the nightly export from skipping empty accounts",
    "Give each broken link in the handbook a target",
)
FILES: Final = ("src/auth/guard.py", "src/billing/totals.py", "src/export/nightly.py", "docs/handbook.md")
UNIT: Final = "pytest -q tests"
E2E: Final = "npx playwright test invite-flow"
LINT: Final = "ruff check ."

KINDS: Final = {
    "proved": 56, "stale": 12, "not run": 13, "failing": 8, "killed": 4, "false claim": 4, "regression": 3,
}  # fmt: skip
"""How runs go, and how many of a hundred."""


class Plan(NamedTuple):
    """What one run is like."""

    number: int
    kind: str
    agent: str
    repository: str
    objective: str
    start_ns: int
    denied: bool
    timed_out: bool


def plans(runs: int, *, seed: int = 7) -> list[Plan]:
    """What the runs are like, the earliest first; more of them go well as time goes by."""
    chosen = random.Random(seed)
    found = []
    for number in range(runs):
        passed = number / runs
        weights = [weight * (0.6 + passed if kind == "proved" else 1.5 - passed) for kind, weight in KINDS.items()]
        second = int((passed * DAYS + chosen.random() * DAYS / runs) * 86_400)
        found.append(
            Plan(
                number=number,
                kind=chosen.choices(list(KINDS), weights)[0],
                agent=chosen.choices(list(AGENTS), (5, 3, 2))[0],
                repository=chosen.choices(REPOSITORIES, (5, 4, 2))[0],
                objective=chosen.choice(TASKS),
                start_ns=(START_S + second) * _NS,
                denied=chosen.random() < 0.12,
                timed_out=chosen.random() < 0.06,
            )
        )
    return found


def requests(planned: list[Plan]) -> Iterator[dict[str, Any]]:
    """The telemetry of each run, as one request of OTLP/JSON."""
    return (_Run(plan).request() for plan in planned)


def stored(planned: list[Plan], folder: Path) -> Path:
    """A database with the records of the runs, folded from their telemetry."""
    lines = folder / "history.jsonl"
    lines.write_text("".join(f"{json.dumps(request)}\n" for request in requests(planned)), encoding="utf-8")
    with intake_store(str(folder / "history.db")) as store:
        with lines.open("rb") as opened:
            Intake(store).take(requests_in(opened, lines.name))
        store.folded()
    return folder / "history.db"


def page_of_history(folder: Path) -> Path:
    """The page on a quarter of runs."""
    page = folder / "report.html"
    with closing(open_store(stored(plans(240), folder))) as store:
        figures = Figures()
        for record in StoreRecords(store).records(RecordQuery(limit=ALL)):
            figures.add(record)
    page.write_text(page_of(figures.report(), title="Runs of coding agents, March to May"), encoding="utf-8")
    return page


class _Run:
    """One run's telemetry, told step by step."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._chosen = random.Random(plan.number)
        self._id = f"run-{plan.number:04}"
        self._trace = f"{plan.number + 1:032x}"
        self._now = plan.start_ns
        self._tree = 1
        self._steps = 0
        self._told_elsewhere = 0
        self._events: list[dict[str, Any]] = []
        self._spans: list[dict[str, Any]] = []
        self._logs: list[dict[str, Any]] = []

    def request(self) -> dict[str, Any]:
        """All of it."""
        plan = self._plan
        self._begin()
        self._work()
        unit = self._command(UNIT, 0 if plan.kind != "failing" else 1, 45)
        self._check("unit", "fail" if plan.kind == "failing" else "pass", (unit,))
        self._check("lint", "pass", (self._command(LINT, 0, 2),))
        if plan.kind == "stale":
            self._edit()
        if plan.kind == "not run":
            reason = {
                names.VERIFICATION_REASON: "the preview service did not answer",
                names.VERIFICATION_UNAVAILABLE: True,
            }
            self._event(
                names.VERIFICATION_RAN,
                **{names.VERIFICATION_CHECK: "e2e", names.VERIFICATION_OUTCOME: "not_run", **reason},
            )
        else:
            e2e = self._command(E2E, int(plan.kind == "false claim"), 180)
            self._check("e2e", "pass", (e2e,))
        if plan.kind != "killed":
            self._end()
        return self._told()

    def _begin(self) -> None:
        checks = (("unit", "pytest*"), ("lint", "ruff*"), ("e2e", "npx playwright*"))
        required = [json.dumps({"name": name, "command": command}) for name, command in checks]
        self._event(
            names.TASK_STARTED,
            **{
                names.AGENT_NAME: self._plan.agent,
                names.TASK_OBJECTIVE: self._plan.objective,
                names.TASK_REQUIRED_CHECKS: required,
                names.TASK_BUDGETS: json.dumps({"steps": 30, "wall_time": 1800}),
                names.BASE_REPOSITORY: self._plan.repository,
                names.BASE_COMMIT: f"{self._plan.number + 0x8F2C19A:07x}",
                names.BASE_DIRTY: False,
            },
        )

    def _work(self) -> None:
        for _ in range(self._chosen.randint(2, 6)):
            path = self._chosen.choice(FILES)
            self._tool("read_file", 0.05)
            self._event(names.FILE_READ, **{names.FILE_PATH: path, names.FILE_REASON: "it may be raised here"})
        if self._plan.denied:
            self._tool("run_command", 0.01, error=names.ERROR_DENIED)
            denial = {names.GATE_TOOL: "run_command", names.GATE_OUTCOME: "deny", names.GATE_POLICY: "no-network"}
            self._event(names.GATE_DECISION, **denial)
        if self._plan.timed_out:
            self._command("npm ci", None, 300, result="timed_out")
        if self._chosen.random() < 0.5:
            self._command(UNIT, 1, 40)
        for _ in range(self._chosen.randint(1, 3)):
            self._edit()

    def _edit(self) -> None:
        self._tool("edit_file", 0.2)
        self._tree += 1
        path = FILES[self._plan.number % len(FILES)]
        change = {names.FILE_PATH: path, names.FILE_OPERATION: "edit", names.FILE_LINES_ADDED: 8}
        self._event(names.FILE_READ, **{names.FILE_PATH: path, names.FILE_REASON: "before the edit"})
        self._event(names.FILE_CHANGED, **change)

    def _command(self, line: str, code: int | None, about_s: float, *, result: str = "") -> str:
        took = about_s * self._chosen.uniform(0.6, 1.6)
        span = self._tool("run_command", took, error="" if code == 0 else names.ERROR_NONZERO_EXIT)
        name = f"k{self._steps}"
        said = {
            names.COMMAND_ID: name,
            names.COMMAND_LINE: line,
            names.COMMAND_RESULT: result or ("failed" if code else "passed"),
            names.COMMAND_DURATION: round(took, 3),
            names.COMMAND_OBSERVER: "harness",
            names.COMMAND_TREE: f"tree-{self._tree}",
        }
        self._event(names.COMMAND_RUN, **said, **({} if code is None else {names.PROCESS_EXIT_CODE: code}))
        # It is told where it happened.
        event = self._events.pop()
        span["events"] = [{**event, "timeUnixNano": span["endTimeUnixNano"]}]
        self._told_elsewhere += 1
        return name

    def _check(self, check: str, outcome: str, evidence: tuple[str, ...]) -> None:
        said = {names.VERIFICATION_CHECK: check, names.VERIFICATION_OUTCOME: outcome, names.VERIFICATION_REQUIRED: True}
        self._event(names.VERIFICATION_RAN, **said, **{names.VERIFICATION_EVIDENCE: list(evidence)})

    def _end(self) -> None:
        plan = self._plan
        tokens = self._chosen.randint(20_000, 160_000)
        usage = {names.INPUT_TOKENS: tokens, names.OUTPUT_TOKENS: tokens // 14, names.CACHE_READ_TOKENS: tokens // 2}
        self._event(names.USAGE_REPORTED, **{names.REQUEST_MODEL: AGENTS[plan.agent], **usage})
        claim = "All end-to-end tests pass." if plan.kind == "false claim" else "Done as asked."
        self._event(names.FINAL_MESSAGE, **{names.MESSAGE_TEXT: claim})
        handoff = {names.HANDOFF_STATUS: "patch", names.HANDOFF_NEXT_ACTION: "review the change"}
        self._event(names.HANDOFF_WRITTEN, **handoff)
        self._event(
            names.RUN_FINISHED,
            **{names.FINAL_TREE: f"tree-{self._tree}", names.FINAL_DIRTY: True, names.RUN_OUTCOME: "ended"},
        )
        if plan.kind == "regression":
            self._late()

    def _late(self) -> None:
        """What CI says an hour after the handoff."""
        said = {
            names.RUN_ID: self._id,
            names.EVENT_ID: f"{self._id}-ci",
            names.EVIDENCE_ID: f"{self._id}-ci",
            names.EVIDENCE_SOURCE: "ci",
            names.EVIDENCE_TREE: f"tree-{self._tree}",
            names.VERIFICATION_CHECK: "e2e",
            names.VERIFICATION_OUTCOME: "fail",
        }
        self._logs.append(
            {
                "timeUnixNano": str(self._now + 3600 * _NS),
                "eventName": names.EVIDENCE_ADDED,
                "attributes": _attributes(said),
                "traceId": self._trace,
            }
        )

    def _tool(self, name: str, took_s: float, *, error: str = "") -> dict[str, Any]:
        begun = self._now
        self._now += int(took_s * _NS)
        self._steps += 1
        said = {names.OPERATION_NAME: "execute_tool", names.TOOL_NAME: name, names.RUN_ID: self._id}
        span: dict[str, Any] = {
            "traceId": self._trace,
            "spanId": f"{self._plan.number + 1:08x}{self._steps:08x}",
            "parentSpanId": f"{self._plan.number + 1:016x}",
            "name": f"execute_tool {name}",
            "startTimeUnixNano": str(begun),
            "endTimeUnixNano": str(self._now),
            "attributes": _attributes({**said, **({"error.type": error} if error else {})}),
            "status": {"code": 2 if error else 0},
        }
        self._spans.append(span)
        self._now += int(self._chosen.uniform(1, 20) * _NS)
        return span

    def _event(self, name: str, **attributes: Any) -> None:
        self._now += _NS // 10
        known = {names.RUN_ID: self._id, names.EVENT_ID: f"{self._id}-{len(self._events) + self._told_elsewhere}"}
        told = {"name": name, "timeUnixNano": str(self._now), "attributes": _attributes({**known, **attributes})}
        self._events.append(told)

    def _told(self) -> dict[str, Any]:
        ended = self._plan.kind != "killed"
        known = {
            names.OPERATION_NAME: names.INVOKE_AGENT,
            names.AGENT_NAME: self._plan.agent,
            names.RUN_ID: self._id,
            names.budget_limit("steps"): 30,
            names.budget_consumed("steps"): self._steps,
            names.budget_limit("wall_time"): 1800,
            names.budget_consumed("wall_time"): (self._now - self._plan.start_ns) / _NS,
            **({names.RUN_OUTCOME: "ended"} if ended else {}),
        }
        root = {
            "traceId": self._trace,
            "spanId": f"{self._plan.number + 1:016x}",
            "name": f"invoke_agent {self._plan.agent}",
            "startTimeUnixNano": str(self._plan.start_ns),
            "endTimeUnixNano": str(self._now if ended else 0),
            "attributes": _attributes(known),
            "events": self._events,
        }
        scope, resource = {"name": names.SCOPE}, {"attributes": _attributes({names.SERVICE_NAME: self._plan.agent})}
        spans = [{"resource": resource, "scopeSpans": [{"scope": scope, "spans": [root, *self._spans]}]}]
        logs = [{"resource": resource, "scopeLogs": [{"scope": scope, "logRecords": self._logs}]}]
        return {"resourceSpans": spans, "resourceLogs": logs}


def _attributes(values: dict[str, Any]) -> list[dict[str, Any]]:
    def value(it: Any) -> dict[str, Any]:
        if isinstance(it, list):
            return {"arrayValue": {"values": [value(part) for part in it]}}
        kinds = {bool: "boolValue", int: "intValue", float: "doubleValue"}
        return {kinds.get(type(it), "stringValue"): str(it) if type(it) is int else it}

    return [{"key": key, "value": value(it)} for key, it in values.items()]
