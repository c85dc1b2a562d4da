"""Every rule, in the order its findings stand in a record. A new rule is one function and one entry here."""

from __future__ import annotations

from typing import Final

from agent_otel.review.rules import checks, claims, files, handoff, harness, later, work
from agent_otel.review.rules.base import Rule

RULES: Final[tuple[Rule, ...]] = (
    Rule(
        id="missing-required-check", severity="error", layer="judging", check=checks.missing_required_check,
        summary="a required check did not run, or its run proves nothing",
        example="the contract requires 'e2e', and the run records run.skipped('e2e', reason='no preview service')",
        remedy="run the check on the final tree, or take it out of the contract's required_checks",
    ),
    Rule(
        id="failing-required-check", severity="error", layer="implementation", check=checks.failing_required_check,
        summary="a required check failed when it last ran",
        example="the last run of 'pnpm test auth-guard', required as 'unit', exits with 1",
        remedy="repair what it found and run it again before the handoff",
    ),
    Rule(
        id="post-handoff-regression", severity="error", layer="release process", check=later.post_handoff_regression,
        summary="a check passed in the run and failed after the handoff, on the same state or on a merge of it",
        example="'unit' passed on the final tree, and CI's run of 'unit' on the commit of that tree exits with 1",
        remedy="find what differs between the two places (versions, services, the branch it was merged with), and run"
        " the check as CI does before the handoff; one that passes again unchanged is flaky: repair that. A pass by"
        " word alone or on an older tree points to verification instead: have it run on what is handed over",
    ),
    Rule(
        id="failing-late-check", severity="warning", layer="implementation", check=later.failing_late_check,
        summary="evidence that came after the handoff shows a failure of a check that the run itself did not pass",
        example="the run never ran 'e2e', and CI's run of it on the final commit failed",
        remedy="repair what it found; make the check a required one, so that the next run has to run it",
    ),
    Rule(
        id="contradicted-verification", severity="error", layer="verification", check=checks.contradicted_verification,
        summary="a pass is declared and the record itself speaks against it",
        example="run.verification('unit', passed=True, evidence=c1), and command c1 exited with 1",
        remedy="cite the run that passed; the command has to match the contract's pattern for the check",
    ),
    Rule(
        id="stale-verification", severity="warning", layer="verification", check=checks.stale_verification,
        summary="a check last ran before the last edit; an error where the check is required",
        example="'unit' passed on tree 8f2c…, then src/guard.ts was edited, and the run ended on tree 9d1c…",
        remedy="run the check again after the last edit",
    ),
    Rule(
        id="contradicted-claim", severity="error", layer="verification", check=claims.contradicted_claim,
        summary="the run's own words claim a success, and the last such check failed or counted otherwise",
        example="the final message says 'all 4 tests pass', and the last 'pytest' exited with 1",
        remedy="run the check again after the last edit, and say what it says",
    ),
    Rule(
        id="claim-without-command", severity="warning", layer="verification", check=claims.claim_without_command,
        summary="a pass is claimed and no command shows it; an error where the check is required",
        example="the final message says 'all 42 tests pass', and no test command is in the record",
        remedy="run the check with run.command(...) and give the command as evidence",
    ),
    Rule(
        id="failure-not-resolved", severity="warning", layer="implementation", check=work.failure_not_resolved,
        summary="something failed and nothing later resolved it; information once the handoff names blockers or risks",
        example="'pnpm test invite' failed and never passed again",
        remedy="run the failed command again until it passes, or name the failure under blockers of the handoff",
    ),
    Rule(
        id="decision-without-alternatives", severity="warning", layer="judging",
        check=work.decision_without_alternatives,
        summary="a decision names no rejected alternative, or gives no reason for a rejection; information where it was"
        " read off a text",
        example="run.decision('wait for hydration')",
        remedy="pass alternatives={'what was rejected': 'why'}",
    ),
    Rule(
        id="unread-edit", severity="warning", layer="context", check=files.unread_edit,
        summary="a file was edited that was never read; created files are exempt",
        example="src/auth/guard.ts is edited, and no read of it comes before",
        remedy="read a file before editing it; decorate the reading tool with tool(reads=...)",
    ),
    Rule(
        id="out-of-scope", severity="warning", layer="harness rules", check=files.out_of_scope,
        summary="a changed file lies outside the scope, or inside the exclusions, of the task",
        example="scope is 'src/routes/**', and package.json was changed",
        remedy="revert the change, or widen the contract's scope and record the decision",
    ),
    Rule(
        id="off-limits", severity="error", layer="hooks", check=files.off_limits,
        summary="a file was changed that no task may touch; a warning where it was only read",
        example="off_limits is '.github/**', and .github/workflows/ci.yml was changed",
        remedy="revert the change, and let a gate deny such paths",
    ),
    Rule(
        id="wrong-branch", severity="warning", layer="harness rules", check=harness.wrong_branch,
        summary="the run worked on another branch than the contract demands",
        example="branch is 'fix/*', and the run started on 'main'",
        remedy="start the run on the right branch, or correct the contract's branch pattern",
    ),
    Rule(
        id="gate-denied", severity="info", layer="harness rules", check=harness.gate_denied,
        summary="a tool call or a command was refused",
        example="run.gate('shell', 'deny', policy='no-network')",
        remedy="nothing, if the gate was right; otherwise widen its policy",
    ),
    Rule(
        id="budget-exceeded", severity="warning", layer="harness rules", check=harness.budget_exceeded,
        summary="more was used than the budget allows",
        example="a budget of 40 steps, and 43 were taken",
        remedy="split the task, or raise the budget in the contract",
    ),
    Rule(
        id="no-handoff", severity="warning", layer="handoff", check=handoff.no_handoff,
        summary="the run ended without a handoff; information where the telemetry cannot carry one",
        example="the run ends and run.handoff(...) was never called",
        remedy="call run.handoff(status, blockers=..., next_action=...) before the run ends",
    ),
    Rule(
        id="only-summary", severity="warning", layer="handoff", check=handoff.only_summary,
        summary="a final message or handoff is all there is; information where the source may not record tools",
        example="the handoff says 'done', and the record has no file, command or check",
        remedy="decorate the agent's tools, and run commands through run.command(...)",
    ),
    Rule(
        id="event-field-missing", severity="warning", layer="capture", check=handoff.event_field_missing,
        summary="an event lacks a required field",
        example="file_read without a reason",
        remedy="pass the field that the finding names",
    ),
    Rule(
        id="secret-redacted", severity="info", layer="hooks", check=harness.secret_redacted,
        summary="secrets were masked before they left the process",
        example="a token in the argument list of a command",
        remedy="pass secrets by reference: an environment variable, a file",
    ),
    Rule(
        id="incomplete-capture", severity="warning", layer="capture", check=harness.incomplete_capture,
        summary="telemetry is missing, so the record may be; information where a source cannot show more",
        example="the process was killed: two spans never ended, and the root span was not seen",
        remedy="raise the SDK's limits, flush before exit, export to the embedded store",
    ),
)  # fmt: skip
