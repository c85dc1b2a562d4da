"""Files that a command line reads and changes, where that is certain.

A word that the shell would expand names no file for sure, and neither does a program nobody has listed. ``cd`` is
followed, and where it leads nobody knows where, nothing is said of relative paths. What lies outside the working
directory (``/tmp``, ``/dev``, a home) is no file of the repository.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from agent_otel.compaction.shell.lines import Command, Word, commands, decisive
from agent_otel.compaction.shell.programs import unwrapped


class Effect(NamedTuple):
    """A file and what was done to it: ``read``, or an operation of a changed file.

    ``sure`` where the line's success means that it was done; otherwise it was done unless it failed unnoticed.
    """

    operation: str
    path: str
    lines: str = ""
    old_path: str = ""
    sure: bool = True


DEEPEST: Final = 4
"""How many shells within shells are looked into."""

_ELSEWHERE: Final = re.compile(r"^(?:/(?:tmp|var|dev|proc|sys|etc|usr|root|home)(?:/|$)|~|-$)")
_SED_RANGE: Final = re.compile(r"^(\d+)(?:,(\d+|\$))?p;?$")
_PATCH: Final = re.compile(r"^\*\*\* (?:(Add|Update|Delete) File|(Move) to): (.+)$", re.MULTILINE)
_HUNKED: Final = re.compile(r"^--- ([^\t\n]+)[^\n]*\n\+\+\+ ([^\t\n]+)", re.MULTILINE)
_PATCH_OPTION: Final = re.compile(r"-|-p\d|-N|-s|-v|--verbose|--whitespace=\w+|--index|--3way|-3|--forward|--silent")
_OPERATIONS: Final = {"Add": "create", "Update": "edit", "Delete": "delete"}
_WRITING: Final = frozenset([">", ">>", ">|", "1>", "1>>", "&>", "&>>", "2>", "2>>"])

Reader = Callable[[Sequence[Word]], Iterator[Effect]]


def effects(line: str) -> list[Effect]:
    """The files a line reads and changes, in the order of its commands."""
    return list(_effects(line, DEEPEST))


def _effects(line: str, depth: int) -> Iterator[Effect]:
    found = commands(line)
    # A read at the head of a pipe is as good as sure: what reads from it would have had nothing.
    sure = zip(found, decisive(found), decisive(found, ("&&", "|")), strict=True)
    places: dict[tuple[int, ...], str | None] = {(): ""}
    for command, decides, piped in sure:
        inner = unwrapped(command)
        place = places.setdefault(command.group, places.get(command.group[:-1]))
        if command.name in ("cd", "pushd", "popd"):
            places[command.group] = _entered(place, command)
        if isinstance(inner, str):
            made = list(_effects(inner, depth - 1)) if depth else []
        else:
            made = [*_by_program(inner), *_redirected(inner)]
        for effect in made:
            found_at = _below(place, effect.path)
            if found_at is not None and not _ELSEWHERE.match(found_at):
                yield effect._replace(
                    path=found_at,
                    old_path=effect.old_path and (_below(place, effect.old_path) or ""),
                    sure=effect.sure and (decides or (piped and effect.operation == "read")),
                )


def _entered(place: str | None, command: Command) -> str | None:
    """Where ``cd`` leads, from ``place``; None where that is not certain."""
    certain = command.arguments[0] if len(command.arguments) == 1 and command.after in ("&&", ";", "") else None
    if certain is None or not certain.certain or certain.text.startswith(("-", "~")) or command.optional:
        return None
    return _below(place, certain.text.removesuffix("/") or "/")


def _below(place: str | None, path: str) -> str | None:
    """A path as seen from where the line began; None where the place is unknown."""
    if path.startswith(("/", "~")) or place == "":
        return path
    return None if place is None else f"{place}/{path.removeprefix('./')}"


def _by_program(command: Command) -> Iterator[Effect]:
    program = PROGRAMS.get(command.name)
    if command.name in ("apply_patch", "applypatch"):
        yield from patched(next((text for text in _texts(command) if "*** " in text), ""))
    elif command.name == "patch" or (command.name == "git" and next(_files(command.arguments, "Cc"), "") == "apply"):
        yield from _unified(command)
    elif program is not None:
        yield from program(command.arguments)


def patched(patch: str) -> Iterator[Effect]:
    """The files that a patch in the format of ``apply_patch`` names."""
    current = ""
    for match in _PATCH.finditer(patch):
        path = match[3].strip()
        if match[2]:
            yield Effect("move", path, old_path=current)
        else:
            current = path
            yield Effect(_OPERATIONS[match[1]], path)


def _unified(command: Command) -> Iterator[Effect]:
    """The files that a patch in a here-document names: ``git apply`` and ``patch`` of a unified diff."""
    if any(not _PATCH_OPTION.fullmatch(word.text) for word in command.arguments[command.name == "git" :]):
        return  # reversed, only tried, applied to another file
    level = next((int(word.text[2:]) for word in command.arguments if re.fullmatch(r"-p\d", word.text)), None)
    strip = level if level is not None else int(command.name == "git")
    for body in (redirect.body for redirect in command.redirects):
        for old, new in _HUNKED.findall(body):
            before, after = (_stripped(path, strip) for path in (old, new))
            if before is None:
                yield Effect("create", after or "")
            else:
                yield Effect("edit" if after else "delete", after or before)


def _stripped(path: str, level: int) -> str | None:
    """A path of a diff without its first folders; None for the file that is not there."""
    return None if path == "/dev/null" else "/".join(path.split("/")[level:])


def _texts(command: Command) -> Iterator[str]:
    yield from (redirect.body for redirect in command.redirects)
    yield from (word.text for word in command.arguments)


def _redirected(command: Command) -> Iterator[Effect]:
    for redirect in command.redirects:
        target = redirect.target
        if redirect.operator in _WRITING and target.certain and target.text:
            yield Effect("write", target.text)
        elif redirect.operator == "<" and target.certain and target.text:
            yield Effect("read", target.text)


# -- programs, by what their arguments mean ---------------------------------------------------------------------------


def _files(arguments: Sequence[Word], valued: str = "") -> Iterator[str]:
    """The arguments that are no options; ``valued`` are the letters of options that take the next argument."""
    skip = ended = False
    for word in arguments:
        if skip:
            skip = False
        elif word.text == "--" and not ended:
            ended = True
        elif word.text.startswith("-") and len(word.text) > 1 and not ended:
            skip = word.text.startswith("-") and word.text[-1] in valued and len(word.text) == 2  # noqa: PLR2004 - "-n"
        elif word.certain and word.text:
            yield word.text


def _read_all(arguments: Sequence[Word]) -> Iterator[Effect]:
    yield from (Effect("read", path) for path in _files(arguments))


def _read_end(arguments: Sequence[Word]) -> Iterator[Effect]:
    yield from (Effect("read", path) for path in _files(arguments, "nc"))


def _read_after_pattern(arguments: Sequence[Word]) -> Iterator[Effect]:
    """``grep PATTERN FILE…``: what has the look of a file, since a folder can be named too."""
    given = any(word.text in ("-e", "-f", "--regexp", "--file", "--files") for word in arguments)
    files = list(_files(arguments, "efmABCgtT"))
    yield from (Effect("read", path) for path in (files if given else files[1:]) if _is_file(path))


def _sed(arguments: Sequence[Word]) -> Iterator[Effect]:
    options = [word.text for word in arguments if word.text.startswith("-")]
    scripted = any(option in ("-e", "-f", "--expression", "--file") for option in options)
    plain = list(_files(arguments, "ef"))
    script, files = ("", plain) if scripted else ("".join(plain[:1]), plain[1:])
    if any(option.startswith(("-i", "--in-place")) or re.fullmatch(r"-[nErs]*i", option) for option in options):
        yield from (Effect("edit", path) for path in files)
        return
    match = _SED_RANGE.match(script)
    lines = f"{match[1]}-{(match[2] or match[1]).strip('$')}" if match else ""
    yield from (Effect("read", path, lines=lines) for path in files)


def _written(operation: str) -> Reader:
    def read(arguments: Sequence[Word]) -> Iterator[Effect]:
        yield from (Effect(operation, path) for path in _files(arguments))

    return read


def _moved(arguments: Sequence[Word]) -> Iterator[Effect]:
    files = list(_files(arguments, "tS"))
    if len(files) == 2 and _is_file(files[1]):  # noqa: PLR2004 - from, to; with more, or a folder, names are guesswork
        yield Effect("move", files[1], old_path=files[0])


def _copied(arguments: Sequence[Word]) -> Iterator[Effect]:
    files = list(_files(arguments, "tS"))
    if len(files) == 2 and _is_file(files[1]):  # noqa: PLR2004 - from, to
        yield Effect("write", files[1])


def _removed(arguments: Sequence[Word]) -> Iterator[Effect]:
    yield from (Effect("delete", path) for path in _files(arguments) if _is_file(path))


def _git(arguments: Sequence[Word]) -> Iterator[Effect]:
    """``git mv`` and ``git rm``; what checkout and restore change is in the history, not in the line."""
    if any(word.text == "-C" for word in arguments):
        return
    verb = next(_files(arguments, "c"), "")
    place = next((place for place, word in enumerate(arguments) if word.text == verb), 0)
    yield from {"mv": _moved, "rm": _removed}.get(verb, _nothing)(arguments[place + 1 :])


def _nothing(_: Sequence[Word]) -> Iterator[Effect]:
    return iter(())


def _is_file(path: str) -> bool:
    """True for what looks like the path of a file: its name has an extension, or is one that files have."""
    name = path.rstrip("/").rpartition("/")[2]
    return not path.endswith("/") and ("." in name.lstrip(".") or name in ("Makefile", "Dockerfile", "LICENSE"))


PROGRAMS: Final[Mapping[str, Reader]] = {
    **dict.fromkeys(("cat", "bat", "batcat", "less", "more", "nl", "tac"), _read_all),
    **dict.fromkeys(("head", "tail"), _read_end),
    **dict.fromkeys(("grep", "egrep", "fgrep", "rg", "ag", "ack", "awk", "gawk", "jq", "yq"), _read_after_pattern),
    "sed": _sed,
    "gsed": _sed,
    "tee": _written("write"),
    "touch": _written("write"),
    "rm": _removed,
    "unlink": _removed,
    "mv": _moved,
    "cp": _copied,
    "git": _git,
}
