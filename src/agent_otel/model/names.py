"""Every name that goes over the wire, spelled once.

``gen_ai.*``: open-telemetry/semantic-conventions-genai as of 2026-11 (status Development; the Python constants for
them are deprecated and incomplete, so they are declared here). ``process.*``, ``vcs.*``, ``file.*``, ``test.*``:
semantic-conventions 1.44 (Development, therefore declared here too). Stable names come from
``opentelemetry.semconv.attributes`` and are re-exported, so that there is one place to look.
Ours live under ``agent_otel.*``; the project does not squat on OpenTelemetry's namespaces.
"""

from __future__ import annotations

from typing import Final

from opentelemetry.semconv.attributes.error_attributes import ERROR_TYPE as ERROR_TYPE
from opentelemetry.semconv.attributes.exception_attributes import (
    EXCEPTION_MESSAGE as EXCEPTION_MESSAGE,
    EXCEPTION_STACKTRACE as EXCEPTION_STACKTRACE,
    EXCEPTION_TYPE as EXCEPTION_TYPE,
)
from opentelemetry.semconv.attributes.service_attributes import (
    SERVICE_NAME as SERVICE_NAME,
    SERVICE_VERSION as SERVICE_VERSION,
)

SCOPE: Final = "agent_otel"
"""Instrumentation scope of everything this SDK emits; the ``agent_otel`` dialect recognises its items by it."""

# -- GenAI: operations ------------------------------------------------------------------------------------------------
OPERATION_NAME: Final = "gen_ai.operation.name"
INVOKE_AGENT: Final = "invoke_agent"
INVOKE_WORKFLOW: Final = "invoke_workflow"
EXECUTE_TOOL: Final = "execute_tool"
CREATE_AGENT: Final = "create_agent"
CHAT: Final = "chat"
GENERATE_CONTENT: Final = "generate_content"
TEXT_COMPLETION: Final = "text_completion"
EMBEDDINGS: Final = "embeddings"

AGENT_NAME: Final = "gen_ai.agent.name"
AGENT_VERSION: Final = "gen_ai.agent.version"
WORKFLOW_NAME: Final = "gen_ai.workflow.name"
CONVERSATION_ID: Final = "gen_ai.conversation.id"
SESSION_ID: Final = "session.id"
REQUEST_MODEL: Final = "gen_ai.request.model"
RESPONSE_MODEL: Final = "gen_ai.response.model"
INPUT_TOKENS: Final = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS: Final = "gen_ai.usage.output_tokens"
PROMPT_TOKENS_OLD: Final = "gen_ai.usage.prompt_tokens"
COMPLETION_TOKENS_OLD: Final = "gen_ai.usage.completion_tokens"
CACHE_READ_TOKENS: Final = "gen_ai.usage.cache_read.input_tokens"
INPUT_MESSAGES: Final = "gen_ai.input.messages"
OUTPUT_MESSAGES: Final = "gen_ai.output.messages"

TOOL_NAME: Final = "gen_ai.tool.name"
TOOL_TYPE: Final = "gen_ai.tool.type"
TOOL_DESCRIPTION: Final = "gen_ai.tool.description"
TOOL_CALL_ID: Final = "gen_ai.tool.call.id"
TOOL_CALL_ARGUMENTS: Final = "gen_ai.tool.call.arguments"
TOOL_CALL_RESULT: Final = "gen_ai.tool.call.result"
TOOL_STATUS: Final = "gen_ai.tool.status"
TASK_STATUS: Final = "gen_ai.task.status"

EVALUATION_RESULT: Final = "gen_ai.evaluation.result"
EVALUATION_NAME: Final = "gen_ai.evaluation.name"
EVALUATION_SCORE_LABEL: Final = "gen_ai.evaluation.score.label"
EVALUATION_SCORE_VALUE: Final = "gen_ai.evaluation.score.value"
EVALUATION_EXPLANATION: Final = "gen_ai.evaluation.explanation"
INFERENCE_DETAILS: Final = "gen_ai.client.inference.operation.details"

