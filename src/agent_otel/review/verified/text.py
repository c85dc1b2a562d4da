"""What is left of a run's evidence, for people. Whatever the run or a report says passes ``printable`` here."""

from __future__ import annotations

from collections.abc import Iterator

from agent_otel.review.verified.files import CheckedFile
from agent_otel.review.verified.verify import Verified, VerifiedCheck
from agent_otel.review.verified.weakened import ChangedTest, told
from agent_otel.review.wording import count
from agent_otel.text.terminal import printable, uncommanding

_SHORT = 12


def as_text(verified: Verified) -> str:
    """The verdict first, then each check with its files and tests, then what the run claims; ends in a line feed."""
    return uncommanding("".join(f"{printable(line)}\n" for line in _lines(verified)))


def _lines(verified: Verified) -> Iterator[str]:
    yield f"{verified.run_id}: {'proved' if verified.proved else 'not proved'}"
    yield from (f"  {line}" for line in verified.unproved)
    yield f"tree: {_tree(verified)}"
    for check in verified.checks:
        yield ""
        yield from _check(check)
        yield from _tests(check, known=verified.tests_known)
    stated = [stated for claim in verified.claims for stated in claim.statements]
    if stated:
        yield ""
        yield "its own words"
        yield from (f'  {each.verdict}: "{each.text}": {each.verdict_reason}' for each in stated)


def _tree(verified: Verified) -> str:
    if verified.final_tree is None:
        return "the run did not record the one it left"
    left = verified.final_tree[:_SHORT]
    if not verified.trees:
        return f"the run left {left}; there is no repository to compare it with"
    if verified.final_tree in verified.trees:
        return f"the repository is at the one that the run left, {left}"
    return f"the run left {left}, and the repository is at {verified.trees[0][:_SHORT]}"


def _check(check: VerifiedCheck) -> Iterator[str]:
    marks = ["required"] if check.required else []
    marks += [check.level] if check.level else []
    marks += [f"{_word(check.recorded)} by the record"] if check.recorded != check.verdict else []
    marks += [] if check.counts else ["a later one decides"]
    aside = f" ({', '.join(marks)})" if marks else ""
    yield f"{check.id}  {_word(check.verdict)}  {check.check}{aside}"
    yield from (f"    {reason}" for reason in check.reasons)
    yield from (f"    {_file(file)}" for file in check.files if file.verdict is None)


def _file(file: CheckedFile) -> str:
    return f"{file.path}: {file.state}: {file.reason}"


def _tests(check: VerifiedCheck, *, known: bool) -> Iterator[str]:
    if check.tests:
        yield f"    {count(len(check.tests), 'test file')} changed in the run{'' if known else ' (no diff to read)'}:"
    for change in check.tests:
        yield from (f"      {line}" for line in _change(change))


def _change(change: ChangedTest) -> Iterator[str]:
    yield f"{'weakened  ' if change.weakened else ''}{change.path}: {told(change)}"
    yield from (f"    {sign}" for sign in change.signs)


def _word(verdict: str) -> str:
    return verdict.replace("_", " ")
