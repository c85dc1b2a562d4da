"""Dialects of installed packages: found by entry point, refused by name, and never in the way."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from agent_otel.compaction.dialects.table import DIALECTS, GENERAL, LAST
from agent_otel.compaction.policy import Policy
from agent_otel.model import limits
from agent_otel.otlp.otlp_json import items_from_json
from agent_otel.service import dialects
from agent_otel.service.dialects import GROUP, load
from agent_otel.service.fold import fold

MODULE = """
class Good:
    name, about, scopes = "good", "a test", ("good",)
    def claims(self, item): return item.scope == "good"
    def place(self, item): return None
    def backdrop(self, item): return False
    def read(self, items, forest): raise LookupError("secret words")
class Twin(Good): about = "another of that name"
class Ours(Good): name = "genai"
class Nameless(Good): name = ""
class Untold(Good): about = None
class Scoped(Good): scopes = "good"
class Mute(Good): read = None
class Broken:
    def __init__(self): raise RuntimeError("no database")
"""
REFUSED = {
    "Ours": "the name 'genai' is taken by the dialect of agent-otel",
    "Nameless": "expected its 'name' to be a str, got ''",
    "Untold": "expected its 'about' to be a str, got None",
    "Scoped": "expected its 'scopes' to be a tuple, got 'good'",
    "Mute": "it has no method 'read'",
    "Broken": "RuntimeError: no database",
    "Absent": "AttributeError: module 'some_plugin' has no attribute 'Absent'",
}


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A module with dialects of all kinds."""
    (tmp_path / "some_plugin.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    yield "some_plugin"
    sys.modules.pop("some_plugin", None)


@pytest.fixture
def fresh() -> Iterator[None]:
    """Nothing remembered of what is installed."""
    dialects.installed.cache_clear()
    yield
    dialects.installed.cache_clear()


def entry(name: str) -> EntryPoint:
    """The entry point of one of the classes."""
    return EntryPoint(name.casefold(), f"some_plugin:{name}", GROUP)


def test_a_dialect_is_loaded(plugin: str) -> None:
    """With its name."""
    loaded = load([entry("Good")])
    assert [each.dialect.name for each in loaded.known] == ["good"]
    assert loaded.problems == ()


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_dialect_is_left_out(plugin: str, name: str) -> None:
    """The others are loaded, and the reason is told."""
    loaded = load([entry(name), entry("Good")])
    assert [each.dialect.name for each in loaded.known] == ["good"]
    (problem,) = loaded.problems
    assert problem == (
        f"the dialect '{name.casefold()}' (some_plugin:{name}) of an unknown package is left out: {REFUSED[name]}"
    )


def test_of_two_with_one_name_the_first_counts(plugin: str) -> None:
    """Whatever order they were found in; the reason names both."""
    for found in ([entry("Good"), entry("Twin")], [entry("Twin"), entry("Good")]):
        loaded = load(found)
        assert [each.dialect.about for each in loaded.known] == ["a test"]
        (problem,) = loaded.problems
        assert "'twin'" in problem
        assert "the name 'good' is taken by the dialect of an unknown package" in problem


@pytest.mark.usefixtures("fresh")
def test_without_any_the_table_is_what_it_is() -> None:
    """In this order."""
    assert dialects.for_a_fold() == DIALECTS
    assert [each.dialect for each in dialects.listed().known] == list(DIALECTS)


def install(folder: Path, *names: str) -> None:
    """What an installer leaves of a package with such entry points."""
    info = folder / "some_plugin-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: some-plugin\nVersion: 1.0\n")
    lines = "\n".join(f"{name.casefold()} = some_plugin:{name}" for name in names)
    (info / "entry_points.txt").write_text(f"[{GROUP}]\n{lines}\n")


@pytest.mark.usefixtures("fresh")
def test_a_fold_outlives_a_broken_dialect(plugin: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What cannot be loaded and what fails is logged once, without what telemetry said; there is a record."""
    install(tmp_path, "Good", "Broken")
    span = {"traceId": "a" * 32, "spanId": "b" * 16, "name": "x", "startTimeUnixNano": "1", "endTimeUnixNano": "2"}
    scopes = [{"scope": {"name": "good"}, "spans": [span]}]
    body = f'{{"resourceSpans": [{{"scopeSpans": {scopes}}}]}}'.replace("'", '"').encode()
    items = items_from_json(body, "span").items
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            (record,) = fold(items, now_ns=10, policy=Policy())
    assert record.capture.limits == (limits.DIALECT_FAILED,)
    said = [each.getMessage() for each in caplog.records]
    assert [line.partition(" is left out")[0].partition(" failed")[0] for line in said] == [
        "the dialect 'broken' (some_plugin:Broken) of some-plugin 1.0",
        "the dialect 'good'",
    ]
    assert "LookupError at " in said[1]
    assert "secret words" not in "".join(said)


@pytest.mark.usefixtures("fresh")
def test_others_stand_before_the_general_ones(plugin: str, tmp_path: Path) -> None:
    """A convention would claim what they know better; and it is known whose they are."""
    install(tmp_path, "Good")
    listed = dialects.listed().known
    general = [dialect.name for dialect in (*GENERAL, *LAST)]
    assert [each.dialect.name for each in listed][-1 - len(general) :] == ["good", *general]
    assert {each.dialect.name: each.origin for each in listed}["good"] == "some-plugin 1.0"