# -- GenAI: spellings of earlier versions, and of frameworks where no convention has the word -------------------------
CACHE_READ_TOKENS_OLD: Final = "gen_ai.usage.cache_read_input_tokens"
RESPONSE_ID: Final = "gen_ai.response.id"
FINISH_REASONS: Final = "gen_ai.response.finish_reasons"
SYSTEM_MESSAGE: Final = "gen_ai.system.message"
USER_MESSAGE: Final = "gen_ai.user.message"
ASSISTANT_MESSAGE: Final = "gen_ai.assistant.message"
TOOL_MESSAGE: Final = "gen_ai.tool.message"
CHOICE: Final = "gen_ai.choice"
PYDANTIC_ARGUMENTS: Final = "tool_arguments"
PYDANTIC_RESPONSE: Final = "tool_response"
PYDANTIC_MESSAGES: Final = "pydantic_ai.all_messages"
PYDANTIC_RESULT: Final = "final_result"
ADK_ARGUMENTS: Final = "gcp.vertex.agent.tool_call_args"
ADK_RESPONSE: Final = "gcp.vertex.agent.tool_response"
ADK_MERGED_TOOLS: Final = "(merged tools)"
ADK_SCOPE: Final = "gcp.vertex.agent"
ADK_REQUEST: Final = "gcp.vertex.agent.llm_request"
ADK_ANSWER: Final = "gcp.vertex.agent.llm_response"
"""The tool name of the Agent Development Kit's made-up span around results of parallel calls."""

# -- Codex: events, the same in log records and as events of spans, and the span of a turn ----------------------------
CODEX_SCOPE: Final = "codex"
"""Begins the scopes of Codex: the binary's name in traces (``codex_exec``), ``codex_otel.log_only`` in logs."""
CODEX_EVENTS: Final = "codex."
CODEX_CONVERSATION: Final = "conversation.id"
CODEX_THREAD: Final = "thread_id"
CODEX_THREAD_OF_TURN: Final = "thread.id"
CODEX_PARENT: Final = "parent.conversation.id"
CODEX_TURN: Final = "session_task.turn"
CODEX_SLUG: Final = "slug"
CODEX_USER_PROMPT: Final = "codex.user_prompt"
CODEX_API_REQUEST: Final = "codex.api_request"
CODEX_WEBSOCKET_REQUEST: Final = "codex.websocket_request"
CODEX_SSE_EVENT: Final = "codex.sse_event"
CODEX_TOOL_DECISION: Final = "codex.tool_decision"
CODEX_TOOL_RESULT: Final = "codex.tool_result"
CODEX_AGENT_RESPONSE: Final = "codex.agent_response"
CODEX_RESPONSE: Final = "response"
CODEX_RESPONSE_COMPLETED: Final = "response.completed"
CODEX_EVENT_KIND: Final = "event.kind"
CODEX_AGENT_PATH: Final = "agent_name"
CODEX_CALL_ID: Final = "call_id"
CODEX_ABORTED: Final = "aborted"
CODEX_ARGUMENTS: Final = "arguments"
CODEX_OUTPUT: Final = "output"
CODEX_ERROR: Final = "error.message"
CODEX_INPUT_TOKENS: Final = "input_token_count"
CODEX_OUTPUT_TOKENS: Final = "output_token_count"
CODEX_CACHED_TOKENS: Final = "cached_token_count"

# -- Claude Code: log events by the names they have in attributes, and spans by their types ----------------------------
CLAUDE_SCOPE: Final = "com.anthropic.claude_code"
CLAUDE_BODY: Final = "claude_code."
"""Begins the bodies of its log events, and the names of its spans."""
CLAUDE_USER_PROMPT: Final = "user_prompt"
CLAUDE_RESPONSE: Final = "assistant_response"
CLAUDE_API_REQUEST: Final = "api_request"
CLAUDE_API_ERROR: Final = "api_error"
CLAUDE_TOOL_DECISION: Final = "tool_decision"
CLAUDE_TOOL_RESULT: Final = "tool_result"
CLAUDE_SUBAGENT_COMPLETED: Final = "subagent_completed"
CLAUDE_SEQUENCE: Final = "event.sequence"
CLAUDE_SPAN_TYPE: Final = "span.type"
CLAUDE_INTERACTION: Final = "interaction"
CLAUDE_LLM_REQUEST: Final = "llm_request"
CLAUDE_TOOL: Final = "tool"
CLAUDE_EXECUTION: Final = "tool.execution"
CLAUDE_BLOCKED: Final = "tool.blocked_on_user"
CLAUDE_ATTEMPT_EVENT: Final = "gen_ai.request.attempt"
CLAUDE_ATTEMPT: Final = "attempt"
CLAUDE_OUTPUT_EVENT: Final = "tool.output"
CLAUDE_OUTPUT: Final = "output"
CLAUDE_DIFF: Final = "diff"
CLAUDE_QUERY_SOURCES: Final = ("query_source", "query_source_safe")
CLAUDE_AGENT_ID: Final = "agent_id"
CLAUDE_AGENT_TYPE: Final = "agent_type"
CLAUDE_TOOL_USE_ID: Final = "tool_use_id"
CLAUDE_TOOL_INPUT: Final = "tool_input"
CLAUDE_TOOL_PARAMETERS: Final = "tool_parameters"
CLAUDE_FULL_COMMAND: Final = "full_command"
CLAUDE_FILE_PATH: Final = "file_path"
CLAUDE_DECISION_TYPE: Final = "decision_type"
CLAUDE_REQUEST_ID: Final = "request_id"
CLAUDE_STATUS_CODE: Final = "status_code"
CLAUDE_ERROR_CLASS: Final = "error_class"
CLAUDE_STOP_REASON: Final = "stop_reason"
CLAUDE_INPUT_TOKENS: Final = "input_tokens"
CLAUDE_OUTPUT_TOKENS: Final = "output_tokens"
CLAUDE_CACHE_READ_TOKENS: Final = "cache_read_tokens"
CLAUDE_COST: Final = "cost_usd"
CLAUDE_PROMPT_ON_SPAN: Final = "user_prompt"
CLAUDE_RESPONSE_TEXT: Final = "response"

