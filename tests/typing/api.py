"""User code that must type-check: decorated tools keep the types they had."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar, overload

from typing_extensions import assert_type

from agent_otel import instrument_threads, tool
from agent_otel.sdk.threads import propagate

T = TypeVar("T")


@tool
def bare(path: str, *, why: str = "") -> int:
    """A function decorated without parentheses."""
    return len(path + why)


@tool()
def empty(path: str) -> int:
    """A function decorated with empty parentheses."""
    return len(path)


@tool(name="read_file", reads="path", reason="why", kind="datastore")
def configured(path: str, why: str = "") -> str:
    """A function decorated with options."""
    return path + why


@tool(writes="path", deletes="old")
async def fetched(path: str, old: str) -> bytes:
    """A coroutine function."""
    return (path + old).encode()


@tool
def counted(limit: int) -> Generator[int, str, bool]:
    """A generator."""
    yield limit
    return True


@tool
async def streamed(limit: int) -> AsyncIterator[int]:
    """An async generator."""
    yield limit


@tool
def first(items: list[T]) -> T:
    """A generic function."""
    return items[0]


@overload
def either(value: int) -> int: ...
@overload
def either(value: str) -> str: ...
@tool
def either(value: int | str) -> int | str:
    """An overloaded function."""
    return value


class Toolbox:
    """Methods."""

    @tool
    def method(self, path: str) -> int:
        """A method."""
        return len(path)

    @tool(reads="path")
    def reading(self, path: str) -> int:
        """A method decorated with options."""
        return len(path)

    @tool
    async def waiting(self, path: str) -> int:
        """A coroutine method."""
        return len(path)

    @classmethod
    @tool
    def below_class(cls, path: str) -> int:
        """Below ``classmethod``."""
        return len(path)

    @staticmethod
    @tool(name="below")
    def below_static(path: str) -> int:
        """Below ``staticmethod``."""
        return len(path)

    @tool
    @staticmethod
    def above_static(path: str) -> int:
        """Above ``staticmethod``."""
        return len(path)

    @tool
    @classmethod
    def above_class(cls, path: str) -> int:
        """Above ``classmethod``."""
        return len(path)


class Greeter:
    """A callable object."""

    greeting = "hello"

    def __call__(self, name: str) -> str:
        """Greets."""
        return f"{self.greeting} {name}"


async def uses() -> None:
    """Every use has the type it would have without a decorator."""
    assert_type(bare("a", why="b"), int)
    assert_type(empty("a"), int)
    assert_type(configured("a"), str)
    pending: Coroutine[Any, Any, bytes] = fetched("a", "b")
    assert_type(await pending, bytes)
    assert_type(counted(1), Generator[int, str, bool])
    async for item in streamed(1):
        assert_type(item, int)
    assert_type(first(["a"]), str)
    assert_type(either(1), int)
    assert_type(either("a"), str)

    box = Toolbox()
    assert_type(box.method("a"), int)
    assert_type(Toolbox.method(box, "a"), int)
    assert_type(box.reading("a"), int)
    assert_type(await box.waiting("a"), int)
    assert_type(Toolbox.below_class("a"), int)
    assert_type(Toolbox.below_static("a"), int)
    assert_type(box.above_static("a"), int)
    assert_type(Toolbox.above_class("a"), int)

    greet = tool(Greeter(), name="greet")
    assert_type(greet, Greeter)
    assert_type(greet("you"), str)
    assert_type(greet.greeting, str)
    partial = tool(functools.partial(bare, "a"), name="bare_a")
    assert_type(partial(why="b"), int)
    length: Callable[[str], int] = tool(lambda text: len(text) + 1)
    assert_type(length("a"), int)


def threads(pool: ThreadPoolExecutor) -> Iterator[int]:
    """Functions bound to a context keep their signature."""
    bound = propagate(bare)
    assert_type(bound("a", why="b"), int)
    with instrument_threads() as undo:
        undo()
    submitted: Future[int] = pool.submit(propagate(bare), "a", why="b")
    yield submitted.result()


def mistakes() -> None:
    """What must not type-check."""
    bare(1)  # type: ignore[arg-type]  # a path is text
    bare("a", reason="b")  # type: ignore[call-arg]  # no such parameter
    configured("a", 1)  # type: ignore[arg-type]  # a reason is text
    tool(reads=1)  # type: ignore[call-overload]  # a parameter's name is text
    tool(nmae="a")  # type: ignore[call-overload]  # no such option
    tool(3)  # type: ignore[call-overload]  # nothing that can be called
