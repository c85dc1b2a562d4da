"""Command-line options from a settings class, so that nothing is written twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

import click

from agent_otel import settings
from agent_otel.errors import SettingsError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

CommandT = TypeVar("CommandT", bound=Callable[..., object])


class _Kind(click.ParamType):  # type: ignore[type-arg]  # generic in later versions only
    """A text that is read as the environment variable of the same setting would be."""

    def __init__(self, cls: type[DataclassInstance], row: settings.Setting) -> None:
        self._cls = cls
        self._row = row
        self.name = row.expects

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:  # noqa: ARG002 - the interface's
        return {"a whole number": "NUMBER", "a number": "NUMBER", "a path": "FILE"}.get(self._row.expects, "TEXT")

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> object:
        try:
            return settings.parse(self._cls, self._row.name, value)
        except SettingsError as exc:
            self.fail(str(exc).partition(": ")[2], param, ctx)


def setting_options(cls: type[DataclassInstance]) -> Callable[[CommandT], CommandT]:
    """Adds an option for each setting to a command; one that was not given is None.

    A setting whose metadata says ``"flag": False`` has none: a secret on a command line can be read by everybody.
    """
    hidden = {field.name for field in fields(cls) if not field.metadata.get("flag", True)}

    def add(command: CommandT) -> CommandT:
        for row in reversed(settings.describe(cls)):
            if row.name not in hidden:
                flag = f"--{row.name.replace('_', '-')}"
                option = click.option(flag, row.name, type=_Kind(cls, row), default=None, help=_help(row))
                command = option(command)
        return command

    return add


def _help(row: settings.Setting) -> str:
    words = row.help.replace("`", "")
    default = f"  [default: {row.default}]" if row.default else ""
    return f"{words[:1].upper()}{words[1:]}.  [env: {row.env}]{default}"