# -- attributes that agents share without a convention ----------------------------------------------------------------
OWN_TOOL_NAME: Final = "tool_name"
OWN_DURATION_MS: Final = "duration_ms"
OWN_SUCCESS: Final = "success"
OWN_DECISION: Final = "decision"
OWN_SOURCE: Final = "source"
OWN_PROMPT: Final = "prompt"
OWN_MODEL: Final = "model"
OWN_ERROR: Final = "error"
OWN_ERROR_TYPE: Final = "error_type"
OWN_APP_VERSION: Final = "app.version"

# -- Gemini CLI and its fork Qwen Code: events of log records, their attributes, and spans ----------------------------
GEMINI_SCOPE: Final = "gemini-cli"
GEMINI_EVENTS: Final = "gemini_cli."
QWEN_SCOPE: Final = "qwen-code"
QWEN_EVENTS: Final = "qwen-code."
QWEN_PROMPT_ID: Final = "qwen-code.prompt_id"
QWEN_TURN_STATUS: Final = "qwen-code.turn_status"
QWEN_USER_AGENT: Final = "QwenCode/"
QWEN_FAILURE_KIND: Final = "tool.failure_kind"
FORK_TOOL: Final = "function_name"
FORK_ARGUMENTS: Final = "function_args"
FORK_CALL_ID: Final = "call_id"
FORK_METADATA: Final = "metadata"
FORK_STATUS: Final = "status"
FORK_EXECUTION: Final = "execution_status"
FORK_PROMPT_ID: Final = "prompt_id"
FORK_RESPONSE: Final = "response_text"
FORK_RESPONSE_ID: Final = "response_id"
FORK_STATUS_CODE: Final = "status_code"
FORK_INPUT_TOKENS: Final = "input_token_count"
FORK_OUTPUT_TOKENS: Final = "output_token_count"
FORK_CACHED_TOKENS: Final = "cached_content_token_count"
FORK_AGENT_ID: Final = "agent_id"
FORK_AGENT_NAME: Final = "agent_name"
FORK_TERMINATED: Final = "terminate_reason"
FORK_FINISH_REASON: Final = "finish_reason"
FORK_SUB_AGENT: Final = "subagent_name"
GEMINI_TOOL_CALL_ID: Final = "gen_ai.tool.call_id"
GEMINI_PROMPT_ID: Final = "gen_ai.prompt.name"

# -- GitHub Copilot CLI ------------------------------------------------------------------------------------------------
COPILOT_SCOPE: Final = "github.copilot"
COPILOT_COMMAND: Final = "github.copilot.tool.parameters.command"
COPILOT_FILE: Final = "github.copilot.tool.parameters.file_path"

