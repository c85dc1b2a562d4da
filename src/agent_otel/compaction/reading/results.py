"""What a tool call came to: arguments and results unwrapped, exit codes, errors.

What happened is decided from the process result, never from a status of OK: tools return the output of a failing
command as a success, in every framework.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from agent_otel.compaction.reading.values import STATUS_ERROR, is_cut, loads, remains, text, whole
from agent_otel.model import names
from agent_otel.model.fact import SpanOutcome
from agent_otel.model.item import Span
from agent_otel.model.record import CommandResult

EXIT_KEYS: Final = ("exit_code", "exitCode", "returncode", "return_code", "returnCode", "exit_status", "exitStatus")
INNER_KEYS: Final = (
    "metadata",
    "data",
    "result",
    "output",
    "structured_content",
    "structuredContent",
    "kwargs",
    "response",
)
TIMEOUT_KEYS: Final = ("timed_out", "timedOut", "timeout")
TEXT_KEYS: Final = ("stdout", "stderr", "output", "content", "text", "message", "error")
DENIED: Final = frozenset(
    [
        *("denied", "permission_denied", "policy_violation", "execution_denied", "rejected"),
        *("permissiondeniederror", "permissionrejectederror", "permissioncorrectederror"),
    ]
)
CANCELLED: Final = frozenset(
    ["cancelled", "canceled", "cancellederror", "keyboardinterrupt", "generatorexit", "aborterror"]
)
TIMED_OUT: Final = frozenset(["timeout", "timed_out", "timeouterror", "timeoutexpired"])

_EXIT_LINE: Final = re.compile(
    r"^\W*(?:(?:the )?(?:process|command|shell|program)\W+)?(?:\w+ with\W+)?(?:exit|return)(?:ed)?[ _-]?"
    r"(?:with[ _-])?(?:code|status|value)?\W{1,3}(-?[0-9]{1,10})\b\W*$",
    re.IGNORECASE | re.MULTILINE,
)
_TIMEOUT_LINE: Final = re.compile(
    r"^\W*(?:error\W+)?(?:the )?(?:command|process|execution|operation|tool)\b[^\n]{0,80}\btimed out\b",
    re.IGNORECASE | re.MULTILINE,
)
_ERROR_TEXT: Final = re.compile(
    r"\W*(?:(?:\w+\.)*\w*(?:Error|Exception)|error[^\n:]{0,60}|ERROR|Traceback[^\n]*):", re.IGNORECASE
)
_NOT_DONE_TEXT: Final = re.compile(
    r"\W*(?:an? )?(?:error|failed|failure|could not|couldn't|cannot|can't|unable to|invalid"
    r"|no (?:match|changes|replacement|such)|not (?:found|applied|allowed|permitted)"
    r"|permission|rejected|denied|cancel|declined|the user)",
    re.IGNORECASE,
)


class Result(NamedTuple):
    """A tool's result: its fields where it has some, its text, and the call it answers where it says so."""

    fields: Mapping[str, Any]
    text: str
    call_id: str = ""


class Ending(NamedTuple):
    """How a call ended. ``error`` and ``error_type`` are empty where nothing went wrong.

    ``started`` is False where the tool failed before it did anything. ``exited_zero`` is True where the telemetry has
    a word that is known to mean an exit code of 0, and no code.
    """

    outcome: SpanOutcome
    error_type: str = ""
    error: str = ""
    timed_out: bool = False
    started: bool = True
    exited_zero: bool = False


def unwrap(raw: object) -> Result:
    """A result without the envelopes frameworks put around it; what an envelope says of an error is kept."""
    value = loads(raw)
    failed, call_id = False, ""
    for _ in range(6):
        inner = _inside(value)
        if inner is value:
            break
        if isinstance(value, dict):
            failed = failed or says_error(value)
            call_id = call_id or text(value.get("tool_call_id"))
        value = loads(inner)
    fields: Mapping[str, Any] = {}
    if isinstance(value, dict):
        fields, value = value, "\n".join(filter(None, (_said(value.get(key)) for key in TEXT_KEYS)))
    elif is_cut(value):
        fields = remains(value)
        value = "\n".join(filter(None, (text(fields.get(key)) for key in TEXT_KEYS)))
        call_id, fields = text(fields.get("tool_call_id")), {}
    return Result({**fields, "is_error": True} if failed else fields, text(value), call_id)


