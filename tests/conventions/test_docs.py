"""The documentation tells the truth: every name, command, setting and example in it is held against the program."""

from __future__ import annotations

import inspect
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest

import agent_otel
from agent_otel import settings
from agent_otel.cli.digest import DigestSettings
from agent_otel.cli.main import main
from agent_otel.cli.note import NoteSettings
from agent_otel.launch.presets import PRESETS
from agent_otel.review.patterns.table import PATTERNS
from agent_otel.sdk.settings import SdkSettings
from agent_otel.service.metrics import METRICS
from agent_otel.service.settings import ConsumerSettings, ProcessorSettings

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")

BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)
PYTHON = [text for language, text in BLOCKS if language == "python"]
CONSOLE = [
    line[2:].partition("  #")[0].strip() for kind, text in BLOCKS if kind == "console" for line in text.splitlines()
]


def settings_table(cls: type, *, beside: type | None = None) -> str:
    """The README's table of settings, as it must be; without those that stand in another table."""
    known = settings.describe(beside) if beside else []
    chosen = [row for row in settings.describe(cls) if row not in known]
    rows = (f"| `{row.name}` | `{row.env}` | `{row.default}` | {row.help} |" for row in chosen)
    return "\n".join(["| setting | environment | default | what it does |", "|---|---|---|---|", *rows])


def metrics_table() -> str:
    """The README's table of the processor's metrics, as it must be."""
    rows = (f"| `{row.name}` | {row.kind} | {row.unit} | {', '.join(row.labels)} | {row.help} |" for row in METRICS)
    return "\n".join(["| metric | kind | unit | labels | what it measures |", "|---|---|---|---|---|", *rows])


def patterns_table() -> str:
    """The README's table of the known patterns, as it must be."""
    rows = (f"| `{name}` | {each.means} | {each.helps} | {each.layer} |" for name, each in PATTERNS.items())
    return "\n".join(["| pattern | what shows | what usually helps | points to |", "|---|---|---|---|", *rows])


TABLES = {
    "patterns": patterns_table,
    "settings": lambda: settings_table(SdkSettings),
    "processor settings": lambda: settings_table(ProcessorSettings),
    "consumer settings": lambda: settings_table(ConsumerSettings, beside=ProcessorSettings),
    "note settings": lambda: settings_table(NoteSettings),
    "digest settings": lambda: settings_table(DigestSettings),
    "processor metrics": metrics_table,
}


def commands() -> dict[str, click.Command]:
    """Every command of the command line, by its words."""
    found: dict[str, click.Command] = {}
    for name, command in main.commands.items():
        if isinstance(command, click.Group):
            found.update({f"{name} {inner}": each for inner, each in command.commands.items()})
        else:
            found[name] = command
    return found


def test_public_names_are_exactly_these() -> None:
    """``__all__`` is sorted and is all there is to import."""
    assert agent_otel.__all__ == sorted(agent_otel.__all__)
    public = {
        name
        for name, value in vars(agent_otel).items()
        if not name.startswith("_") and not inspect.ismodule(value) and name != "annotations"
    }
    assert public == set(agent_otel.__all__)


@pytest.mark.parametrize("name", agent_otel.__all__)
def test_every_public_name_is_documented(name: str) -> None:
    """It has a docstring, and a place in the README."""
    assert inspect.getdoc(getattr(agent_otel, name))
    assert re.search(rf"\b{name}\b", README), f"README.md does not mention {name}"


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_command_is_documented(name: str) -> None:
    """It has a help text, and a place in the README."""
    assert commands()[name].help
    assert f"agent-otel {name}" in README


def test_every_command_in_the_readme_exists() -> None:
    """Nothing is promised that is not there."""
    known = commands()
    for line in CONSOLE:
        words = line.split()
        if words[:1] == ["agent-otel"]:
            assert words[1] in known or " ".join(words[1:3]) in known, line


@pytest.mark.parametrize("name", TABLES)
def test_the_tables_are_what_the_program_has(name: str) -> None:
    """``make docs`` is not needed: a table is written by hand once, and held equal here."""
    found = re.search(rf"<!-- {name} -->\n(.*?)\n<!-- /{name} -->", README, re.DOTALL)
    assert found is not None
    assert found[1].strip() == TABLES[name]()


@pytest.mark.parametrize("read", [json.loads, tomllib.loads], ids=["json", "toml"])
def test_the_configuration_of_the_readme_can_be_read(read: Callable[[str], object]) -> None:
    """Every block of JSON and TOML is what it says it is."""
    blocks = [text for language, text in BLOCKS if language == ("json" if read is json.loads else "toml")]
    assert blocks
    assert all(read(text) for text in blocks)


@pytest.mark.parametrize("name", [preset.name for preset in PRESETS])
def test_the_set_up_of_each_agent_is_what_running_it_does(name: str) -> None:
    """The guide for doing it by hand names every switch that ``agent-otel run`` sets, where it is no file's."""
    (preset,) = (preset for preset in PRESETS if preset.name == name)
    guide = README[README.index("### Agents that nobody decorated") : README.index("### Write a dialect")]
    files = ("GEMINI_", "QWEN_", "OPENCODE_CONFIG")  # the guide has their settings files
    for switch in (*preset.environment, *preset.content):
        assert switch in guide or switch.startswith(files), switch
    keys = re.findall(r"otel\.(\w+)=", " ".join((*preset.arguments, *preset.content_arguments)))
    assert all(f"{key} = " in guide for key in keys)


def test_the_example_comes_early() -> None:
    """The first example stands before line 35."""
    assert README[: README.index("```python")].count("\n") < 35


def test_the_guides_list_every_section() -> None:
    """Each link in the README leads to a heading or a file."""
    headings = {
        re.sub(r"[^\w\- ]", "", line.lstrip("# ").lower()).replace(" ", "-")
        for line in README.splitlines()
        if line.startswith("#")
    }
    for target in re.findall(r"\]\(([^)]+)\)", README):
        if target.startswith("#"):
            assert target[1:] in headings, target
        else:
            assert (ROOT / target).exists(), target


def test_the_python_of_the_readme_runs(tmp_path: Path) -> None:
    """All Python blocks, one after the other in one program, in a folder with the files they name."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "guard.py").write_text("allowed = False\n")
    (tmp_path / "test_it.py").write_text(
        "import unittest\n\n\nclass It(unittest.TestCase):\n    def test(self): pass\n"
    )
    contract = next(text for language, text in BLOCKS if language == "toml" and "required_checks" in text)
    (tmp_path / "agent-otel.toml").write_text(contract)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", "\n".join(PYTHON)],
        cwd=tmp_path,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    shown = subprocess.run(
        [sys.executable, "-m", "agent_otel", "show", "last"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert shown.returncode == 0, shown.stderr
    assert "Fix the invite redirect" in shown.stdout