# -- opencode, and the AI SDK inside -----------------------------------------------------------------------------------
OPENCODE_SCOPE: Final = "opencode"
OPENCODE_CALL_ID: Final = "tool.call_id"
AI_OPERATION: Final = "ai.operationId"
AI_MODEL: Final = "ai.model.id"
AI_PROMPT: Final = "ai.prompt"
AI_PROMPT_MESSAGES: Final = "ai.prompt.messages"
AI_TOOL_CHOICE: Final = "ai.prompt.toolChoice"
AI_RESPONSE_ID: Final = "ai.response.id"
AI_RESPONSE_MODEL: Final = "ai.response.model"
AI_RESPONSE_TEXT: Final = "ai.response.text"
AI_RESPONSE_TOOL_CALLS: Final = "ai.response.toolCalls"
AI_FINISH_REASON: Final = "ai.response.finishReason"
AI_INPUT_TOKENS: Final = "ai.usage.inputTokens"
AI_OUTPUT_TOKENS: Final = "ai.usage.outputTokens"
AI_CACHED_TOKENS: Final = "ai.usage.cachedInputTokens"
AI_TOOL_NAME: Final = "ai.toolCall.name"
AI_TOOL_ID: Final = "ai.toolCall.id"
AI_TOOL_ARGUMENTS: Final = "ai.toolCall.args"
AI_TOOL_RESULT: Final = "ai.toolCall.result"

# -- OpenInference ----------------------------------------------------------------------------------------------------
OI_KIND: Final = "openinference.span.kind"
OI_INPUT: Final = "input.value"
OI_OUTPUT: Final = "output.value"
OI_INPUT_MESSAGES: Final = "llm.input_messages."
OI_OUTPUT_MESSAGES: Final = "llm.output_messages."
OI_MODEL: Final = "llm.model_name"
OI_INPUT_TOKENS: Final = "llm.token_count.prompt"
OI_OUTPUT_TOKENS: Final = "llm.token_count.completion"
OI_CACHE_READ_TOKENS: Final = "llm.token_count.prompt_details.cache_read"
OI_COST: Final = "llm.cost.total"
OI_TOOL_NAME: Final = "tool.name"
OI_TOOL_PARAMETERS: Final = "tool.parameters"
OI_TOOL_CALL_ID: Final = "tool_call.id"
OI_TOOL_ID: Final = "tool.id"
OI_AGENT_NAME: Final = "agent.name"
OI_NODE_NAME: Final = "graph.node.name"
OI_METADATA: Final = "metadata"
OI_CREW_TASKS: Final = "crew_tasks"
OI_REDACTED: Final = "__REDACTED__"
"""What OpenInference writes in the place of content that it was told to hide."""

# -- messages in numbered attributes: OpenLLMetry before 0.50, and its relatives ---------------------------------------
LLM_REQUEST_TYPE: Final = "llm.request.type"
PROMPTS: Final = "gen_ai.prompt."
COMPLETIONS: Final = "gen_ai.completion."

# -- OpenLLMetry, and the decorators of Traceloop's SDK ----------------------------------------------------------------
TRACELOOP_NAME: Final = "traceloop.entity.name"
TRACELOOP_INPUT: Final = "traceloop.entity.input"
TRACELOOP_OUTPUT: Final = "traceloop.entity.output"

# -- Laminar (lmnr), as OpenHands uses it -----------------------------------------------------------------------------
LMNR_SCOPE: Final = "lmnr.tracer"
LMNR_INPUT: Final = "lmnr.span.input"
LMNR_OUTPUT: Final = "lmnr.span.output"
LMNR_CALL_ID: Final = "lmnr.association.properties.metadata.tool_call_id"

# -- other semantic conventions ---------------------------------------------------------------------------------------
HTTP_STATUS: Final = "http.response.status_code"
USER_AGENT: Final = "user_agent.original"
PROCESS_EXECUTABLE_NAME: Final = "process.executable.name"
PROCESS_EXIT_CODE: Final = "process.exit.code"
PROCESS_COMMAND_ARGS: Final = "process.command_args"
PROCESS_WORKING_DIRECTORY: Final = "process.working_directory"
PROCESS_PID: Final = "process.pid"
FILE_NAME: Final = "file.name"
FILE_EXTENSION: Final = "file.extension"
FILE_SIZE: Final = "file.size"
TEST_SUITE_NAME: Final = "test.suite.name"
TEST_SUITE_RUN_STATUS: Final = "test.suite.run.status"
TEST_CASE_NAME: Final = "test.case.name"
TEST_CASE_STATUS: Final = "test.case.result.status"
CICD_PIPELINE_NAME: Final = "cicd.pipeline.name"
CICD_PIPELINE_RESULT: Final = "cicd.pipeline.result"
CICD_TASK_NAME: Final = "cicd.pipeline.task.name"
CICD_TASK_RESULT: Final = "cicd.pipeline.task.run.result"
VCS_REPOSITORY_URL: Final = "vcs.repository.url.full"
VCS_REPOSITORY_NAME: Final = "vcs.repository.name"
VCS_REF_NAME: Final = "vcs.ref.head.name"
VCS_REF_REVISION: Final = "vcs.ref.head.revision"

