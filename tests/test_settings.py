"""Settings are read from arguments, environment, file and defaults, and say what is wrong."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Literal

import pytest

from agent_otel.errors import AgentOtelError, SettingsError
from agent_otel.settings import Setting, describe, read


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One field of every kind."""

    quiet_s: float = field(default=5.0, metadata={"env": "SAMPLE_QUIET", "help": "seconds of silence"})
    limit: int | None = field(default=None, metadata={"env": "SAMPLE_LIMIT", "help": "most spans"})
    strict: bool = field(default=False, metadata={"env": "SAMPLE_STRICT", "help": "refuse"})
    name: str = field(default="agent", metadata={"env": "SAMPLE_NAME", "help": "name"})
    database: Path | None = field(default=None, metadata={"env": "SAMPLE_DB", "help": "file"})
    words: tuple[str, ...] = field(default=("a", "b"), metadata={"env": "SAMPLE_WORDS", "help": "words"})
    signal: Literal["span", "log"] = field(default="span", metadata={"env": "SAMPLE_SIGNAL", "help": "which"})
    plain: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.quiet_s <= 0:
            message = "quiet_s must be positive"
            raise SettingsError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Needy:
    """A setting without a default."""

    token: str = field(metadata={"env": "NEEDY_TOKEN"})
    paths: tuple[str, ...] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True, kw_only=True)
class Nameless:
    """A needed setting that no variable sets."""

    token: str


def test_defaults_stand_where_nothing_is_given() -> None:
    """Without arguments, environment or file the class has its defaults."""
    assert read(Sample, environ={}) == Sample()


def test_argument_wins_over_environment_over_file_over_default() -> None:
    """Each source hides the ones after it."""
    environ = {"SAMPLE_NAME": "from-environment", "SAMPLE_QUIET": "2"}
    file_values = {"name": "from-file", "quiet_s": 3.0, "limit": 9}
    settings = read(Sample, arguments={"name": "from-argument"}, environ=environ, file_values=file_values)
    assert (settings.name, settings.quiet_s, settings.limit, settings.strict) == ("from-argument", 2.0, 9, False)


def test_none_as_an_argument_means_not_given() -> None:
    """Callers pass their own optional arguments through."""
    assert read(Sample, arguments={"name": None}, environ={"SAMPLE_NAME": "env"}).name == "env"


def test_empty_variable_counts_as_unset() -> None:
    """OpenTelemetry's rule for empty variables holds for ours too."""
    assert read(Sample, environ={"SAMPLE_LIMIT": "", "SAMPLE_NAME": ""}) == Sample()


