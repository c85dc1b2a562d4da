"""Runs that really took place: the example agent with policies of many kinds, and the captures of other agents.

Each is run once, in a git repository of its own; the history replays what it sent.
"""

from __future__ import annotations

import gzip
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

from agent_otel.otlp.encode import json_line, logs_body, spans_body
from agent_otel.testing import record_runs

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples"))

from coding_agent.agent_run import AGENT, COMMANDS, AgentRun
from coding_agent.misbehaving import Rogue, Scripted, Stubborn
from coding_agent.policy import TEST, Action, Call, CodingAgentPolicy, Observation, Policy
from coding_agent.workspace import EXPECTED, make_workspace

CAPTURES: Final = Path(__file__).resolve().parents[1] / "data" / "dialects"
WORKSPACE: Final = "fizz-game"
OBJECTIVE: Final = "Find out why the unit tests fail, and repair it"
CHECK: Final = "unit tests"
BRANCH: Final = "fix-fizz"
DAY: Final = "20260101"
RUN: Final = f"{AGENT}-{DAY}-00000001"
"""What every run of the example agent says of itself, for replays to put other words there."""

CAPTURED: Final = "The fizzbuzz tests fail. Find the bug, fix it and verify with the tests."
"""What the captured agents were asked to do."""

_TIMED: Final = re.compile(r"in \d+\.\d+s")
_BOUND: Final = "range(1, limit)"


def _read(path: str, why: str = "to know what is there") -> Call:
    return Call("read_file", {"path": path, "why": why}, phase="READ")


def _edit(path: str, old: str, new: str) -> Call:
    return Call("edit_file", {"path": path, "old": old, "new": new}, phase="FIX")


def _run(*argv: str) -> Call:
    return Call("run_command", {"argv": argv}, phase="RUN")


FIXED: Final = (_read("src/fizz.py"), _edit("src/fizz.py", _BOUND, "range(1, limit + 1)"))
TESTED: Final = _run(*TEST)
WORD: Final = '    said = "Fizz" * (number % 3 == 0) + "Buzz" * (number % 5 == 0)'


class Unchecked(Scripted):
    """Repairs it, and is done without a test."""

    script = FIXED


class Broken(Scripted):
    """Repairs it wrongly."""

    script = (_read("src/fizz.py"), _edit("src/fizz.py", _BOUND, "range(2, limit)"), TESTED)


class Blind(Scripted):
    """Repairs it, and another module that it never read."""

    script = (*FIXED, _edit("src/words.py", "or str(number)", "or repr(number)"), TESTED)


class Refused(Scripted):
    """Repairs it, and wants to publish it."""

    script = (*FIXED, TESTED, _run("git", "push", "--force"))


class Tagging(Scripted):
    """Repairs it, and tags it."""

    script = (*FIXED, TESTED, _run("git", "tag", "fizz-tag"))


class Asking(Scripted):
    """Repairs it, and asks four times whether it may look at what it would commit."""

    script = (*FIXED, TESTED, *4 * (_run("git", "commit", "--dry-run", "--all"),))


class Lost(Scripted):
    """Repairs it, and asks git about a commit that there is not."""

    script = (_run("git", "diff", "nowhere"), *FIXED, TESTED)


class Refactoring(Scripted):
    """Rewrites a module that has nothing to do with the failure, and throws all of it away."""

    script = (
        TESTED,
        _read("src/fizz.py"),
        _edit("src/words.py", WORD, f"{WORD}\n    said = said or str(number)"),
        TESTED,
        _edit("src/words.py", "def word(number: int)", "def word(number: int, words: dict[int, str] | None = None)"),
        TESTED,
        _run("git", "checkout", "--", "."),
    )


class Interrupted:
    """Is stopped by its human while the tests run for the first time."""

    def next_action(self, observation: Observation) -> Action:
        """Gives the next action; see ``Policy``."""
        if observation.command is not None:
            raise KeyboardInterrupt
        return TESTED


class Variant(NamedTuple):
    """What decides, what the contract says instead of something else, what it may run besides, and with leave."""

    policy: Callable[[], Policy]
    contract: tuple[tuple[str, str], ...] = ()
    commands: tuple[str, ...] = ()
    approved: bool = False


_AT_LEISURE: Final = (("tokens = 3000", "tokens = 30000"), ("time = 60", "time = 86400"))
_E2E: Final = ("[budgets]", '[[required_checks]]\nname = "e2e"\ncommand = "npx playwright*"\n\n[budgets]')
_NO_ACCEPTANCE: Final = ('acceptance = "the unit tests pass, and nothing outside src/ was changed"\n', "")
_NO_OBJECTIVE: Final = (f'objective = "{OBJECTIVE}"\n', "")

VARIANTS: Final = {
    "done": Variant(CodingAgentPolicy),
    "unchecked": Variant(Unchecked),
    "broken": Variant(Broken),
    "blind": Variant(Blind),
    "refused": Variant(Refused),
    "lost": Variant(Lost),
    "asking": Variant(Asking, approved=True),
    "tag refused": Variant(Tagging),
    "tagged": Variant(Tagging, commands=("git tag*",)),
    "refactoring": Variant(Refactoring, commands=("git checkout*",)),
    "stubborn": Variant(Stubborn),
    "rogue": Variant(Rogue),
    "interrupted": Variant(Interrupted),
    "without e2e": Variant(CodingAgentPolicy, (_E2E,)),
    "done, unstated": Variant(CodingAgentPolicy, (_NO_ACCEPTANCE,)),
    "broken, unnamed": Variant(Broken, (_NO_OBJECTIVE,)),
    "done, unnamed": Variant(CodingAgentPolicy, (_NO_OBJECTIVE,)),
}
"""The runs of the example agent, by what they are like."""

UNREAD: Final = frozenset(("blind", "refactoring"))
"""Those that edit an area in which they read nothing."""


@lru_cache
def sent(name: str) -> tuple[str, ...]:
    """What a run sent: that of the variant with this name, or of the capture in this folder; lines of OTLP/JSON."""
    return _performed(VARIANTS[name]) if name in VARIANTS else _captured(CAPTURES / name)


def _performed(variant: Variant) -> tuple[str, ...]:
    with tempfile.TemporaryDirectory() as folder, record_runs() as recorded:
        workspace = make_workspace(Path(folder).resolve() / WORKSPACE)
        _agree(workspace, (*_AT_LEISURE, *variant.contract))
        commands = (*COMMANDS, *variant.commands)
        run = AgentRun(
            workspace, variant.policy(), expected=EXPECTED, commands=commands, approve=lambda _: variant.approved
        )
        with suppress(KeyboardInterrupt):
            run.execute()
        lines = (json_line(spans_body(recorded.spans), "span"), json_line(logs_body(recorded.logs), "log"))
        return tuple(_TIMED.sub("in 0.001s", line.replace(str(workspace.parent), "/home/dev")) for line in lines)


def _agree(workspace: Path, changes: Sequence[tuple[str, str]]) -> None:
    """Puts another contract into the repository."""
    file = workspace / "agent-otel.toml"
    text = file.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    file.write_text(text, encoding="utf-8")
    for command in (("add", "--all"), ("commit", "--quiet", "--message=What is agreed")):
        subprocess.run(["git", *command], cwd=workspace, check=True, capture_output=True)


def _captured(folder: Path) -> tuple[str, ...]:
    files = sorted(folder.glob("*.jsonl.gz"))
    return tuple(line.decode() for file in files for line in gzip.decompress(file.read_bytes()).splitlines())