# -- ours: the run ----------------------------------------------------------------------------------------------------
RUN_ID: Final = "agent_otel.run.id"
RUN_PARENT: Final = "agent_otel.run.parent"
RUN_OUTCOME: Final = "agent_otel.run.outcome"
RUN_OPEN_SPANS: Final = "agent_otel.run.open_spans"
REDACTIONS: Final = "agent_otel.redactions"
EVENT_ID: Final = "agent_otel.event.id"
EVENT_NAME_ATTRIBUTES: Final = ("event.name", "event_name")
"""Where senders put the name of a log event before (or in place of) the field ``event_name``; the first set counts."""
MISSING_FIELDS: Final = "agent_otel.event.missing_fields"

# -- ours: the seven events of requirements.md §1 ---------------------------------------------------------------------
TASK_STARTED: Final = "agent_otel.task_started"
FILE_READ: Final = "agent_otel.file_read"
COMMAND_RUN: Final = "agent_otel.command_run"
FAILURE_SEEN: Final = "agent_otel.failure_seen"
DECISION_MADE: Final = "agent_otel.decision_made"
VERIFICATION_RAN: Final = "agent_otel.verification_ran"
HANDOFF_WRITTEN: Final = "agent_otel.handoff_written"
SEVEN_EVENTS: Final = (
    TASK_STARTED,
    FILE_READ,
    COMMAND_RUN,
    FAILURE_SEEN,
    DECISION_MADE,
    VERIFICATION_RAN,
    HANDOFF_WRITTEN,
)

# ... and the others
RUN_HEARTBEAT: Final = "agent_otel.run.heartbeat"
RUN_FINISHED: Final = "agent_otel.run.finished"
FILE_CHANGED: Final = "agent_otel.file_changed"
GATE_DECISION: Final = "agent_otel.tool.call.decision"
BUDGET_EXCEEDED: Final = "agent_otel.budget.exceeded"
CONTEXT_LOADED: Final = "agent_otel.context_loaded"
RISK_NOTED: Final = "agent_otel.risk_noted"
USAGE_REPORTED: Final = "agent_otel.usage_reported"
FINAL_MESSAGE: Final = "agent_otel.final_message"
TOOL_CONTENT: Final = "agent_otel.tool_content"

# -- ours: fields of task_started (also on the run span) --------------------------------------------------------------
TASK_OBJECTIVE: Final = "agent_otel.task.objective"
TASK_SCOPE: Final = "agent_otel.task.scope"
TASK_EXCLUSIONS: Final = "agent_otel.task.exclusions"
TASK_OFF_LIMITS: Final = "agent_otel.task.off_limits"
TASK_ACCEPTANCE: Final = "agent_otel.task.acceptance"
TASK_ACTIVE_BEHAVIOR: Final = "agent_otel.task.active_behavior"
TASK_REQUIRED_CHECKS: Final = "agent_otel.task.required_checks"
TASK_BUDGETS: Final = "agent_otel.task.budgets"
TASK_CONTEXT_SOURCES: Final = "agent_otel.task.context_sources"
TASK_BRANCH_PATTERN: Final = "agent_otel.task.branch_pattern"
BASE_COMMIT: Final = "agent_otel.base.commit"
BASE_BRANCH: Final = "agent_otel.base.branch"
BASE_DIRTY: Final = "agent_otel.base.dirty"
BASE_TREE: Final = "agent_otel.base.tree"
BASE_REPOSITORY: Final = "agent_otel.base.repository"

# -- ours: fields of run.finished -------------------------------------------------------------------------------------
FINAL_TREE: Final = "agent_otel.final.tree"
FINAL_COMMIT: Final = "agent_otel.final.commit"
FINAL_DIRTY: Final = "agent_otel.final.dirty"
CHANGED_FILES: Final = "agent_otel.final.changed_files"
CHANGED_FILES_TOTAL: Final = "agent_otel.final.changed_files_total"