def test_process_environment_is_read_when_none_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an explicit mapping the variables of the process count."""
    monkeypatch.setenv("SAMPLE_NAME", "from-process")
    assert read(Sample).name == "from-process"


@pytest.mark.parametrize(
    ("variable", "text", "name", "value"),
    [
        ("SAMPLE_QUIET", "0.25", "quiet_s", 0.25),
        ("SAMPLE_QUIET", "inf", "quiet_s", float("inf")),
        ("SAMPLE_LIMIT", " 12 ", "limit", 12),
        ("SAMPLE_STRICT", "TRUE", "strict", True),
        ("SAMPLE_STRICT", "0", "strict", False),
        ("SAMPLE_STRICT", "On", "strict", True),
        ("SAMPLE_NAME", " kept as it is ", "name", " kept as it is "),
        ("SAMPLE_DB", "some/runs.db", "database", Path("some/runs.db")),
        ("SAMPLE_WORDS", "x, y,,z ", "words", ("x", "y", "z")),
        ("SAMPLE_SIGNAL", "LOG", "signal", "log"),
    ],
)
def test_environment_text_becomes_the_type_of_the_field(variable: str, text: str, name: str, value: object) -> None:
    """Every kind of field has a form in the environment."""
    assert getattr(read(Sample, environ={variable: text}), name) == value


@pytest.mark.parametrize(
    ("values", "name", "value"),
    [
        ({"quiet_s": 2}, "quiet_s", 2.0),
        ({"limit": 3}, "limit", 3),
        ({"strict": True}, "strict", True),
        ({"database": "runs.db"}, "database", Path("runs.db")),
        ({"words": ["x"]}, "words", ("x",)),
        ({"signal": "log"}, "signal", "log"),
        ({"plain": [1, 2]}, "plain", (1, 2)),
    ],
)
def test_file_values_keep_their_types(values: dict[str, object], name: str, value: object) -> None:
    """Integers stand for floats, texts for paths, lists for tuples."""
    found = getattr(read(Sample, environ={}, file_values=values), name)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("variable", "text", "message"),
    [
        ("SAMPLE_QUIET", "soon", "SAMPLE_QUIET: expected a number, got 'soon'"),
        ("SAMPLE_QUIET", "nan", "SAMPLE_QUIET: expected a number, got 'nan'"),
        ("SAMPLE_LIMIT", "1.5", "SAMPLE_LIMIT: expected a whole number, got '1.5'"),
        ("SAMPLE_STRICT", "maybe", "SAMPLE_STRICT: expected true or false, got 'maybe'"),
        ("SAMPLE_SIGNAL", "both", "SAMPLE_SIGNAL: expected span or log, got 'both'"),
    ],
)
def test_wrong_variable_is_named_with_what_was_expected_and_what_came(variable: str, text: str, message: str) -> None:
    """The message alone is enough to repair the environment."""
    with pytest.raises(SettingsError) as caught:
        read(Sample, environ={variable: text})
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"limit": True}, "limit (in the file): expected a whole number, got True"),
        ({"limit": "3"}, "limit (in the file): expected a whole number, got '3'"),
        ({"name": 3}, "name (in the file): expected text, got 3"),
        ({"words": "x"}, "words (in the file): expected text, several separated by commas, got 'x'"),
        ({"words": [1]}, "words (in the file): expected text, got 1"),
        ({"signal": 1}, "signal (in the file): expected span or log, got 1"),
    ],
)
def test_wrong_file_value_is_named(values: dict[str, object], message: str) -> None:
    """A value of the wrong type is refused rather than converted by guess."""
    with pytest.raises(SettingsError) as caught:
        read(Sample, environ={}, file_values=values)
    assert str(caught.value) == message


def test_unknown_file_key_names_the_nearest_known_one() -> None:
    """A typing mistake is answered with the right word."""
    with pytest.raises(SettingsError, match="file: unknown setting 'quite_s'; did you mean 'quiet_s'"):
        read(Sample, environ={}, file_values={"quite_s": 1})


def test_unknown_key_without_a_near_one_lists_the_known_ones() -> None:
    """Where nothing is near, everything known is listed."""
    with pytest.raises(SettingsError, match="arguments: unknown setting 'zzz'; known: quiet_s, limit"):
        read(Sample, arguments={"zzz": 1}, environ={})


def test_class_refuses_values_that_make_no_sense() -> None:
    """What is wrong in itself is for the class to say, and is a SettingsError too."""
    with pytest.raises(AgentOtelError, match="quiet_s must be positive"):
        read(Sample, environ={"SAMPLE_QUIET": "-1"})


def test_setting_without_default_has_to_come_from_somewhere() -> None:
    """The message says where it can be given."""
    assert read(Needy, environ={"NEEDY_TOKEN": "t"}) == Needy(token="t")
    with pytest.raises(SettingsError, match="token is needed: give it as an argument or set NEEDY_TOKEN"):
        read(Needy, environ={})
    with pytest.raises(SettingsError, match=r"token is needed: give it as an argument$"):
        read(Nameless, environ={})


def test_describe_lists_every_field_once() -> None:
    """The documentation is made from the fields alone."""
    rows = describe(Sample)
    assert [row.name for row in rows] == [entry.name for entry in fields(Sample)]
    assert rows[0] == Setting(
        name="quiet_s", env="SAMPLE_QUIET", expects="a number", default="5.0", help="seconds of silence"
    )
    assert [row.default for row in rows] == ["5.0", "", "false", "agent", "", "a,b", "span", ""]
    assert rows[5].expects == "text, several separated by commas"
    assert rows[6].expects == "span or log"
    assert [row.default for row in describe(Needy)] == ["", ""]
