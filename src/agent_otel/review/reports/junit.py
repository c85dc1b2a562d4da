"""JUnit XML, as pytest, jest-junit, gotestsum, Surefire and Gradle write it.

There is no standard. What they share is ``testcase`` elements in ``testsuite`` elements in any depth, with ``failure``,
``error`` or ``skipped`` inside. The cases count; what suites say in their attributes is only held against them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from agent_otel.model.record import Counts
from agent_otel.review.reports.markup import Step, root, steps
from agent_otel.review.reports.report import LONGEST_NAME, MOST_FAILING, Report, digest
from agent_otel.review.wording import shortened

ROOTS: Final = frozenset(["testsuites", "testsuite"])
_WENT_WRONG: Final = {"error": "errors", "failure": "failed"}
_INSIDE: Final = {**_WENT_WRONG, "skipped": "skipped"}
"""What an element inside of a case says of it; the first one counts."""
_STATUS: Final = {
    **dict.fromkeys(("notrun", "disabled", "skipped"), "skipped"),
    **dict.fromkeys(("failed", "fail"), "failed"),
}
"""``status`` of a case, where a tool says with it what others say with an element: googletest, ctest."""
_STATED: Final = {"tests": "tests", "failures": "failed", "errors": "errors"}
"""Attributes of a suite that are held against its cases."""


def claims(data: bytes) -> bool:
    """True for XML whose outermost element is one of test suites."""
    first = root(data)
    return first is not None and first.name in ROOTS


def read(data: bytes) -> Report:
    """The report.

    Raises:
        DecodeError: it is damaged, or no such XML.
    """
    tally = _Tally()
    for step in steps(data):
        tally.take(step)
    return tally.report(data)


class _Tally:
    """The numbers of a report while it is read."""

    def __init__(self) -> None:
        self._found = {"passed": 0, "failed": 0, "skipped": 0, "errors": 0}
        self._stated = dict.fromkeys(_STATED, 0)
        self._names: list[str] = []
        self._times: list[float] = []

    def take(self, step: Step) -> None:
        if not step.ends:
            if step.name == "testsuite" and "testsuite" not in step.above:
                self._state(step.attributes)
        elif step.name == "testcase":
            self._case(step)
        elif step.name == "testsuite" and step.inside & _WENT_WRONG.keys():
            # The suite itself broke: there are no cases of what went wrong.
            self._add("errors", step.attributes.get("name") or "a suite without a name")

    def report(self, data: bytes) -> Report:
        bad = self._found["failed"] + self._found["errors"]
        return Report(
            form="junit",
            sha256=digest(data),
            size=len(data),
            counts=Counts(**self._found),
            failing=tuple(self._names),
            unnamed=bad - len(self._names),
            duration_s=round(math.fsum(self._times), 6) if self._times else None,
            remarks=tuple(self._remarks()),
        )

    def _state(self, suite: Mapping[str, str]) -> None:
        """What an outermost suite says of itself; those inside are in its numbers."""
        for name in _STATED:
            text = suite.get(name, "")
            self._stated[name] += int(text) if text.isascii() and text.isdigit() and len(text) < _DIGITS else 0

    def _case(self, step: Step) -> None:
        case = step.attributes
        said = _STATUS.get(case.get("status", "").casefold(), "passed")
        word = next((word for name, word in _INSIDE.items() if name in step.inside), said)
        name = ".".join(filter(None, (case.get("classname"), case.get("name")))) or "a test without a name"
        self._add(word, name)
        self._times.extend(_seconds(case.get("time", "")))

    def _add(self, word: str, name: str) -> None:
        self._found[word] += 1
        if word in _WENT_WRONG.values() and len(self._names) < MOST_FAILING:
            self._names.append(shortened(name, LONGEST_NAME))

    def _remarks(self) -> list[str]:
        """Where the suites count more than there are cases: a report that was cut by hand looks like that."""
        found = {"tests": sum(self._found.values()), "failures": self._found["failed"], "errors": self._found["errors"]}
        return [
            f"its suites say {name}={said}, its cases are {found[name]}"
            for name, said in self._stated.items()
            if said > found[name]
        ]


_DIGITS: Final = 10


def _seconds(text: str) -> list[float]:
    """The time of a case; Surefire writes thousands with a comma."""
    try:
        seconds = float(text.replace(",", ""))
    except ValueError:
        return []
    return [seconds] if 0 <= seconds < math.inf else []
