"""What git knows about the work tree: asked as a program, never changing what is the user's.

The tree of a dirty work tree comes from a temporary index (``git add -A``, ``git write-tree``), so that uncommitted
edits count. New objects go to a temporary object folder with the repository's own as alternate: neither the user's
index nor the object database is touched. Without git, or outside of a repository, the answer is None.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Final

TIMEOUT_S: Final = 60.0
"""After so many seconds git is given up and the answer is "not recorded"."""

_OPERATIONS: Final[Mapping[str, str]] = {"A": "create", "D": "delete", "R": "move", "C": "create"}

_MOST_DELETING: Final = 20_000
"""Commits that deleted something: what went before them is not remembered."""

_MARK: Final = "\x01"


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """The state a run starts from; "" and None where git could not tell."""

    repository: str = ""
    url: str = ""
    branch: str = ""
    commit: str = ""
    dirty: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A file that differs between two trees; line counts are None for binary files."""

    path: str
    operation: str
    added: int | None = None
    removed: int | None = None
    old_path: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """A commit: its whole id, its tree, and the commits before it, of which a merge has several."""

    commit: str
    tree: str
    parents: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A commit that changed something: its abbreviated id, and its day in UTC."""

    commit: str
    day: str


class Repository:
    """A git work tree.

    Args:
        root: its top folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._scratch: tempfile.TemporaryDirectory[str] | None = None
        # Two threads may ask for the tree at once; they share the temporary index, which has one lock file.
        self._lock = threading.Lock()

    @classmethod
    def find(cls, start: Path) -> Repository | None:
        """The repository ``start`` is in, or None."""
        top = _git(start, "rev-parse", "--show-toplevel")
        return cls(Path(top)) if top else None

    def base(self) -> Base:
        """Commit, branch and state of the work tree now."""
        url = self._ask("config", "--get", "remote.origin.url") or ""
        status = self._ask("status", "--porcelain", "--untracked-files=normal")
        return Base(
            repository=url.rstrip("/").removesuffix(".git").replace(":", "/").rsplit("/", 1)[-1] or self.root.name,
            url=url,
            branch=self._ask("symbolic-ref", "--quiet", "--short", "HEAD") or "",
            commit=self.commit(),
            dirty=None if status is None else bool(status),
        )

    def commit(self) -> str:
        """The commit checked out, or "" before the first one."""
        return self._ask("rev-parse", "--verify", "--quiet", "HEAD") or ""

    def found(self, commit: str) -> Committed | None:
        """What this id of a commit stands for, which may be abbreviated; None where there is no such commit."""
        said = self._ask("log", "-1", "--no-show-signature", "--format=%H %T %P", commit, "--")
        if not said:
            return None
        whole, tree, *parents = said.split()
        return Committed(commit=whole, tree=tree, parents=tuple(parents))

    def changed_since(self, path: str, day: str) -> str:
        """The day (in UTC, as ``day`` is) of the first commit since that changed the file, or "" if there is none."""
        since = f"--since={day}T00:00:00Z"
        said = self._ask(
            "--literal-pathspecs", "log", "--reverse", "--no-show-signature", since, "--format=%ct", "--", path
        )
        first = (said or "").partition("\n")[0]
        return datetime.fromtimestamp(int(first), timezone.utc).date().isoformat() if first else ""

    def tracked(self) -> frozenset[str] | None:
        """The paths of all files of the commit checked out, or None before the first one."""
        said = self._ask("ls-tree", "-r", "--full-tree", "--name-only", "-z", "HEAD")
        return None if said is None else frozenset(filter(None, said.split("\0")))

    def words_used(self, words: Sequence[str], *, without: Sequence[str] = ()) -> frozenset[str]:
        """Those of the words that files of the commit checked out have; none also where git could not tell.

        Args:
            words: letters, digits and underscores.
            without: patterns of paths (git's pathspecs) that are left out.
        """
        wanted = (option for word in words for option in ("-e", word))
        out = (f":(top,exclude,glob){pattern}" for pattern in without)
        options = ("--fixed-strings", "--word-regexp", "--only-matching", "-h", "-I")
        said = self._ask("grep", *options, *wanted, "HEAD", "--", ":(top)", *out) if words else None
        return frozenset((said or "").split("\n")).intersection(words)

    def deleted(self) -> dict[str, Changed]:
        """The paths that commits deleted (or moved away), each with the last one that did, the latest first."""
        options = ("--no-show-signature", "--no-renames", "--diff-filter=D", f"--max-count={_MOST_DELETING}")
        said = self._ask("log", *options, "--name-only", "-z", f"--format={_MARK}%h %ct", "HEAD")
        found: dict[str, Changed] = {}
        commit = Changed(commit="", day="")
        for field in (said or "").split("\0"):
            if field.startswith(_MARK):
                commit = _changed(field.removeprefix(_MARK))
            elif path := field.removeprefix("\n"):
                found.setdefault(path, commit)
        return found

    def last_use(self, word: str, *, without: Sequence[str] = (), timeout_s: float = TIMEOUT_S) -> Changed | None:
        """The last commit that changed how often files have a word; None where none ever had it, or nobody knows.

        Args:
            word: letters, digits and underscores.
            without: patterns of paths (git's pathspecs) that are left out.
            timeout_s: after so many seconds nobody knows.
        """
        ask = ("log", "-1", "--no-show-signature", "--format=%h %ct")
        where = ("--", ":(top)", *(f":(top,exclude,glob){pattern}" for pattern in without))
        # What was never there, as part of a longer word either, is found out several times as fast.
        if not _git(self.root, *ask, f"-S{word}", *where, timeout_s=timeout_s):
            return None
        whole = f"-S(^|[^A-Za-z0-9_]){word}([^A-Za-z0-9_]|$)"
        said = _git(self.root, *ask, "--pickaxe-regex", whole, *where, timeout_s=timeout_s)
        return _changed(said) if said else None

    def tree(self) -> str:
        """The id of the tree that a commit of everything (ignored files excepted) would have, or "" if unknown."""
        with self._lock:
            environment = self._scratch_environment()
            if environment is None or _git(self.root, "add", "-A", "--", ".", environment=environment) is None:
                return ""
            return _git(self.root, "write-tree", environment=environment) or ""

    def changes(self, before: str, after: str) -> list[Change] | None:
        """What differs between two trees of ``tree``, or None if git could not tell."""
        with self._lock:
            environment = self._scratch_environment()
            options = ("-r", "-M", "-z", before, after)
            states = _git(self.root, "diff-tree", "--name-status", *options, environment=environment)
            counts = _git(self.root, "diff-tree", "--numstat", *options, environment=environment)
        if states is None or counts is None:
            return None
        return _changes(states, counts)

    def patch(self, before: str, after: str, paths: Sequence[str]) -> str | None:
        """The unified diff of some files between two trees of ``tree``, or None if git could not tell."""
        options = ("-r", "-p", "-M", "-U0", "--no-ext-diff", "--no-textconv", "--src-prefix=a/", "--dst-prefix=b/")
        named = (f":(top,literal){path}" for path in paths)
        with self._lock:
            environment = self._scratch_environment()
            return _git(self.root, "diff-tree", *options, before, after, "--", *named, environment=environment)

    def close(self) -> None:
        """Removes the temporary folder."""
        with self._lock:
            if self._scratch is not None:
                self._scratch.cleanup()
                self._scratch = None

    def _ask(self, *arguments: str) -> str | None:
        return _git(self.root, *arguments)

    def _scratch_environment(self) -> dict[str, str] | None:
        objects = self._ask("rev-parse", "--git-path", "objects")
        index = self._ask("rev-parse", "--git-path", "index")
        if objects is None or index is None:
            return None
        if self._scratch is None:
            self._scratch = tempfile.TemporaryDirectory(prefix="agent-otel-git-", ignore_cleanup_errors=True)
            Path(self._scratch.name, "objects").mkdir()
            # A copy keeps git's knowledge of unchanged files, so that only edits are hashed. By the time of its index
            # git tells files that were edited in the same second, which their own times do not show: it is copied, too.
            if (self.root / index).exists():
                shutil.copy2(self.root / index, Path(self._scratch.name, "index"))
        return {
            "GIT_INDEX_FILE": str(Path(self._scratch.name, "index")),
            "GIT_OBJECT_DIRECTORY": str(Path(self._scratch.name, "objects")),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(self.root / objects),
        }


