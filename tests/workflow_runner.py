"""Runs the steps of GitHub workflows and composite actions as a runner does, as far as that goes without the service.

Scripts run in bash with the variables and files of a runner. Actions of a local path are followed; of the others those
that keep artifacts copy folders, and the rest are only noted down. Expressions may be a path in a context, or compare
one with a text; anything else is an error, so that no workflow can use what was not tried.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

EXPRESSION = re.compile(r"\$\{\{ ([\w.-]+) \}\}")
CONDITION = re.compile(r"([\w.-]+) (==|!=) '([^']*)'")
Contexts = Mapping[str, Any]


class Done(NamedTuple):
    """What became of a job: whether all steps held, what they printed, and the summary."""

    passed: bool
    output: str
    summary: str
    used: dict[str, dict[str, str]]
    """The actions of others that were used, each with what it was given."""


class Runner:
    """A machine that jobs run on, one after the other, each in a checkout of its own."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self._folder = folder
        self._environ = environ

    def job(self, workflow: Path, name: str, checkout: Path, contexts: Contexts) -> Done:
        """Runs a job of a workflow; its first step, which would check out, is the caller's."""
        job = read(workflow)["jobs"][name]
        assert job["steps"][0]["uses"].startswith("actions/checkout@")
        temp = self._folder / f"temp-{name}"
        temp.mkdir()
        run = _Job(checkout, temp, self._folder / "artifacts", self._environ)
        passed, _ = run.steps(job["steps"][1:], {**contexts, "runner": {"temp": str(temp)}})
        return Done(passed, "".join(run.printed), run.summary.read_text(), run.used)


class _Job:
    def __init__(self, checkout: Path, temp: Path, artifacts: Path, environ: Mapping[str, str]) -> None:
        self.printed: list[str] = []
        self.used: dict[str, dict[str, str]] = {}
        self.summary = temp / "summary.md"
        self.summary.touch()
        self._checkout, self._temp, self._artifacts = checkout, temp, artifacts
        self._environ = {**environ, "RUNNER_TEMP": str(temp), "GITHUB_STEP_SUMMARY": str(self.summary)}

    def steps(self, steps: list[dict[str, Any]], contexts: Contexts) -> tuple[bool, Contexts]:
        """Runs steps until one fails; gives the contexts with what the steps put out."""
        outputs: dict[str, Any] = {}
        contexts = {**contexts, "steps": outputs}
        for step in steps:
            if "if" in step and not holds(step["if"], contexts):
                continue
            given = {key: filled(value, contexts) for key, value in step.get("with", {}).items()}
            if "uses" in step:
                passed, put_out = self._use(step["uses"], given, contexts)
            else:
                passed, put_out = self._run(step, contexts)
            outputs[step.get("id", "")] = {"outputs": put_out}
            if not passed:
                return False, contexts
        return True, contexts

    def _use(self, action: str, given: dict[str, str], contexts: Contexts) -> tuple[bool, dict[str, str]]:
        if action.startswith("./"):
            return self._composite(read(self._checkout / action / "action.yml"), given, contexts)
        self.used[action] = given
        name, _, _ = action.partition("@")
        if name == "actions/upload-artifact":
            shutil.copytree(given["path"], self._artifacts / given["name"])
        if name == "actions/download-artifact":
            shutil.copytree(self._artifacts / given["name"], given["path"])
        return True, {}

    def _composite(self, action: Any, given: dict[str, str], contexts: Contexts) -> tuple[bool, dict[str, str]]:
        assert set(given) <= set(action["inputs"])
        inputs = {name: given.get(name, each["default"]) for name, each in action["inputs"].items()}
        assert all("shell" in step for step in action["runs"]["steps"] if "run" in step)
        passed, after = self.steps(action["runs"]["steps"], {**contexts, "inputs": inputs})
        if not passed:
            return False, {}
        return True, {name: filled(each["value"], after) for name, each in action["outputs"].items()}

    def _run(self, step: dict[str, Any], contexts: Contexts) -> tuple[bool, dict[str, str]]:
        assert "${{" not in step["run"], "a script never contains what somebody else wrote"
        output = self._temp / "output"
        output.write_text("")
        variables = {name: filled(value, contexts) for name, value in step.get("env", {}).items()}
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", step["run"]],
            cwd=self._checkout,
            env={**self._environ, **variables, "GITHUB_OUTPUT": str(output)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        self.printed.append(done.stdout)
        return done.returncode == 0, dict(line.split("=", 1) for line in output.read_text().splitlines())


def read(file: Path) -> Any:
    """A YAML document whose scalars are all text, as expressions see them."""
    return yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)


def filled(text: str, contexts: Contexts) -> str:
    """The text with its expressions replaced."""
    return EXPRESSION.sub(lambda found: _value(found[1], contexts), text)


def holds(condition: str, contexts: Contexts) -> bool:
    """Whether a step runs."""
    found = CONDITION.fullmatch(condition)
    assert found, condition
    return (_value(found[1], contexts) == found[3]) is (found[2] == "==")


def _value(path: str, contexts: Contexts) -> str:
    value: Any = contexts
    for name in path.split("."):
        value = value[name]
    assert isinstance(value, str)
    return value
