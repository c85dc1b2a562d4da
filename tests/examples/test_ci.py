"""What teams copy into their CI: each file is what its service reads, and its scripts gate a merge as they say."""

from __future__ import annotations

import json
import os
import re
import shlex
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from check_jsonschema import main as check_jsonschema
from click.testing import CliRunner

from workflow_runner import Done, Runner, read

CI = Path(__file__).resolve().parents[2] / "examples" / "ci"
TASK = "Double the number; `$(touch pwned)`"
CONTRACT = """scope = ["src/**"]

[[required_checks]]
name = "unit"
command = "python3 -m unittest*"
"""
TEST = """import unittest, src.twice

class It(unittest.TestCase):
    def test(self):
        assert src.twice.twice(2) == 4
"""
REPAIRED = "def twice(number):\n    return number * 2\n"
EDITS = f"printf {shlex.quote(REPAIRED)} > src/twice.py\n"
CHECKS = "agent-otel exec --name unit -- python3 -m unittest -q test_twice\n"
AGENTS = {"good": EDITS + CHECKS, "bad": EDITS + "printf x > agent-otel.toml\necho 'All tests pass.'\n", "idle": CHECKS}

Git = Callable[..., str]


@pytest.mark.parametrize(
    ("schema", "name"),
    [("github-actions", "action.yml"), ("github-workflows", "workflow.yml"), ("gitlab-ci", "gitlab-ci.yml")],
)
def test_the_files_are_what_their_services_read(schema: str, name: str) -> None:
    """Held to the schemas that editors use for them."""
    found = CliRunner().invoke(check_jsonschema, ["--builtin-schema", f"vendor.{schema}", str(CI / name)])
    assert (found.exit_code, found.output) == (0, "ok -- validation done\n")


def test_actions_of_others_have_a_version() -> None:
    """A branch can be another program tomorrow."""
    text = "".join(file.read_text() for file in CI.glob("*.yml"))
    used = re.findall(r"uses: (?!\./)(.*)", text)
    assert used
    assert [each for each in used if not re.fullmatch(r"[\w-]+/[\w/-]+@v\d+", each)] == []


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """An environment in which ``agent-otel`` is what is tested, ``gh`` notes down what it is told, and pip is idle."""
    programs = tmp_path / "bin"
    programs.mkdir()
    scripts = {
        "agent-otel": f'exec {shlex.quote(sys.executable)} -m agent_otel "$@"',
        "python": f'printf "%s\\n" "$*" >> {shlex.quote(str(tmp_path / "pip.log"))}',
        "gh": f'printf "%s\\n" "$@" >> {shlex.quote(str(tmp_path / "gh.log"))}',
    }
    for name, text in scripts.items():
        write_program(programs / name, text)
    modules = [str(Path(entry).resolve()) for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    return {
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "NO_COLOR": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GITHUB_RUN_ID": "42",
        **({"PYTHONPATH": os.pathsep.join(modules)} if modules else {}),
    }


def write_program(file: Path, text: str) -> None:
    """A shell script that can be started."""
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)


@pytest.fixture
def git(environ: dict[str, str]) -> Git:
    """Runs git; gives what it prints."""

    def run(folder: Path, *arguments: str) -> str:
        told = ["git", "-C", str(folder), "-c", "user.name=n", "-c", "user.email=e@example.invalid", *arguments]
        return subprocess.run(told, env=environ, capture_output=True, text=True, check=True).stdout

    return run


@pytest.fixture
def origin(tmp_path: Path, git: Git) -> Path:
    """A repository with a bug, a test, a contract and the action."""
    seed, origin = tmp_path / "seed", tmp_path / "origin.git"
    action = seed / ".github" / "actions" / "agent-otel"
    action.mkdir(parents=True)
    (action / "action.yml").write_text((CI / "action.yml").read_text())
    (seed / "src").mkdir()
    (seed / "src" / "twice.py").write_text("def twice(number):\n    return number + 1\n")
    (seed / "test_twice.py").write_text(TEST)
    (seed / "agent-otel.toml").write_text(CONTRACT)
    git(tmp_path, "init", "--quiet", "--initial-branch=main", str(seed))
    git(seed, "add", "--all")
    git(seed, "commit", "--quiet", "--message", "a repository")
    git(tmp_path, "clone", "--quiet", "--bare", str(seed), str(origin))
    return origin


@pytest.fixture
def work(tmp_path: Path, environ: dict[str, str], origin: Path, git: Git) -> Callable[[str], tuple[Done, Done]]:
    """Runs the two jobs of the workflow with an agent; gives what became of them."""

    def run(agent: str) -> tuple[Done, Done]:
        write_program(tmp_path / "bin" / "claude", AGENTS[agent])
        environ["GITHUB_SHA"] = git(origin, "rev-parse", "main").strip()
        contexts = {"inputs": {"task": TASK}, "secrets": {"ANTHROPIC_API_KEY": ""}, "github": {"token": "not-a-token"}}
        runner, done = Runner(tmp_path, environ), []
        for job in ("agent", "review"):
            checkout = tmp_path / job
            git(tmp_path, "clone", "--quiet", str(origin), str(checkout))
            done.append(runner.job(CI / "workflow.yml", job, checkout, contexts))
            assert not (checkout / "pwned").exists()
        return done[0], done[1]

    return run


