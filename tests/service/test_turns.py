"""Turns: so many at a time, and the others wait, but not for long."""

from __future__ import annotations

import asyncio

import pytest

from agent_otel.errors import Overloaded
from agent_otel.service.turns import Turns


def test_so_many_at_a_time_in_the_order_they_came():
    """The third waits until one of the first two is done, however that ends."""

    async def visits() -> None:
        turns, entered = Turns(2, patience_s=60), asyncio.Queue[str]()
        leave = {name: asyncio.Event() for name in "abcd"}

        async def visit(name: str) -> None:
            async with turns:
                entered.put_nowait(name)
                await leave[name].wait()
                raise ZeroDivisionError

        tasks = [asyncio.create_task(visit(name)) for name in leave]
        assert [await entered.get(), await entered.get()] == ["a", "b"]
        assert entered.empty()
        leave["b"].set()
        assert await entered.get() == "c"
        for each in leave.values():
            each.set()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert await entered.get() == "d"

    asyncio.run(asyncio.wait_for(visits(), 20))


def test_who_waits_for_too_long_is_told_to_come_back():
    """The line moves on without them."""

    async def visits() -> None:
        turns = Turns(1, patience_s=0.05)
        async with turns:
            with pytest.raises(Overloaded, match=r"more than 0\.05 s"):
                async with turns:
                    pass
        async with turns:
            pass

    asyncio.run(visits())
