"""The direction of imports (design.md §2), and what the pure folders must not touch."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import agent_otel

PACKAGE = Path(agent_otel.__file__).parent

LEVELS: tuple[frozenset[str], ...] = (
    frozenset({"errors"}),
    frozenset({"settings", "model", "text"}),
    frozenset({"sdk", "otlp", "compaction", "review"}),
    frozenset({"store"}),
    frozenset({"service"}),
    frozenset({"configuration", "launch", "testing"}),
    frozenset({"cli"}),
    frozenset({"__init__", "__main__"}),
)
"""Bottom to top. A module imports from levels below and from its own folder; folders of one level are strangers."""

PURE = frozenset({"model", "text", "otlp", "compaction", "review"})
IMPURE_MODULES = frozenset(
    {"asyncio", "datetime.datetime.now", "logging", "multiprocessing", "os", "random", "secrets", "select"}
    | {"selectors", "shutil", "signal", "socket", "sqlite3", "subprocess", "tempfile", "threading", "time", "uuid"}
)
"""What knows of clocks, sockets, databases, threads, logs, files or chance."""

LAZY: frozenset[tuple[str, str]] = frozenset(
    {
        ("configuration.py", "agent_otel"),
        ("configuration.py", "opentelemetry"),
        ("cli/consume.py", "agent_otel"),
        ("cli/run.py", "agent_otel"),
        ("cli/serve.py", "agent_otel"),
        ("otlp/inflate.py", "zstandard"),
        ("review/report/page.py", "jinja2"),
        ("store/open.py", "agent_otel"),
    }
)
"""Imports inside functions of what is there: it is loaded when it is chosen, since it may need what is absent."""


def modules() -> list[Path]:
    """All modules of the package, by their path in it."""
    return sorted(path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py"))


def level_of(module: Path) -> tuple[str, int]:
    """The first folder (or the module's own name) and its level."""
    name = module.parts[0].removesuffix(".py")
    (level,) = [number for number, names in enumerate(LEVELS) if name in names]
    return name, level


def imports(module: Path) -> Iterator[tuple[str, int, bool]]:
    """Every imported module: dotted name, line, and whether it stands inside a function or class."""
    tree = ast.parse((PACKAGE / module).read_text(encoding="utf-8"))
    top = {id(node) for node in tree.body}
    for block in tree.body:  # "if TYPE_CHECKING:" and "if sys.version_info" are still the top of the module
        if isinstance(block, ast.If):
            top |= {id(node) for node in ast.walk(block)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno, id(node) not in top) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}:{node.lineno}: imports are absolute"
            yield from ((f"{node.module}.{alias.name}", node.lineno, id(node) not in top) for alias in node.names)


@pytest.mark.parametrize("module", modules(), ids=str)
def test_imports_point_one_way(module: Path) -> None:
    """A module knows only what lies below it, and its own folder."""
    own, level = level_of(module)
    for name, line, _ in imports(module):
        parts = name.split(".")
        if parts[0] != "agent_otel" or own == "__init__":
            continue
        other, other_level = level_of(Path(parts[1]))
        assert other == own or other_level < level, f"{module}:{line}: {own} may not import {other}"


@pytest.mark.parametrize("module", [path for path in modules() if path.parts[0] in PURE], ids=str)
def test_pure_folders_touch_nothing(module: Path) -> None:
    """No clock, socket, database, thread or log in the folders that only compute."""
    for name, line, _ in imports(module):
        assert name.split(".")[0] not in IMPURE_MODULES, f"{module}:{line}: {name}"


@pytest.mark.parametrize("module", modules(), ids=str)
def test_imports_stand_at_the_top(module: Path) -> None:
    """An import inside of a function is for what may be absent, or for what ``configure`` has not chosen yet."""
    lazy = {(str(module), name.split(".")[0]) for name, _, inside in imports(module) if inside}
    assert lazy <= LAZY


def test_every_module_says_what_it_knows() -> None:
    """Each module has a docstring."""
    silent = [path for path in modules() if not ast.get_docstring(ast.parse((PACKAGE / path).read_text()))]
    assert silent == []


def test_broad_handlers_stand_in_few_places_and_say_why() -> None:
    """``except Exception`` carries a reason, and bare ``except`` does not occur."""
    for module in modules():
        for number, line in enumerate((PACKAGE / module).read_text().splitlines(), start=1):
            if line.strip().startswith(("except Exception", "except:")):
                assert " - " in line, f"{module}:{number}: say what must survive"


def test_the_sdk_catches_its_own_failures_in_one_place() -> None:
    """Nothing in ``sdk/`` but ``guard.py`` swallows every exception."""
    broad = [
        str(module)
        for module in modules()
        if module.parts[0] == "sdk" and "except Exception" in (PACKAGE / module).read_text()
    ]
    assert broad in ([], ["sdk/guard.py"])


def test_no_merge_was_left_half_done() -> None:
    """A conflict's marks in a docstring break nothing, and so nothing else would find them."""
    marked = re.compile(r"^(?:<{7} |={7}$|>{7} )", re.MULTILINE)
    assert [path.name for path in modules() if marked.search((PACKAGE / path).read_text(encoding="utf-8"))] == []
