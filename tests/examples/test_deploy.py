"""What operators copy: the unit, the container file and the settings start the processor that there is."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import click
import pytest

from agent_otel import settings
from agent_otel.cli.main import main
from agent_otel.cli.serve import serve as serve_command
from agent_otel.service.settings import ProcessorSettings, read_file
from real.processor import Processor

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "examples" / "deploy"
VARIABLES = {row.env for row in settings.describe(ProcessorSettings)}
INSTALLED = "/etc/agent-otel/"

Directives = list[tuple[str, str]]


def directives(section: str) -> Directives:
    """Names and values of the unit's section, in order; a name may occur again."""
    _, _, rest = (DEPLOY / "agent-otel-processor.service").read_text().partition(f"[{section}]\n")
    lines = [line for line in re.split(r"^\[", rest, flags=re.MULTILINE)[0].splitlines() if line]
    return [(line.partition("=")[0], line.partition("=")[2]) for line in lines if not line.startswith("#")]


def instructions() -> Directives:
    """Words and arguments of the container file, in order."""
    text = (DEPLOY / "Containerfile").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(line.partition(" ")[0], line.partition(" ")[2].strip()) for line in lines]


def assignments(values: Sequence[str]) -> dict[str, str]:
    """``NAME=value`` as units and container files have them."""
    return dict(part.split("=", 1) for value in values for part in shlex.split(value))


def parsed(words: Sequence[str]) -> dict[str, object]:
    """What the command line makes of ``agent-otel`` and these words; files are taken from the examples."""
    here = [word.replace(INSTALLED, f"{DEPLOY}/") for word in words]
    assert here[0] == "serve"
    assert main.commands["serve"] is serve_command
    return click.Command.make_context(serve_command, "serve", here[1:]).params


def read(environ: dict[str, str], file: Path | None = None) -> ProcessorSettings:
    """The settings a processor has in this environment."""
    return settings.read(ProcessorSettings, environ=environ, file_values=read_file(file) if file else {})


# -- the unit ---------------------------------------------------------------------------------------------------------


def test_the_unit_starts_the_processor() -> None:
    """Its command line, its environment and the settings it names are those that exist."""
    service = dict(directives("Service"))
    program, *words = shlex.split(service["ExecStart"])
    assert program.endswith("/bin/agent-otel")
    assert parsed(words)["config"] == DEPLOY / "processor.toml"
    environ = assignments([value for name, value in directives("Service") if name == "Environment"])
    assert set(environ) <= VARIABLES
    chosen = read(environ, DEPLOY / "processor.toml")
    assert chosen.db == f"sqlite:////var/lib/{service['StateDirectory']}/runs.db"
    assert chosen.token_file == Path(INSTALLED) / "tokens"
    assert int(service["TimeoutStopSec"]) > chosen.drain_s
    assert int(service["LimitNOFILE"]) > 2 * chosen.connections
    assert service["EnvironmentFile"].removeprefix("-") == f"{INSTALLED}processor.env"


def test_the_unit_lets_the_processor_do_nothing_else() -> None:
    """A user of its own, a place to write, the network; the rest of the machine is out of reach."""
    service = dict(directives("Service"))
    assert service["DynamicUser"] == service["NoNewPrivileges"] == service["PrivateTmp"] == "yes"
    assert (service["ProtectSystem"], service["ProtectHome"], service["CapabilityBoundingSet"]) == ("strict", "yes", "")
    assert "User" not in service
    assert dict(directives("Install"))["WantedBy"] == "multi-user.target"


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    """Where systemd is installed, it has nothing to say about the unit."""
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed; the other tests read the unit themselves")
    unit = tmp_path / "agent-otel-processor.service"
    text = (DEPLOY / "agent-otel-processor.service").read_text()
    unit.write_text(text.replace("/opt/agent-otel/bin/agent-otel", sys.executable))
    done = subprocess.run([analyze, "verify", str(unit)], capture_output=True, text=True, timeout=60, check=False)
    assert "agent-otel" not in done.stderr, done.stderr


def test_the_secrets_file_holds_settings() -> None:
    """Each line, with its comment sign taken away, is one."""
    lines = [line.removeprefix("# ") for line in (DEPLOY / "processor.env").read_text().splitlines()[1:]]
    assert lines
    assert set(assignments(lines)) <= VARIABLES


# -- the container ----------------------------------------------------------------------------------------------------


def test_the_container_starts_the_processor() -> None:
    """Entry point and command are a command line, without a shell that would keep SIGTERM to itself."""
    found = dict(instructions())
    words = json.loads(found["ENTRYPOINT"]) + json.loads(found["CMD"])
    assert words[0] == "agent-otel"
    parsed(words[1:])
    environ = assignments([value for name, value in instructions() if name == "ENV"])
    assert set(environ) <= VARIABLES
    chosen = read(environ)
    assert {chosen.http.rpartition(":")[2], chosen.grpc.rpartition(":")[2]} == set(found["EXPOSE"].split())
    assert chosen.db.startswith(f"sqlite:///{found['VOLUME']}/")
    assert chosen.token_file is not None


def test_the_container_is_nobody_in_particular() -> None:
    """A numeric user, so that it is seen not to be root; a base image that is named with its version."""
    found = dict(instructions())
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", found["USER"])
    for image in (value.split()[0] for name, value in instructions() if name == "FROM"):
        assert re.fullmatch(r"[a-z]+:\d[\w.-]+", image)
    for copied in (value.split()[:-1] for name, value in instructions() if name == "COPY" and "--from" not in value):
        assert all((ROOT / name).exists() for name in copied)


# -- both, for real ---------------------------------------------------------------------------------------------------


def test_they_run(serve: Callable[..., Processor], tmp_path: Path) -> None:
    """A processor starts with the example's settings, asks for the tokens, and is healthy until it ends."""
    tokens = tmp_path / "tokens"
    tokens.write_text("a-token-of-the-tests\n")
    file = tmp_path / "processor.toml"
    file.write_text((DEPLOY / "processor.toml").read_text().replace(f"{INSTALLED}tokens", str(tokens)))
    processor = serve("--config", str(file))
    check = dict(instructions())["HEALTHCHECK"].partition(" CMD ")[2]
    program, *words = json.loads(check.replace("http://127.0.0.1:4318", processor.http))
    command = [sys.executable, *words]
    assert program == "python"
    assert subprocess.run(command, capture_output=True, timeout=30, check=False).returncode == 0
    assert processor.stop() == 0
    assert subprocess.run(command, capture_output=True, timeout=30, check=False).returncode != 0


def test_the_guide_names_what_is_there() -> None:
    """Every file of the folder has its place in the README."""
    guide = (DEPLOY / "README.md").read_text()
    for file in DEPLOY.iterdir():
        assert file.name in guide or file.name == "README.md"
