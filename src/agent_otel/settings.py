"""Reads a frozen settings class from arguments, environment and file, in this order of precedence.

A setting is written once, beside the component it belongs to, as a field of a frozen dataclass::

    quiet_s: float = field(default=5.0, metadata={"env": "AGENT_OTEL_QUIET", "help": "seconds that end a run"})

Its type, default, environment name and help text are there; ``read`` builds the class from what the user gave, and
``describe`` lists the same facts for the README and ``--help``. Types: ``str``, ``int``, ``float``, ``bool``, ``Path``,
``Literal`` of texts, ``tuple[X, ...]`` of these, and any of them ``| None``. What values make sense together is for the
class itself to say, in ``__post_init__``.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, fields
from pathlib import Path
from types import MappingProxyType, NoneType
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar, get_args, get_origin, get_type_hints

from agent_otel.errors import SettingsError, suggestion

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    SettingsT = TypeVar("SettingsT", bound=DataclassInstance)
else:
    SettingsT = TypeVar("SettingsT")

_NOTHING: Final[Mapping[str, object]] = MappingProxyType({})
_WORDS: Final = MappingProxyType(
    {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One row of the documentation: what a setting is called, and what it takes."""

    name: str
    env: str
    expects: str
    default: str
    help: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """How a type is written in the environment, and which values stand for it elsewhere."""

    expects: str
    parse: Callable[[str], object]
    native: tuple[type, ...]


def read(
    cls: type[SettingsT],
    *,
    arguments: Mapping[str, object] = _NOTHING,
    environ: Mapping[str, str] | None = None,
    file_values: Mapping[str, object] = _NOTHING,
) -> SettingsT:
    """The settings the user asked for: argument before environment before file before default.

    Args:
        cls: a frozen dataclass as described above.
        arguments: by field name; ``None`` means not given.
        environ: the environment, ``os.environ`` by default; an empty variable counts as not set, as in OpenTelemetry.
        file_values: by field name, from parsed TOML.

    Raises:
        SettingsError: a value of the wrong type (the message names the variable or field, what was expected and what
            came), an unknown key, or what ``cls`` itself refuses.
    """
    environ = os.environ if environ is None else environ
    kinds = get_type_hints(cls)
    known = {field.name: field for field in fields(cls)}
    _refuse_unknown(arguments, known, where="arguments")
    _refuse_unknown(file_values, known, where="file")
    chosen: dict[str, Any] = {}
    for name, field in known.items():
        variable = field.metadata.get("env", "")
        if arguments.get(name) is not None:
            chosen[name] = _checked(arguments[name], kinds[name], where=name)
        elif environ.get(variable):
            chosen[name] = _parsed(environ[variable], kinds[name], where=variable)
        elif name in file_values:
            chosen[name] = _checked(file_values[name], kinds[name], where=f"{name} (in the file)")
        elif _required(field):
            message = f"{name} is needed: give it as an argument" + (f" or set {variable}" if variable else "")
            raise SettingsError(message)
    return cls(**chosen)


def parse(cls: type[DataclassInstance], name: str, text: str) -> object:
    """The value a text stands for, as in the environment.

    Args:
        cls: the settings class.
        name: of the field.
        text: what the user wrote.

    Raises:
        SettingsError: it is not of the field's type.
    """
    return _parsed(text, get_type_hints(cls)[name], where=name)


def describe(cls: type[DataclassInstance]) -> list[Setting]:
    """One row per setting, in the order of the fields; a default that is computed is left empty."""
    kinds = get_type_hints(cls)
    return [
        Setting(
            name=field.name,
            env=field.metadata.get("env", ""),
            expects=_expects(kinds[field.name]),
            default=_shown(field.default),
            help=field.metadata.get("help", ""),
        )
        for field in fields(cls)
    ]


def _truth(text: str) -> bool:
    try:
        return _WORDS[text.strip().lower()]
    except KeyError as exc:
        raise ValueError(text) from exc


def _number(text: str) -> float:
    number = float(text)
    if math.isnan(number):
        raise ValueError(text)
    return number


_KINDS: Final[Mapping[object, _Kind]] = MappingProxyType(
    {
        str: _Kind(expects="text", parse=str, native=(str,)),
        int: _Kind(expects="a whole number", parse=int, native=(int,)),
        float: _Kind(expects="a number", parse=_number, native=(float, int)),
        bool: _Kind(expects="true or false", parse=_truth, native=(bool,)),
        Path: _Kind(expects="a path", parse=Path, native=(Path, str)),
    },
)


def _expects(kind: Any) -> str:
    kind = _without_none(kind)
    if get_origin(kind) is tuple:
        return f"{_expects(get_args(kind)[0])}, several separated by commas"
    if get_origin(kind) is Literal:
        return " or ".join(get_args(kind))
    return _KINDS[kind].expects


def _parsed(text: str, kind: Any, *, where: str) -> object:
    """The value a text from the environment stands for."""
    kind = _without_none(kind)
    if get_origin(kind) is tuple:
        element = get_args(kind)[0]
        return tuple(_parsed(part.strip(), element, where=where) for part in text.split(",") if part.strip())
    if get_origin(kind) is Literal:
        return _one_of(text.strip().lower(), kind, where=where)
    try:
        return _KINDS[kind].parse(text)
    except ValueError as exc:
        raise _wrong(text, kind, where=where) from exc


def _checked(value: object, kind: Any, *, where: str) -> object:
    """The value itself, where it already has the type; ints stand for floats, texts for paths, lists for tuples."""
    kind = _without_none(kind)
    if get_origin(kind) is tuple:
        if not isinstance(value, list | tuple):
            raise _wrong(value, kind, where=where)
        return tuple(_checked(part, get_args(kind)[0], where=where) for part in value)
    if get_origin(kind) is Literal:
        return _one_of(value, kind, where=where)
    # bool is a subclass of int; 'limit = true' is a mistake, not a limit of one.
    if not isinstance(value, _KINDS[kind].native) or (isinstance(value, bool) and kind is not bool):
        raise _wrong(value, kind, where=where)
    return kind(value)


def _one_of(value: object, kind: Any, *, where: str) -> object:
    if value not in get_args(kind):
        raise _wrong(value, kind, where=where)
    return value


def _wrong(value: object, kind: Any, *, where: str) -> SettingsError:
    return SettingsError(f"{where}: expected {_expects(kind)}, got {value!r}")


def _without_none(kind: Any) -> Any:
    args = get_args(kind)
    if NoneType not in args:
        return kind
    (inner,) = (arg for arg in args if arg is not NoneType)
    return inner


def _required(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _shown(default: object) -> str:
    if default is MISSING or default is None:
        return ""
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, tuple):
        return ",".join(map(str, default))
    return str(default)


def _refuse_unknown(given: Mapping[str, object], known: Mapping[str, object], *, where: str) -> None:
    for key in given:
        if key not in known:
            message = f"{where}: unknown setting {key!r}; {suggestion(key, known)}"
            raise SettingsError(message)
