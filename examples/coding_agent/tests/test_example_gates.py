"""What the gates allow, and how their decisions are recorded."""

from __future__ import annotations

from pathlib import Path

import pytest
from coding_agent.gates import Decision, Gate, GateChain, allowed_commands, allowed_tools, confined_paths
from coding_agent.policy import Call

import agent_otel
from agent_otel.testing import Recorded

ROOT = Path("/repo")


def answer(outcome: str, policy: str) -> Gate:
    """A gate that always says the same."""
    return lambda _: Decision(outcome, policy)  # type: ignore[arg-type]  # a literal in every test


def test_the_first_gate_that_does_not_allow_decides() -> None:
    """Later gates cannot undo what an earlier one decided."""
    chain = GateChain((answer("allow", "first"), answer("deny", "second"), answer("require_approval", "third")))
    assert chain.decide(Call("read_file")).policy == "second"


def test_all_gates_that_allow_are_named() -> None:
    """An allowed call tells who vouched for it."""
    chain = GateChain((answer("allow", "first"), lambda _: None, answer("allow", "second")))
    assert chain.decide(Call("read_file")) == Decision("allow", "first and second")


def test_what_no_gate_vouches_for_is_denied() -> None:
    """Silence is no permission."""
    assert GateChain((lambda _: None,)).decide(Call("read_file")).outcome == "deny"


def test_only_listed_tools_are_allowed() -> None:
    """A tool that nobody listed is denied, whatever it is called."""
    gate = allowed_tools(("read_file",))
    assert gate(Call("read_file")) == Decision("allow", "allowed-tools")
    assert gate(Call("Read_File")) == Decision("deny", "allowed-tools", "Read_File is not among read_file")


@pytest.mark.parametrize(
    ("tool", "path", "outcome"),
    [
        ("read_file", "src/fizz.py", "allow"),
        ("read_file", "src/../README.md", "allow"),
        ("read_file", "/repo/README.md", "allow"),
        ("read_file", "../secret", "deny"),
        ("read_file", "src/../../secret", "deny"),
        ("read_file", "/etc/passwd", "deny"),
        ("read_file", "/repository/README.md", "deny"),
        ("read_file", ".git/config", "deny"),
        ("read_file", "src/../.git/config", "deny"),
        ("read_file", ".github/workflows/ci.yml", "deny"),
        ("edit_file", "src/fizz.py", "allow"),
        ("edit_file", "src/../tests/test_fizz.py", "deny"),
        ("edit_file", "tests/test_fizz.py", "deny"),
    ],
)
def test_paths_stay_where_the_contract_says(tool: str, path: str, outcome: str) -> None:
    """Reads stay inside of the workspace and out of git, edits in scope, however a path is spelled."""
    gate = confined_paths(ROOT, writable=("src/**",), off_limits=(".github/**",))
    decision = gate(Call(tool, {"path": path}))
    assert decision is not None
    assert decision.outcome == outcome


@pytest.mark.parametrize(
    ("argv", "outcome"),
    [
        (("python3", "-m", "unittest", "tests.test_fizz"), "allow"),
        (("git", "commit", "-m", "done"), "require_approval"),
        (("git", "push"), "deny"),
        (("sh", "-c", "python3 -m unittest"), "deny"),
        (("python3 -m unittest",), "deny"),
        ((), "deny"),
    ],
)
def test_command_lines_are_listed(argv: tuple[str, ...], outcome: str) -> None:
    """A command is judged by its whole line, quoted: no word can pass for two."""
    gate = allowed_commands(("python3 -m unittest*",), ask=("git commit*",))
    decision = gate(Call("run_command", {"argv": argv}))
    assert decision is not None
    assert decision.outcome == outcome


def test_gates_say_nothing_of_calls_that_are_not_theirs() -> None:
    """A call without a path or a command is for other gates."""
    assert confined_paths(ROOT, writable=())(Call("list_files")) is None
    assert allowed_commands(())(Call("list_files")) is None


@pytest.mark.parametrize(
    ("approved", "outcomes"), [(True, ["require_approval", "allow"]), (False, ["require_approval"])]
)
def test_a_human_is_asked_where_approval_is_required(
    recorded: Recorded, *, approved: bool, outcomes: list[str]
) -> None:
    """The request is recorded, and the answer decides."""
    chain = GateChain((answer("require_approval", "careful"),), approve=lambda _: approved)
    with agent_otel.run("Ask", scope=[], exclusions=[]):
        if approved:
            chain.enforce(Call("run_command"))
        else:
            with pytest.raises(agent_otel.Denied) as refused:
                chain.enforce(Call("run_command"))
            assert (refused.value.policy, refused.value.reason) == ("human", "nobody approved it")
    assert [gate.outcome for gate in recorded.record.gates] == outcomes