# -- ours: fields of file events and file tools -----------------------------------------------------------------------
FILE_OPERATION: Final = "agent_otel.file.operation"
FILE_PATH: Final = "agent_otel.file.path"
FILE_REASON: Final = "agent_otel.file.reason"
FILE_LINES: Final = "agent_otel.file.lines"
FILE_LINES_ADDED: Final = "agent_otel.file.lines_added"
FILE_LINES_REMOVED: Final = "agent_otel.file.lines_removed"
FILE_CONTENT_DIGEST: Final = "agent_otel.file.content_digest"
FILE_OLD_PATH: Final = "agent_otel.file.old_path"

# -- ours: fields of command_run --------------------------------------------------------------------------------------
COMMAND_ID: Final = "agent_otel.command.id"
COMMAND_LINE: Final = "agent_otel.command.line"
COMMAND_RESULT: Final = "agent_otel.command.result"
COMMAND_DURATION: Final = "agent_otel.command.duration"
COMMAND_OBSERVER: Final = "agent_otel.command.observer"
COMMAND_TREE: Final = "agent_otel.command.tree"
COMMAND_OUTPUT_BYTES: Final = "agent_otel.command.output.bytes"
COMMAND_OUTPUT_DIGEST: Final = "agent_otel.command.output.sha256"
COMMAND_OUTPUT_TAIL: Final = "agent_otel.command.output.tail"
COMMAND_FILES: Final = "agent_otel.command.files"
"""Reports that the command wrote: a JSON text each, with ``path``, ``sha256``, ``bytes`` and ``modified``."""

# -- ours: fields of failure_seen -------------------------------------------------------------------------------------
FAILURE_COMMAND: Final = "agent_otel.failure.command"
FAILURE_COMMAND_ID: Final = "agent_otel.failure.command_id"
FAILURE_ERROR: Final = "agent_otel.failure.error"
FAILURE_SUSPECTED_CAUSE: Final = "agent_otel.failure.suspected_cause"

# -- ours: fields of decision_made ------------------------------------------------------------------------------------
DECISION_OPTION: Final = "agent_otel.decision.option"
DECISION_ALTERNATIVES: Final = "agent_otel.decision.alternatives"
DECISION_BASED_ON: Final = "agent_otel.decision.based_on"

# -- ours: fields of verification_ran ---------------------------------------------------------------------------------
VERIFICATION_CHECK: Final = "agent_otel.verification.check"
VERIFICATION_OUTCOME: Final = "agent_otel.verification.outcome"
VERIFICATION_REQUIRED: Final = "agent_otel.verification.required"
VERIFICATION_REASON: Final = "agent_otel.verification.reason"
VERIFICATION_EVIDENCE: Final = "agent_otel.verification.evidence"
VERIFICATION_FILES: Final = "agent_otel.verification.files"
"""Files among the evidence, written as those of a command are."""
VERIFICATION_UNAVAILABLE: Final = "agent_otel.verification.unavailable"

# -- ours: fields of evidence_added, which also has those of verification_ran ------------------------------------------
EVIDENCE_ADDED: Final = "agent_otel.evidence_added"
EVIDENCE_ID: Final = "agent_otel.evidence.id"
EVIDENCE_KIND: Final = "agent_otel.evidence.kind"
EVIDENCE_CASE: Final = "agent_otel.evidence.case"
EVIDENCE_SOURCE: Final = "agent_otel.evidence.source"
EVIDENCE_BY: Final = "agent_otel.evidence.by"
EVIDENCE_COMMIT: Final = "agent_otel.evidence.commit"
EVIDENCE_TREE: Final = "agent_otel.evidence.tree"
EVIDENCE_MERGE_OF: Final = "agent_otel.evidence.merge_of"
EVIDENCE_EXIT_CODE: Final = "agent_otel.evidence.exit_code"
EVIDENCE_PASSED: Final = "agent_otel.evidence.counts.passed"
EVIDENCE_FAILED: Final = "agent_otel.evidence.counts.failed"
EVIDENCE_SKIPPED: Final = "agent_otel.evidence.counts.skipped"
EVIDENCE_ERRORS: Final = "agent_otel.evidence.counts.errors"
EVIDENCE_COVERAGE: Final = "agent_otel.evidence.coverage"
EVIDENCE_FAILING: Final = "agent_otel.evidence.failing"
EVIDENCE_TAIL: Final = "agent_otel.evidence.tail"

# -- ours: what only a reviewer caught, said of a run after it ---------------------------------------------------------
NEAR_MISS: Final = "agent_otel.near_miss"
NEAR_MISS_CAUGHT_BY: Final = "agent_otel.near_miss.caught_by"
NEAR_MISS_WHAT: Final = "agent_otel.near_miss.what"
NEAR_MISS_FILES: Final = "agent_otel.near_miss.files"
NEAR_MISS_LAYER: Final = "agent_otel.near_miss.layer"