def _inside(value: Any) -> Any:
    """What an envelope holds, the value itself when it is none."""
    if isinstance(value, list) and value and all(isinstance(entry, dict) for entry in value):
        return _said(value) or value
    if not isinstance(value, dict) or any(key in value for key in EXIT_KEYS):
        return value
    if set(value) == {"result"}:
        return value["result"]
    if "blocks" in value and "raw_output" in value:  # llama-index
        return value["raw_output"]
    for key in ("data", "kwargs", "output"):
        if isinstance(inner := value.get(key), dict) and ("content" in inner or "kwargs" in inner):
            return inner
    is_message = "tool_call_id" in value and isinstance(value.get("content"), str)
    return value["content"] if is_message or isinstance(value.get("content"), list) else value


def _said(value: Any) -> str:
    """The text of a field: itself, or that of its parts."""
    if not isinstance(value, list):
        return text(value)
    parts = [entry for entry in value if isinstance(entry, dict)]
    return "\n".join(filter(None, (text(part.get("text")) or text(part.get("content")) for part in parts)))


def ending(span: Span, result: Result) -> Ending:
    """How a call ended: any sign of an error counts, and a result that says so."""
    exceptions = [event.attributes for event in span.events if names.EXCEPTION_TYPE in event.attributes]
    thrown = exceptions[0] if exceptions else {}
    error_type = text(span.attributes.get(names.ERROR_TYPE)) or text(thrown.get(names.EXCEPTION_TYPE))
    failed = bool(span.status == STATUS_ERROR or error_type or _span_says_so(span) or _result_says_so(result))
    if not failed:
        return Ending("ok" if span.end_ns else "open")
    told = (
        text(thrown.get(names.EXCEPTION_MESSAGE)),
        text(result.fields.get("error")),
        span.status_message,
        result.text,
    )
    word = error_type.rpartition(".")[2].casefold()
    outcome: SpanOutcome = "denied" if word in DENIED else "cancelled" if word in CANCELLED else "failed"
    return Ending(outcome, error_type, next(filter(None, told), ""), word in TIMED_OUT)


# Signs of failure that are no status: frameworks.md rule 6.


def _span_says_so(span: Span) -> bool:
    get = span.attributes.get
    return (
        get(names.TOOL_STATUS) == "error"
        or get(names.TASK_STATUS) == "failure"
        or get("success", True) in (False, "false")
    )


def _result_says_so(result: Result) -> bool:
    if not result.fields:
        return bool(_ERROR_TEXT.match(result.text[:200])) and exit_code(None, result) is None
    return says_error(result.fields) or (bool(result.fields.get("error")) and exit_code(None, result) is None)


def says_error(fields: Mapping[str, Any]) -> bool:
    """True where a field of a result tells of an error."""
    get = fields.get
    return (
        get("is_error") is True
        or get("isError") is True
        or get("success") is False
        or get("ok") is False
        or get("status") in ("error", "failed")
    )


def undone(result: Result) -> bool:
    """True for the words of an edit that changed nothing."""
    return bool(_NOT_DONE_TEXT.match(text(result.fields.get("message")) or result.text))


def exit_code(stated: int | None, result: Result) -> int | None:
    """The exit code: stated apart from the result, a field of it, or the line of its text that gives it."""
    code = _field(result.fields) if stated is None else stated
    return code if code is not None else _in_text(result.text)


def _field(fields: Mapping[str, Any]) -> int | None:
    inner = [loads(fields.get(key)) for key in INNER_KEYS]
    for level in (fields, *(entry for entry in inner if isinstance(entry, dict))):
        for key in EXIT_KEYS:
            if (code := whole(level.get(key))) is not None:
                return code
    return None


def _in_text(said: str) -> int | None:
    """An exit code on a line of its own: the first line is the tool's word, then the last, then any that agree."""
    found = [(match.start(), match.end(), int(match[1])) for match in _EXIT_LINE.finditer(said)]
    if not found:
        return None
    stripped = len(said.rstrip())
    if not said[: found[0][0]].strip():
        return found[0][2]
    if found[-1][1] >= stripped:
        return found[-1][2]
    codes = {code for _, _, code in found}
    return codes.pop() if len(codes) == 1 else None


def command_result(end: Ending, code: int | None, result: Result) -> CommandResult:
    """What became of a command; ``passed`` takes an exit code of 0, or a word that is known to mean one."""
    if end.outcome == "denied":
        return "denied"
    if not end.started:
        return "not_started"
    if (
        end.timed_out
        or any(result.fields.get(key) is True for key in TIMEOUT_KEYS)
        or (code != 0 and _TIMEOUT_LINE.search(result.text))
    ):
        return "timed_out"
    if end.outcome in ("cancelled", "open"):
        return "unknown"
    if code == 0 or (code is None and end.exited_zero):
        return "passed" if end.outcome == "ok" else "unknown"
    return "failed" if code is not None or end.outcome == "failed" else "unknown"
