"""The words an agent uses to tell what it does: one method per event (requirements.md §1).

``Run`` is a recorder of itself; a recorder that is no run records on the one that is current where it is called, and
so does nothing outside of any (``sdk.words``). Nothing in here raises: a missing required field is named in the event
and becomes a finding of the record.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from opentelemetry import trace

from agent_otel.model import names
from agent_otel.sdk.context import current_run
from agent_otel.sdk.events import emit
from agent_otel.sdk.evidence import bound
from agent_otel.sdk.guard import guard

if TYPE_CHECKING:
    from agent_otel.sdk.command_result import CommandResult
    from agent_otel.sdk.run import Run

Evidence: TypeAlias = "CommandResult | str | os.PathLike[str]"
GateOutcome = Literal["allow", "deny", "require_approval"]
FileOperation = Literal["create", "edit", "delete", "move"]


class Recorder:
    """Records events on a run."""

    def _run(self) -> Run | None:
        """The run to record on."""
        return current_run()

    def failure(
        self,
        *,
        command: CommandResult | str | None = None,
        error: str = "",
        suspected_cause: str = "",
    ) -> None:
        """Records ``failure_seen``: something failed, and what the agent makes of it.

        Args:
            command: the command that failed, as its result or its text.
            error: what it said.
            suspected_cause: why, as far as the agent knows.
        """
        self._record(
            names.FAILURE_SEEN,
            lambda: {
                names.FAILURE_COMMAND: _command_text(command),
                names.FAILURE_COMMAND_ID: getattr(command, "id", None),
                names.FAILURE_ERROR: error,
                names.FAILURE_SUSPECTED_CAUSE: suspected_cause,
            },
            required=(names.FAILURE_COMMAND, names.FAILURE_ERROR, names.FAILURE_SUSPECTED_CAUSE),
        )

    def decision(
        self,
        option: str = "",
        *,
        alternatives: Mapping[str, str] | Sequence[str] = (),
        based_on: Sequence[str] = (),
    ) -> None:
        """Records ``decision_made``.

        Args:
            option: what was chosen.
            alternatives: what was rejected, each with its reason. A rejection as out of scope is a decision too.
            based_on: the context sources it rests on.
        """
        self._record(
            names.DECISION_MADE,
            lambda: {
                names.DECISION_OPTION: option,
                names.DECISION_ALTERNATIVES: [json.dumps(each) for each in _alternatives(alternatives)],
                names.DECISION_BASED_ON: _texts(based_on),
            },
            required=(names.DECISION_OPTION,),
        )

    def verification(
        self,
        check: str = "",
        *,
        evidence: Evidence | Sequence[Evidence] = (),
        passed: bool | None = None,
        required: bool | None = None,
        reason: str = "",
    ) -> None:
        """Records ``verification_ran``: a check, and what shows its outcome.

        Args:
            check: what was checked.
            evidence: the commands that show it, and files: reports, logs. A file that is there is bound by its digest;
                what is in it stays where it is. Without any evidence, the outcome is only a claim.
            passed: the outcome; where it is not given, it is that of the commands.
            required: whether it had to run; where it is not given, the contract says.
            reason: anything a reader should know.
        """

        def values() -> dict[str, Any]:
            shown = _sequence(evidence)
            outcome = _outcome(shown) if passed is None else ("pass" if passed else "fail")
            return {
                **self._check(check, required=required),
                names.VERIFICATION_OUTCOME: outcome,
                names.VERIFICATION_REASON: reason,
                names.VERIFICATION_EVIDENCE: [self._named(each) for each in shown],
                names.VERIFICATION_FILES: bound(_files_of(shown), shown=self._relative) or None,
            }

        needed = (names.VERIFICATION_CHECK, names.VERIFICATION_OUTCOME)
        self._record(names.VERIFICATION_RAN, values, required=needed, echo=_evaluation)

    def skipped(
        self,
        check: str = "",
        *,
        reason: str = "",
        unavailable: bool | None = None,
        required: bool | None = None,
    ) -> None:
        """Records ``verification_ran`` of a check that did not run.

        Args:
            check: what was not checked.
            reason: why not.
            unavailable: whether the tool or service it needs was not there, as opposed to a choice.
            required: whether it had to run; where it is not given, the contract says.
        """
        self._record(
            names.VERIFICATION_RAN,
            lambda: {
                **self._check(check, required=required),
                names.VERIFICATION_OUTCOME: "not_run",
                names.VERIFICATION_REASON: reason,
                names.VERIFICATION_UNAVAILABLE: unavailable,
            },
            required=(names.VERIFICATION_CHECK, names.VERIFICATION_REASON),
        )

    def handoff(
        self,
        status: str = "",
        *,
        blockers: Sequence[str] | None = None,
        next_action: str = "",
        assumptions: Sequence[str] | None = None,
        risks: Sequence[str] | None = None,
        look_twice: Sequence[str] | None = None,
    ) -> None:
        """Records ``handoff_written``: the run's word to the next reader.

        Args:
            status: where the work stands.
            blockers: what stands in the way; an empty list says that nothing does.
            next_action: what should happen next.
            assumptions: what was taken for granted.
            risks: what remains open.
            look_twice: where a human should look twice.
        """
        self._record(
            names.HANDOFF_WRITTEN,
            lambda: {
                names.HANDOFF_STATUS: status,
                names.HANDOFF_BLOCKERS: _texts(blockers),
                names.HANDOFF_NEXT_ACTION: next_action,
                names.HANDOFF_ASSUMPTIONS: _texts(assumptions),
                names.HANDOFF_RISKS: _texts(risks),
                names.HANDOFF_LOOK_TWICE: _texts(look_twice),
            },
            required=(names.HANDOFF_STATUS, names.HANDOFF_BLOCKERS, names.HANDOFF_NEXT_ACTION),
        )

    def file_read(
        self,
        path: str | os.PathLike[str] = "",
        *,
        reason: str = "",
        lines: str = "",
        digest: str = "",
    ) -> None:
        """Records ``file_read``, where no ``@tool(reads=…)`` does.

        Args:
            path: the file.
            reason: why it was read.
            lines: which lines, as "10-25".
            digest: digest of the content, as "sha256:…".
        """
        self._record(
            names.FILE_READ,
            lambda: {
                names.FILE_PATH: self._relative(path),
                names.FILE_REASON: reason,
                names.FILE_LINES: lines,
                names.FILE_CONTENT_DIGEST: digest,
            },
            required=(names.FILE_PATH, names.FILE_REASON),
        )

    def file_changed(
        self,
        path: str | os.PathLike[str] = "",
        *,
        operation: FileOperation = "edit",
        lines_added: int | None = None,
        lines_removed: int | None = None,
        old_path: str | os.PathLike[str] = "",
    ) -> None:
        """Records that a file was changed, where no ``@tool(writes=…)`` does.

        Args:
            path: the file.
            operation: what was done to it.
            lines_added: how many lines are new.
            lines_removed: how many lines are gone.
            old_path: where it was before a move.
        """
        self._record(
            names.FILE_CHANGED,
            lambda: {
                names.FILE_PATH: self._relative(path),
                names.FILE_OPERATION: operation,
                names.FILE_LINES_ADDED: lines_added,
                names.FILE_LINES_REMOVED: lines_removed,
                names.FILE_OLD_PATH: self._relative(old_path),
            },
            required=(names.FILE_PATH,),
        )

    def context_source(self, name: str, *, digest: str = "") -> None:
        """Records a source of context the run works from: a document, a rule file, a ticket.

        Args:
            name: what it is called.
            digest: digest of its content, as "sha256:…".
        """
        self._record(names.CONTEXT_LOADED, lambda: {names.CONTEXT_NAME: name, names.CONTEXT_DIGEST: digest})

    def risk(self, text: str) -> None:
        """Records a risk the run leaves open."""
        self._record(names.RISK_NOTED, lambda: {names.RISK_TEXT: text})

    def final_message(self, text: str) -> None:
        """Records the agent's own final words; the record keeps them as a claim, apart from what was seen."""
        self._record(names.FINAL_MESSAGE, lambda: {names.MESSAGE_TEXT: text})

    def gate(self, tool: str, outcome: GateOutcome, *, policy: str = "", reason: str = "") -> None:
        """Records what a gate decided on a tool call. A refused call gets its span, with status ERROR.

        The shape is that of the open proposal semantic-conventions-genai#535. Inside the span of the refused call
        itself, the decision is recorded there; see also ``errors.Denied``.

        Args:
            tool: the tool that was to be called.
            outcome: what was decided.
            policy: the rule that decided.
            reason: why.
        """
        values = {
            names.GATE_TOOL: tool,
            names.GATE_OUTCOME: outcome,
            names.GATE_POLICY: policy,
            names.GATE_REASON: reason,
        }
        run = self._run()
        if outcome == "deny" and run is not None and not _is_call_of(tool, trace.get_current_span()):
            with guard("recording a refused call"):
                run.refused(tool, values)
            return
        self._record(names.GATE_DECISION, lambda: values)

    def step(self) -> None:
        """Counts one step of the run's budget.

        Raises:
            BudgetExceeded: the run was asked to raise, and a budget is crossed.
        """
        if (run := self._run()) is not None:
            run.spend("steps", 1)

    def usage(self, *, input_tokens: int = 0, output_tokens: int = 0, model: str = "") -> None:
        """Records one model call, where no instrumentation does, and counts its tokens.

        Args:
            input_tokens: tokens sent.
            output_tokens: tokens received.
            model: which model.

        Raises:
            BudgetExceeded: the run was asked to raise, and a budget is crossed.
        """
        self._record(
            names.USAGE_REPORTED,
            lambda: {
                names.INPUT_TOKENS: input_tokens,
                names.OUTPUT_TOKENS: output_tokens,
                names.REQUEST_MODEL: model,
            },
        )
        if (run := self._run()) is not None:
            run.model_called(input_tokens, output_tokens)

    def _record(
        self,
        name: str,
        values: Callable[[], Mapping[str, Any]],
        *,
        required: tuple[str, ...] = (),
        echo: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None,
    ) -> None:
        """Sends one event; its values are made in here, so that odd arguments cannot break the caller.

        Args:
            name: the event's name.
            values: makes its attributes.
            required: attributes it must have.
            echo: makes from them those of the standard evaluation event, which goes out beside it under the same id.
        """
        run = self._run()
        span = trace.get_current_span()
        if run is not None and (current_run() is not run or not span.is_recording()):
            span = run.span
        if run is None and not span.is_recording():
            return
        run_id = run.id if run is not None else ""
        with guard(f"recording {name}"):
            made = values()
            event_id = emit(name, made, span=span, run_id=run_id, required=required)
            if echo is not None:
                emit(names.EVALUATION_RESULT, echo(made), span=span, run_id=run_id, event_id=event_id)

    def _check(self, check: str, *, required: bool | None) -> dict[str, Any]:
        run = self._run()
        known = run is not None and any(each.name == check for each in run.contract.required_checks)
        return {names.VERIFICATION_CHECK: check, names.VERIFICATION_REQUIRED: known if required is None else required}

    def _named(self, evidence: Any) -> str:
        """A command's id, a file's path as records have it, or else the text as it is."""
        if isinstance(evidence, os.PathLike) or (isinstance(evidence, str) and os.path.isfile(evidence)):  # noqa: PTH113 - never raises
            return self._relative(evidence)
        return getattr(evidence, "id", None) or str(evidence)

    def _relative(self, path: str | os.PathLike[str]) -> str:
        run = self._run()
        return run.relative(path) if run is not None else os.fspath(path)


