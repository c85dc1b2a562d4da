"""The settings of the processor: from flags, environment, file; refused where they cannot be."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from agent_otel import settings
from agent_otel.cli.options import setting_options
from agent_otel.errors import SettingsError
from agent_otel.service.settings import ProcessorSettings, read_file

GIVEN = {
    "db": ("x.db", "x.db"),
    "http": ("off", "off"),
    "grpc": ("[::1]:1", "[::1]:1"),
    "token_file": ("tokens", Path("tokens")),
    "in_flight_mib": ("100", 100),
    "read_timeout_s": ("2.5", 2.5),
    "log_level": ("debug", "debug"),
}


@click.command
@setting_options(ProcessorSettings)
def command(**given: object) -> None:
    """A command with all settings."""
    click.echo(str({name: value for name, value in given.items() if value is not None}))


@pytest.mark.parametrize("name", GIVEN)
def test_a_flag_is_read_like_its_variable(name):
    """One parser for both; what was not given is not there."""
    text, value = GIVEN[name]
    done = CliRunner().invoke(command, [f"--{name.replace('_', '-')}", text])
    assert done.output.strip() == str({name: value})
    variable = next(row.env for row in settings.describe(ProcessorSettings) if row.name == name)
    assert getattr(settings.read(ProcessorSettings, environ={variable: text}), name) == value


def test_every_setting_but_secrets_has_a_flag():
    """With its default and its variable in the help; a token on a command line could be read by everybody."""
    shown = CliRunner().invoke(command, ["--help"], terminal_width=1000).output
    for row in settings.describe(ProcessorSettings):
        flag = f"--{row.name.replace('_', '-')} "
        is_secret = row.name in {"tokens", "redaction_key"}
        assert (flag in shown) is not is_secret, flag
        assert (f"[env: {row.env}]" in shown) is not is_secret
    assert "[default: 127.0.0.1:4318]" in shown
    assert "`" not in shown


def test_every_setting_has_a_variable_and_a_help_text():
    """Nothing is set by one way only."""
    for row in settings.describe(ProcessorSettings):
        assert row.env.startswith("AGENT_OTEL_")
        assert row.help
    assert len({row.env for row in settings.describe(ProcessorSettings)}) == len(fields(ProcessorSettings))


def test_tokens_come_from_the_environment():
    """Several, with commas between."""
    read = settings.read(ProcessorSettings, environ={"AGENT_OTEL_TOKENS": "first-token-0123456789, other-token"})
    assert read.tokens == ("first-token-0123456789", "other-token")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"in_flight_mib": 63}, "in_flight_mib must be at least 64, got 63"),
        ({"connections": 0}, "connections must be at least 1"),
        ({"drain_s": 0.5}, "drain_s must be at least 1"),
        ({"workers": -1}, "workers must be at least 0"),
        ({"http": "off", "grpc": "off"}, "nothing would be received"),
        ({"tls_key": Path("x")}, "come together"),
        ({"tls_client_ca": Path("x")}, "tls_client_ca needs tls_certificate and tls_key"),
    ],
)
def test_what_cannot_be_is_refused(given, message):
    """With the name of the setting."""
    with pytest.raises(SettingsError, match=message):
        ProcessorSettings(**given)


def test_a_file_holds_them_in_a_table(tmp_path):
    """TOML; its types are those of the settings."""
    file = tmp_path / "processor.toml"
    file.write_text('[processor]\nhttp = "off"\nworkers = 3\ntokens = ["first-token-0123456789"]\n')
    read = settings.read(ProcessorSettings, environ={}, file_values=read_file(file))
    assert (read.http, read.workers, read.tokens) == ("off", 3, ("first-token-0123456789",))
    file.write_text("")
    assert read_file(file) == {}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('http = "off"', r"in a table \[processor\], got 'http' beside it; did you mean 'http'"),
        ("[procesor]\nworkers = 1", r"got 'procesor' beside it; did you mean '\[processor\]'"),
        ("processor = 1", r"in a table \[processor\]"),
        ("[processor", "is not TOML"),
        (b"\xff", "is not TOML"),
        (None, "cannot read"),
    ],
)
def test_a_file_with_something_else_is_refused(tmp_path, content, message):
    """The message says what was expected."""
    file = tmp_path / "processor.toml"
    if content is not None:
        file.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(SettingsError, match=message):
        read_file(file)


def test_an_unknown_key_names_the_nearest(tmp_path):
    """As everywhere else."""
    file = tmp_path / "processor.toml"
    file.write_text("[processor]\nwokers = 1\n")
    with pytest.raises(SettingsError, match="did you mean 'workers'"):
        settings.read(ProcessorSettings, environ={}, file_values=read_file(file))
