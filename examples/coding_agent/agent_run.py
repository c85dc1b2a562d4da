"""The loop: ask the policy, act through the tools, pay for what is seen; then hold the work to its contract."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

import agent_otel
from coding_agent.evaluate import evaluate
from coding_agent.gates import GateChain, allowed_commands, allowed_tools, confined_paths
from coding_agent.ledger import BUDGET, ObservationLedger, tokens
from coding_agent.policy import Call, Finish, Observation, Policy
from coding_agent.report import AgentRunReport, Outcome, StepReport
from coding_agent.sandbox import Sandbox
from coding_agent.tools import Toolbox

AGENT: Final = "fizz-fixer"
TOOLS: Final = ("list_files", "read_file", "edit_file", "run_command")
COMMANDS: Final = ("python3 -m unittest*", "git diff*", "git status*")
ASK: Final = ("git commit*",)
PROGRAMS: Final = ("python3", "git")


class AgentRun:
    """One run of an agent in a workspace.

    Args:
        workspace: the repository, which holds the contract ``agent-otel.toml``.
        policy: what decides.
        expected: the tree a solution leaves.
        commands: globs over the command lines that the gates let it run.
        approve: asks a human about a call that requires approval; without one, nobody approves.
    """

    def __init__(
        self,
        workspace: Path,
        policy: Policy,
        *,
        expected: Path,
        commands: Sequence[str] = COMMANDS,
        approve: Callable[[Call], bool] = lambda _: False,
    ) -> None:
        self._workspace = workspace.resolve()
        self._policy = policy
        self._expected = expected
        self._allowed = tuple(commands)
        self._approve = approve
        self._steps: list[StepReport] = []
        self._commands: list[agent_otel.CommandResult] = []

    def execute(self) -> AgentRunReport:
        """Runs the agent to its end, whichever it is."""
        with agent_otel.run(agent=AGENT, contract="agent-otel.toml", repo=self._workspace, raise_on_budget=True) as run:
            ledger = ObservationLedger(run.contract.budgets.tokens or 0, lambda spent: run.spend(BUDGET, spent))
            toolbox = self._toolbox(run.contract)
            halted = ""
            try:
                finish = self._work(run, toolbox, ledger)
            except (agent_otel.Denied, agent_otel.BudgetExceeded) as exc:
                halted = f"{type(exc).__name__}: {exc}"
                finish = Finish("halted", next_action="decide whether the harness or the agent was wrong")
            checks = self._verify(run)
            self._hand_off(run, finish, halted, checks)
        return AgentRunReport(
            run_id=run.id,
            steps=tuple(self._steps),
            halted=halted,
            observation_tokens=ledger.spent,
            observation_budget=ledger.limit,
            checks=checks,
            differences=evaluate(self._workspace, self._expected),
        )

    def _toolbox(self, contract: agent_otel.Contract) -> Toolbox:
        root = self._workspace
        gates = GateChain(
            (
                allowed_tools(TOOLS),
                confined_paths(root, writable=contract.scope, off_limits=contract.off_limits),
                allowed_commands(self._allowed, ask=ASK),
            ),
            approve=self._approve,
        )
        return Toolbox(Sandbox(root, programs=PROGRAMS), gates)

    def _work(self, run: agent_otel.Run, toolbox: Toolbox, ledger: ObservationLedger) -> Finish:
        """Goes on until the policy is done, or until a gate, the sandbox or a budget ends it."""
        observation = Observation(ledger.admit(run.contract.objective or ""))
        while True:
            action = self._policy.next_action(observation)
            if isinstance(action, Finish):
                return action
            run.step()
            observation = self._act(action, toolbox, ledger)

    def _act(self, call: Call, toolbox: Toolbox, ledger: ObservationLedger) -> Observation:
        """Calls a tool. Its failure is something to look at, like its result; a refusal ends the run."""
        outcome: Outcome = "ok"
        result: Any = None
        try:
            result = toolbox.call(call)
        except agent_otel.Denied:
            self._steps.append(StepReport(tool=call.tool, phase=call.phase, outcome="denied"))
            raise
        except (OSError, ValueError, TypeError) as exc:
            outcome, result = "failed", f"{type(exc).__name__}: {exc}"
        command = result if isinstance(result, agent_otel.CommandResult) else None
        text = str(result)
        if command is not None:
            self._commands.append(command)
            # The host's folders are none of the agent's business.
            output = command.output.replace(f"{self._workspace}/", "")
            text = f"{command.command}: {command.result} (exit code {command.exit_code})\n{output}"
        step = StepReport(tool=call.tool, phase=call.phase, outcome=outcome)
        self._steps.append(step)  # also where its observation cannot be paid for
        shown = ledger.admit(text)
        self._steps[-1] = replace(step, tokens=tokens(shown))
        return Observation(shown, command)

    def _verify(self, run: agent_otel.Run) -> dict[str, bool]:
        """Says how each required check stands, by the last command that was one. The agent's word has no part in it."""
        passed = {}
        for check in run.contract.required_checks:
            ran = [each for each in self._commands if fnmatchcase(each.command, check.command or check.name)]
            if ran:
                run.verification(check.name, evidence=ran[-1])
            else:
                run.skipped(check.name, reason="the run ended without it", unavailable=False)
            passed[check.name] = bool(ran) and ran[-1].passed
        return passed

    def _hand_off(self, run: agent_otel.Run, finish: Finish, halted: str, checks: dict[str, bool]) -> None:
        blockers = [halted] if halted else []
        blockers += [f"{name} does not pass" for name, passed in checks.items() if not passed]
        run.handoff(
            finish.status,
            blockers=blockers,
            next_action=finish.next_action,
            assumptions=[],
            risks=[],
            look_twice=finish.look_twice,
        )
