"""Tests that a run edited, deleted or weakened, read off the unified diff of what it left.

A line that asserts and is gone counts against one that came: an assertion that was rewritten is no assertion removed.
"""

from __future__ import annotations

import itertools
from io import StringIO
from typing import Final

import msgspec
from unidiff.errors import UnidiffParseError
from unidiff.patch import PatchedFile, PatchSet

from agent_otel.errors import DecodeError
from agent_otel.model.record import RunRecord
from agent_otel.review.testpaths import edited_tests, is_test
from agent_otel.review.verified.languages import LANGUAGES, Language
from agent_otel.review.wording import count, shortened

MOST_SIGNS: Final = 3
"""Lines of a diff that are quoted for a file."""
LONGEST_SIGN: Final = 120


class ChangedTest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A test that was changed: so many assertions and tests fewer, so many skips more than before.

    ``signs`` quotes lines that say so, with ``-`` or ``+`` before them.
    """

    path: str
    operation: str
    assertions_removed: int = 0
    tests_removed: int = 0
    skips_added: int = 0
    signs: tuple[str, ...] = ()

    @property
    def weakened(self) -> bool:
        """Whether it tests less than it did, as far as the diff shows."""
        return bool(self.operation == "delete" or self.assertions_removed or self.tests_removed or self.skips_added)


def changed_tests(diff: str) -> tuple[ChangedTest, ...]:
    """The tests that a unified diff changes, in its order; files that are no tests are left out.

    Raises:
        DecodeError: it is no unified diff.
    """
    try:
        files = list(PatchSet(StringIO(diff)))
    except UnidiffParseError as exc:
        message = f"not a unified diff: {exc}"
        raise DecodeError(message) from exc
    return tuple(_change(file) for file in files if is_test(file.path))


def recorded_tests(record: RunRecord) -> tuple[ChangedTest, ...]:
    """The tests that a run changed, as far as its record alone knows: the deleted are weaker, and no others."""
    return tuple(ChangedTest(path=file.path, operation=file.operation) for file in edited_tests(record))


def told(change: ChangedTest) -> str:
    """What became of a test, in words: ``2 assertions fewer, 1 skip added``."""
    numbers = (
        f"{count(change.assertions_removed, 'assertion')} fewer" if change.assertions_removed else "",
        f"{count(change.tests_removed, 'test')} fewer" if change.tests_removed else "",
        f"{count(change.skips_added, 'skip')} added" if change.skips_added else "",
    )
    return ", ".join([_OPERATIONS.get(change.operation, change.operation), *filter(None, numbers)])


_OPERATIONS: Final = {"create": "created", "edit": "edited", "delete": "deleted", "move": "moved"}


def _change(file: PatchedFile) -> ChangedTest:
    removed = [line.value.rstrip() for hunk in file for line in hunk if line.is_removed]
    added = [line.value.rstrip() for hunk in file for line in hunk if line.is_added]
    known = LANGUAGES.get(file.path.rpartition(".")[2].casefold())
    change = ChangedTest(path=file.path, operation=_operation(file))
    if known is None or change.operation == "create":
        return change
    return _compared(change, known, removed, added)


def _operation(file: PatchedFile) -> str:
    """What became of the file: the header says, since lines put before the first look like those of a new file."""
    header = "".join(file.patch_info or ())
    if file.target_file == _NOTHING or "\ndeleted file mode" in header:
        return "delete"
    if file.source_file == _NOTHING or "\nnew file mode" in header:
        return "create"
    return "move" if file.is_rename else "edit"


_NOTHING: Final = "/dev/null"


def _compared(change: ChangedTest, known: Language, removed: list[str], added: list[str]) -> ChangedTest:
    gone = {name: [line for line in removed if pattern.search(line)] for name, pattern in known._asdict().items()}
    came = {name: [line for line in added if pattern.search(line)] for name, pattern in known._asdict().items()}
    fewer = {name: max(len(gone[name]) - len(came[name]), 0) for name in ("asserts", "begins")}
    skips = max(len(came["skips"]) - len(gone["skips"]), 0)
    signs = itertools.chain(
        (f"+ {line.strip()}" for line in came["skips"] if skips),
        (f"- {line.strip()}" for line in gone["begins"] if fewer["begins"]),
        (f"- {line.strip()}" for line in gone["asserts"] if fewer["asserts"]),
    )
    return msgspec.structs.replace(
        change,
        assertions_removed=fewer["asserts"],
        tests_removed=fewer["begins"],
        skips_added=skips,
        signs=tuple(shortened(sign, LONGEST_SIGN) for sign in itertools.islice(signs, MOST_SIGNS)),
    )