# -- ours: which run a run does again, on its span and in task_started; or said of it after it -------------------------
REDO: Final = "agent_otel.redo"
RUN_REDO_OF: Final = "agent_otel.run.redo_of"

SAID_BY_OTHERS: Final = (EVIDENCE_ADDED, NEAR_MISS, REDO)
"""Events that others add to a run, by its id: they make no run, and come before it, after it, or long after."""

# -- ours: what a run left, kept beside what pipelines tell of the same commit and tree --------------------------------
RUN_LEFT: Final = "agent_otel.run_left"
LEFT_BY: Final = "agent_otel.run_left.by"

# -- ours: fields of handoff_written ----------------------------------------------------------------------------------
HANDOFF_STATUS: Final = "agent_otel.handoff.status"
HANDOFF_BLOCKERS: Final = "agent_otel.handoff.blockers"
HANDOFF_NEXT_ACTION: Final = "agent_otel.handoff.next_action"
HANDOFF_ASSUMPTIONS: Final = "agent_otel.handoff.assumptions"
HANDOFF_RISKS: Final = "agent_otel.handoff.risks"
HANDOFF_LOOK_TWICE: Final = "agent_otel.handoff.look_twice"

# -- ours: gates, budgets, context, risks, claims ---------------------------------------------------------------------
GATE_TOOL: Final = "agent_otel.tool.call.name"
GATE_OUTCOME: Final = "agent_otel.tool.call.decision.outcome"
GATE_POLICY: Final = "agent_otel.tool.call.decision.policy"
GATE_REASON: Final = "agent_otel.tool.call.decision.reason"
BUDGET_NAME: Final = "agent_otel.budget.name"
BUDGET_LIMIT: Final = "agent_otel.budget.limit"
BUDGET_CONSUMED: Final = "agent_otel.budget.consumed"
CONTEXT_NAME: Final = "agent_otel.context.name"
CONTEXT_DIGEST: Final = "agent_otel.context.digest"
RISK_TEXT: Final = "agent_otel.risk.text"
MESSAGE_TEXT: Final = "agent_otel.message.text"

BUDGETS: Final = ("steps", "tokens", "tool_calls", "wall_time")


def budget_limit(budget: str) -> str:
    """The run-span attribute that carries the limit of ``budget``."""
    return f"agent_otel.budget.{budget}.limit"


def budget_consumed(budget: str) -> str:
    """The run-span attribute that carries what was consumed of ``budget``."""
    return f"agent_otel.budget.{budget}.consumed"


# -- values of error.type that are not exception types ----------------------------------------------------------------
ERROR_TIMEOUT: Final = "timeout"
ERROR_CANCELLED: Final = "cancelled"
ERROR_NONZERO_EXIT: Final = "nonzero_exit"
ERROR_TOOL: Final = "tool_error"
ERROR_DENIED: Final = "denied"
ERROR_OTHER: Final = "_OTHER"

# -- litellm ----------------------------------------------------------------------------------------------------------
LITELLM_SCOPE: Final = "litellm"
LITELLM_CALL_ID: Final = "litellm.call_id"
LITELLM_REQUEST: Final = "litellm_request"
LITELLM_HIDDEN: Final = "hidden_params"
LITELLM_PROMPT: Final = "gen_ai.content.prompt"
LITELLM_COMPLETION: Final = "gen_ai.content.completion"
OI_LITELLM_SCOPE: Final = "openinference.instrumentation.litellm"
OPENAI_SCOPE: Final = "opentelemetry.instrumentation.openai_v2"

# -- MCP: its conventions, and the libraries that follow them ---------------------------------------------------------
MCP_METHOD: Final = "mcp.method.name"
MCP_TOOLS_CALL: Final = "tools/call"
MCP_SDK_SCOPE: Final = "mcp-python-sdk"
FASTMCP_SCOPE: Final = "fastmcp"
SERVICE_INSTANCE_ID: Final = "service.instance.id"

# -- how frameworks mark spans of tools -------------------------------------------------------------------------------
TRACELOOP_KIND: Final = "traceloop.span.kind"
LMNR_TYPE: Final = "lmnr.span.type"