def test_a_run_that_holds_becomes_a_pull_request(work, origin: Path, tmp_path: Path, git: Git) -> None:
    """The required check was observed to pass on the tree that was left: ready for review, with the note."""
    agent, review = work("good")
    assert (agent.passed, review.passed) == (True, True), agent.output + review.output
    assert "::error" not in review.output
    assert review.summary.startswith("## agent-otel: 1 run: ")
    title, body = (tmp_path / "gh.log").read_text().splitlines()[3:6:2]
    assert title == TASK
    note = Path(body).read_text()
    assert re.match(r"<!-- agent-otel:note \S+ -->\n## agent-otel: done\n", note), note
    assert "- required checks: 1 of 1 proved\n" in note
    assert "--draft" not in (tmp_path / "gh.log").read_text()
    assert git(origin, "show", "agent/42:src/twice.py") == REPAIRED
    assert git(origin, "diff", "--name-only", "main", "agent/42").split() == ["src/twice.py"]
    assert (tmp_path / "pip.log").read_text().splitlines() == [
        "-m pip install --quiet agent-otel[processor]",
        "-m pip install --quiet agent-otel",
    ]


def test_a_run_that_does_not_hold_is_stopped(work, tmp_path: Path) -> None:
    """The check did not run, and the contract that the agent rewrote is not the one that judges it."""
    agent, review = work("bad")
    assert (agent.passed, review.passed) == (True, False), review.output
    assert "\n::error title=agent-otel%3A missing-required-check::required check 'unit'" in f"\n{review.output}"
    assert "\n### missing required evidence: `" in review.summary
    assert "| error | `missing-required-check` |" in review.summary
    assert len(review.summary.encode()) <= 1 << 20
    assert "--draft" in (tmp_path / "gh.log").read_text().splitlines()
    given = review.used["github/codeql-action/upload-sarif@v4"]
    results = json.loads(Path(given["sarif_file"]).read_text())["runs"][0]["results"]
    assert "missing-required-check" in {each["ruleId"] for each in results if each["level"] == "error"}
    assert {"audit.sarif", "note.md"} == {file.name for file in (tmp_path / "artifacts" / "agent-otel").iterdir()}


def test_a_run_without_changes_opens_nothing(work, tmp_path: Path) -> None:
    """And a required check that failed stops it."""
    agent, review = work("idle")
    assert (agent.passed, review.passed) == (True, False), review.output
    assert "::error title=agent-otel%3A failing-required-check::" in review.output
    assert "the agent changed nothing\n" in review.output
    assert not (tmp_path / "gh.log").exists()


def test_nothing_to_judge_is_no_pass(tmp_path: Path, environ: dict[str, str], origin: Path, git: Git) -> None:
    """Where the first job left no record, the second one ends at the audit."""
    (tmp_path / "artifacts" / "run").mkdir(parents=True)
    git(tmp_path, "clone", "--quiet", str(origin), str(tmp_path / "review"))
    contexts = {"inputs": {"task": TASK}, "github": {"token": "not-a-token"}}
    done = Runner(tmp_path, environ).job(CI / "workflow.yml", "review", tmp_path / "review", contexts)
    assert not done.passed
    assert "record.json' does not exist" in done.output
    assert not (tmp_path / "gh.log").exists()


@pytest.mark.parametrize(("agent", "code"), [("good", 0), ("bad", 1)])
def test_the_recipe_of_gitlab_gates(tmp_path: Path, environ, origin: Path, git: Git, agent, code) -> None:
    """Its lines, as one script that ends at the first failure; the reports are there either way."""
    write_program(tmp_path / "bin" / "claude", AGENTS[agent])
    job = read(CI / "gitlab-ci.yml")["agent"]
    checkout = tmp_path / "build" / "repository"
    git(tmp_path, "clone", "--quiet", str(origin), str(checkout))
    script = "\n".join((*job["before_script"], *job["script"]))
    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", script], cwd=checkout, env={**environ, **job["variables"]},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    assert (checkout / job["artifacts"]["paths"][0]).read_text().startswith("## agent-otel: ")
    reports = {name: (checkout / path).read_text() for name, path in job["artifacts"]["reports"].items()}
    assert f'failures="{code}"' in reports["junit"]
    assert ("critical" in {each["severity"] for each in json.loads(reports["codequality"])}) is (code == 1)


def test_the_hooks_hold_a_push(tmp_path: Path, environ, origin: Path, git: Git) -> None:
    """A wrong contract is no commit; no run is no objection, and a run that does not hold is one."""
    (repository,) = read(CI / "pre-commit-config.yaml")["repos"]
    entries = {hook["id"]: shlex.split(hook["entry"]) for hook in repository["hooks"]}
    checkout = tmp_path / "checkout"
    git(tmp_path, "clone", "--quiet", str(origin), str(checkout))

    def run(*command: str) -> int:
        return subprocess.run(
            command, cwd=checkout, env=environ, capture_output=True, timeout=120, check=False
        ).returncode

    assert run(*entries["agent-otel-contract"]) == 0
    assert run(*entries["agent-otel-audit"]) == 0
    for agent, code in (("idle", 1), ("good", 0)):
        write_program(tmp_path / "bin" / "claude", AGENTS[agent])
        run("agent-otel", "run", "--contract", "agent-otel.toml", "--no-show", "--", "claude", "-p", TASK)
        assert run(*entries["agent-otel-audit"]) == code
    (checkout / "agent-otel.toml").write_text("scop = []\n")
    assert run(*entries["agent-otel-contract"]) == 2