def _is_call_of(tool: str, span: trace.Span) -> bool:
    attributes = getattr(span, "attributes", None) or {}
    return attributes.get(names.TOOL_NAME) == tool and span.is_recording()


def _command_text(command: CommandResult | str | None) -> str | None:
    return command if command is None or isinstance(command, str) else command.command


def _alternatives(given: Mapping[str, str] | Sequence[str]) -> list[dict[str, str]]:
    if isinstance(given, Mapping):
        return [{"option": str(option), "reason": str(reason)} for option, reason in given.items()]
    return [{"option": str(option)} for option in _sequence(given)]


def _sequence(given: Any) -> list[Any]:
    """``given`` as a list; a single thing, also a text, is a list of one."""
    return list(given) if isinstance(given, list | tuple | set | frozenset) else [given]


def _files_of(evidence: list[Any]) -> list[str | os.PathLike[str]]:
    return [each for each in evidence if isinstance(each, str | os.PathLike)]


def _texts(given: Sequence[str] | None) -> list[str] | None:
    return None if given is None else [str(each) for each in _sequence(given)]


def _outcome(evidence: list[Any]) -> str:
    """What commands show: pass if all passed, fail if one failed, unknown where none tells."""
    results = [each.result for each in evidence if hasattr(each, "result")]
    if any(result in {"failed", "timed_out"} for result in results):
        return "fail"
    return "pass" if results and all(result == "passed" for result in results) else "unknown"


def _evaluation(verification: Mapping[str, Any]) -> dict[str, Any]:
    """The same in OpenTelemetry's standard event, for tools that know only that."""
    outcome = verification[names.VERIFICATION_OUTCOME]
    score = {"pass": 1.0, "fail": 0.0}.get(outcome)
    return {
        names.EVALUATION_NAME: verification[names.VERIFICATION_CHECK],
        names.EVALUATION_SCORE_LABEL: outcome if score is not None else None,
        names.EVALUATION_SCORE_VALUE: score,
        names.EVALUATION_EXPLANATION: verification.get(names.VERIFICATION_REASON),
        names.TEST_SUITE_NAME: verification[names.VERIFICATION_CHECK],
        # https://opentelemetry.io/docs/specs/semconv/registry/attributes/test/: success, failure, skipped, ...
        names.TEST_SUITE_RUN_STATUS: {"pass": "success", "fail": "failure"}.get(outcome),
    }
