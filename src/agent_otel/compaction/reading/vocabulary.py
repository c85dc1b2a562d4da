"""What tools do, by their names and arguments: which file is read or changed, which command is run.

Names are taken apart into words (``mcp__fs__readFile`` is ``read``, ``file``), so that tools nobody has listed are
understood; without a path or a command among its arguments a tool does nothing we know of.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from agent_otel.compaction.reading.values import CUT, count, is_cut, loads, remains, text, texts
from agent_otel.compaction.remembered import remembered

PATHS: Final = (
    "path", "filepath", "filename", "file", "absolutepath", "abspath", "targetfile", "targetpath", "relativepath",
    "relativeworkspacepath", "notebookpath", "pathname", "fpath", "targetfilepath", "source", "src", "oldpath",
)  # fmt: skip
MANY_PATHS: Final = ("paths", "files", "filepaths", "filenames", "absolutepaths")
NEW_PATHS: Final = ("destination", "dest", "newpath", "target", "to", "newname", "destinationpath", "newfilepath")
COMMANDS: Final = ("command", "cmd", "commandline", "shellcommand", "bashcommand", "argv", "script", "commands")
PATCHES: Final = ("patch", "diff", "input", "patchtext", "content")
WRAPPERS: Final = ("inputs", "kwargs", "action", "arguments", "parameters", "toolinput")

SHELLS: Final = frozenset(["bash", "shell", "terminal", "sh", "zsh", "powershell", "cmd"])
RUNNERS: Final = frozenset(["command", "commands", "exec", "execute", "run", "process"])
FILES: Final = frozenset(["file", "files", "document", "documents", "notebook", "path"])
PATCHERS: Final = frozenset(["patch", "diff"])
FOLDERS: Final = frozenset(["directory", "directories", "dir", "folder", "folders"])
VERBS: Final = (
    ("edit", ("edit", "replace", "update", "modify", "insert", "append", "multiedit", "rewrite", "patch")),
    ("delete", ("delete", "remove", "rm", "unlink")),
    ("move", ("move", "rename", "mv")),
    ("create", ("create", "new")),
    ("write", ("write", "save", "overwrite", "put")),
    ("", ("list", "ls", "glob", "search", "grep", "find", "tree", "stat", "exists", "watch")),
    ("read", ("read", "view", "cat", "open", "show", "get", "head", "tail", "load")),
)
"""Words of tool names and the operation they stand for, the weightier first: ``find_and_replace`` edits."""
EDITOR_COMMANDS: Final[Mapping[str, str]] = {
    "view": "read",
    "create": "write",
    "write": "write",
    "str_replace": "edit",
    "insert": "edit",
    "edit": "edit",
    "undo_edit": "edit",
    "delete": "delete",
    "rename": "move",
}
"""The ``command`` argument of editor tools that do everything (``str_replace_based_edit_tool`` and its kin)."""

_SUBJECTS: Final = frozenset([*PATHS, *MANY_PATHS, *COMMANDS])
_PATCH_HEADER: Final = re.compile(r"^\*\*\* (Add|Update|Delete) File: (.+)$|^\*\*\* Move to: (.+)$", re.MULTILINE)
_DIFF_HEADER: Final = re.compile(r"^--- (?:a/)?(\S[^\t\n]*)[^\n]*\n\+\+\+ (?:b/)?(\S[^\t\n]*)", re.MULTILINE)
_PATCH_VERBS: Final = {"Add": "create", "Update": "edit", "Delete": "delete"}
_LIKE_A_PATH: Final = re.compile(r"/|\.\w{1,8}\s*$")
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_LONGEST_PATH: Final = 1024


class Action(NamedTuple):
    """Something a tool does: ``operation`` is ``run``, ``read``, or one of the operations of a changed file."""

    operation: str
    path: str = ""
    old_path: str = ""
    lines: str = ""
    command: str = ""
    directory: str = ""


def actions(name: str, raw: object) -> list[Action]:
    """What a call of this tool with these arguments is to do."""
    words, named = _words(name), _operation(name)
    given = _arguments(raw)
    if isinstance(given, str):
        given = _alone(words, given)
    path = _path(given)
    operation = EDITOR_COMMANDS.get(text(given.get("command")), "") if path else ""
    if not operation and (line := _command(words, given)):
        return [Action("run", command=line, directory=text(given.get("cwd")) or text(given.get("workdir")))]
    if not operation and (patched := list(_patched(words, given))):
        return patched
    return list(_file_actions(operation or named, path, given))


def _alone(words: frozenset[str], given: str) -> Mapping[str, Any]:
    """The only argument of a tool, told without its name: what it is follows from the tool, and from its looks."""
    if words & (SHELLS | RUNNERS):
        return {"command": given}
    if words & PATCHERS:
        return {"patch": given}
    return {"path": given} if words & FILES or _LIKE_A_PATH.search(given) else {}


@remembered
def _words(name: str) -> frozenset[str]:
    last = re.split(r"__|[./:]", name)[-1] or name
    return frozenset(re.split(r"[\W_]+", _CAMEL.sub("_", last).casefold())) - {""}


def _arguments(raw: object) -> Mapping[str, Any] | str:
    """The arguments by plain names (``filePath`` and ``file_path`` are ``filepath``), out of their envelopes."""
    value = loads(raw)
    for _ in range(5):
        if isinstance(value, str) and is_cut(value):
            value = {key: said for key, said in remains(value).items() if not said.endswith(CUT)}
        if isinstance(value, str):
            return value
        if not isinstance(value, dict):
            return {}
        plain = {_plain(str(key)): entry for key, entry in value.items()}
        inner = _inside(plain)
        if inner is None:
            return plain
        value = loads(inner)
    return {}


@remembered
def _plain(key: str) -> str:
    return re.sub(r"[\W_]", "", key).casefold()


def _inside(plain: Mapping[str, Any]) -> Any:
    """What an envelope around arguments holds, None when these are the arguments."""
    if not _SUBJECTS.isdisjoint(plain):
        return None
    for key in WRAPPERS:
        if isinstance(inner := loads(plain.get(key)), dict) and inner:
            return inner
    if isinstance(positional := plain.get("args"), list) and positional and isinstance(positional[0], str | dict):
        return positional[0]
    return plain.get("inputstr")


def _command(words: frozenset[str], given: Mapping[str, Any]) -> str:
    if not words & (SHELLS | RUNNERS):
        return ""
    for key in COMMANDS:
        value = loads(given.get(key)) if key != "command" else given.get(key)
        if isinstance(value, str) and value.strip():
            return value.strip()
        if isinstance(value, list) and (argv := texts(value)):
            return _line(argv)
    return ""


def _line(argv: tuple[str, ...]) -> str:
    """An argument vector as people write it; of ``bash -lc 'line'`` the line."""
    if len(argv) == 3 and argv[0].rpartition("/")[2] in SHELLS and argv[1] in ("-c", "-lc", "-ic"):  # noqa: PLR2004 - shell, option, line
        return argv[2].strip()
    return shlex.join(argv)


@remembered
def _operation(name: str) -> str:
    words = _words(name)
    if words & FOLDERS:
        return ""
    return next((operation for operation, verbs in VERBS if words & set(verbs)), "")


def _file_actions(operation: str, path: str, given: Mapping[str, Any]) -> Iterator[Action]:
    if not operation:
        return
    if operation == "move":
        new = next(filter(None, (_plausible(given.get(key)) for key in NEW_PATHS)), "")
        if new and path:
            yield Action("move", new, old_path=path)
        return
    for found in [path] if path else _many(given):
        yield Action(operation, found, lines=_lines(given) if operation == "read" else "")


def _path(given: Mapping[str, Any]) -> str:
    for key in PATHS:
        if key in given and (path := _plausible(given[key])):
            return path
    return ""


def _many(given: Mapping[str, Any]) -> Iterator[str]:
    for key in MANY_PATHS:
        value = loads(given.get(key))
        for entry in value if isinstance(value, list) else []:
            path = _path({str(k).casefold(): v for k, v in entry.items()}) if isinstance(entry, dict) else entry
            if _plausible(path):
                yield _plausible(path)


def _plausible(value: object) -> str:
    """The value if it may be a path of a file: one line, no address."""
    path = text(value).strip()
    possible = 0 < len(path) <= _LONGEST_PATH and "\n" not in path and ("://" not in path or path.startswith("file://"))
    possible = possible and not path.startswith(("{", "[{"))
    return path if possible else ""


def _lines(given: Mapping[str, Any]) -> str:
    """The range of lines a read asked for, in the words of common tools."""
    view = given.get("viewrange")
    if isinstance(view, list) and len(view) == 2:  # noqa: PLR2004 - first and last
        first, last = count(view[0]), count(view[1])
    else:
        first = count(given.get("startline")) or count(given.get("offset"))
        last = count(given.get("endline"))
        if first is not None and last is None and (limit := count(given.get("limit"))):
            last = first + limit - 1
    if first is None:
        return ""
    return f"{first}-{last}" if last is not None else f"{first}-"


def _patched(words: frozenset[str], given: Mapping[str, Any]) -> Iterator[Action]:
    """The files a patch names in its headers."""
    if not words & PATCHERS:
        return
    patch = next((written for key in PATCHES if "\n" in (written := text(given.get(key)))), "")
    current = ""
    for match in _PATCH_HEADER.finditer(patch):
        if match[3]:
            yield Action("move", match[3].strip(), old_path=current)
        else:
            current = match[2].strip()
            yield Action(_PATCH_VERBS[match[1]], current)
    for match in _DIFF_HEADER.finditer(patch):
        old, new = match[1].strip(), match[2].strip()
        if new == "/dev/null":
            yield Action("delete", old)
        else:
            yield Action("create" if old == "/dev/null" else "edit", new)