def _git(
    folder: Path,
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    timeout_s: float = TIMEOUT_S,
) -> str | None:
    """Output of one git command without its last line end, or None if git is missing, fails or hangs."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    settled = {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
    command = ["git", "-c", "core.quotePath=off", "-c", "core.fsmonitor=false", "-c", "core.safecrlf=false", *arguments]
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env={**inherited, **settled, **(environment or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout_s,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode("utf-8", "replace").removesuffix("\n") if done.returncode == 0 else None


def _changed(said: str) -> Changed:
    commit, at = said.split()
    return Changed(commit=commit, day=datetime.fromtimestamp(int(at), timezone.utc).date().isoformat())


def _changes(states: str, counts: str) -> list[Change]:
    lines = _numstat(counts)
    fields = iter(states.split("\0"))
    found = []
    for state in fields:
        if not state:
            break
        operation = _OPERATIONS.get(state[0], "edit")
        old_path = next(fields) if state[0] in "RC" else ""
        path = next(fields)
        added, removed = lines.get(path, (None, None))
        found.append(Change(path=path, operation=operation, added=added, removed=removed, old_path=old_path))
    return found


def _numstat(counts: str) -> dict[str, tuple[int | None, int | None]]:
    """Path to (added, removed). With -z a moved file has an empty path, then the old and the new one."""
    fields = iter(counts.split("\0"))
    found: dict[str, tuple[int | None, int | None]] = {}
    for entry in fields:
        if not entry:
            break
        added, removed, path = entry.split("\t", 2)
        if not path:
            next(fields)
            path = next(fields)
        found[path] = (_count(added), _count(removed))
    return found


def _count(text: str) -> int | None:
    return int(text) if text.isdigit() else None