# -- metrics ----------------------------------------------------------------------------------------------------------
METRIC_TOOL_DURATION: Final = "gen_ai.execute_tool.duration"
METRIC_AGENT_DURATION: Final = "gen_ai.invoke_agent.duration"
METRIC_AGENT_TOOL_CALLS: Final = "gen_ai.invoke_agent.tool_calls"
METRIC_AGENT_INFERENCE_CALLS: Final = "gen_ai.invoke_agent.inference_calls"
METRIC_TOOLS_CALLED: Final = "tools_called_total"
METRIC_TOOL_LATENCY: Final = "tool_latency_ms"
METRIC_LABEL_TOOL: Final = "tool"
METRIC_DROPPED: Final = "agent_otel.sdk.dropped_measurements"

# -- what the processor keeps of a data point of a metric -------------------------------------------------------------
MEASURED: Final = "agent_otel.measured"
MEASURED_METRIC: Final = "agent_otel.measured.metric"
MEASURED_KIND: Final = "agent_otel.measured.kind"
MEASURED_VALUE: Final = "agent_otel.measured.value"

# -- the processor's own event: a finished record ---------------------------------------------------------------------
RUN_RECORD: Final = "agent_otel.run_record"
RECORD_REVISION: Final = "agent_otel.record.revision"
RECORD_LIFECYCLE: Final = "agent_otel.record.lifecycle"
RECORD_REVIEW_STATE: Final = "agent_otel.record.review_state"
RECORD_FINDINGS: Final = "agent_otel.record.findings"
RECORD_LEFT_OUT: Final = "agent_otel.record.left_out"

# -- the processor's own metrics --------------------------------------------------------------------------------------
METRIC_ACCEPTED: Final = "agent_otel.processor.items.accepted"
METRIC_STORED: Final = "agent_otel.processor.items.stored"
METRIC_DUPLICATE: Final = "agent_otel.processor.items.duplicate"
METRIC_REJECTED: Final = "agent_otel.processor.items.rejected"
METRIC_REPAIRED: Final = "agent_otel.processor.items.repaired"
METRIC_IGNORED: Final = "agent_otel.processor.items.ignored"
METRIC_REQUESTS: Final = "agent_otel.processor.requests"
METRIC_REFUSED: Final = "agent_otel.processor.requests.refused"
METRIC_ACKNOWLEDGED: Final = "agent_otel.processor.acknowledgement.duration"
METRIC_COMMIT: Final = "agent_otel.processor.commit.duration"
METRIC_IN_FLIGHT: Final = "agent_otel.processor.in_flight"
METRIC_DUE: Final = "agent_otel.processor.due"
METRIC_LAG: Final = "agent_otel.processor.lag"
METRIC_FOLDED: Final = "agent_otel.processor.folded"
METRIC_FOLD: Final = "agent_otel.processor.fold.duration"
METRIC_EMITTED: Final = "agent_otel.processor.emitted"
METRIC_MEMORY: Final = "agent_otel.processor.memory"
METRIC_KEPT_ITEMS: Final = "agent_otel.processor.store.items"
METRIC_KEPT_NOTES: Final = "agent_otel.processor.store.notes"
METRIC_KEPT_EXPIRED: Final = "agent_otel.processor.store.expired"
METRIC_KEPT_RECORDS: Final = "agent_otel.processor.store.records"
LABEL_SIGNAL: Final = "signal"
LABEL_TRANSPORT: Final = "transport"
LABEL_STATUS: Final = "status"
LABEL_REASON: Final = "reason"
LABEL_LIFECYCLE: Final = "lifecycle"
LABEL_PROCESS: Final = "process"

# -- environment passed to child processes ----------------------------------------------------------------------------
ENV_RUN: Final = "AGENT_OTEL_RUN"

LMNR_SESSION: Final = "lmnr.association.properties.session_id"
TRACELOOP_SESSION: Final = "traceloop.association.properties.session_id"
TRACELOOP_THREAD: Final = "traceloop.association.properties.thread_id"
OPENCODE_RUN: Final = "opencode.run"
ADK_SESSION: Final = "gcp.vertex.agent.session_id"

GROUP_KEYS: Final = (
    RUN_ID,
    RUN_PARENT,
    CONVERSATION_ID,
    SESSION_ID,
    CODEX_CONVERSATION,
    LMNR_SESSION,
    TRACELOOP_SESSION,
    TRACELOOP_THREAD,
    OPENCODE_RUN,
    ADK_SESSION,
)
"""Attributes (of item or resource) whose equal values put items of several traces into one group."""
