"""A process that folds: claims groups that are due, saves their records, tells its parent, and waits.

It needs nothing but the database: several, on one machine or many, share the work through claims. It ends when its
parent says so, or is gone.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Final, Literal

import msgspec

from agent_otel.compaction.policy import Policy
from agent_otel.errors import AgentOtelError
from agent_otel.service.fold import Outcome, fold_claimed
from agent_otel.service.memory import resident
from agent_otel.service.reading import BOUNDS
from agent_otel.store.base import Claim, Pace, Store
from agent_otel.store.open import open_store

Lane = Literal["small", "any"]
"""Whether a worker leaves large groups to others, so that a giant run never delays its neighbours."""

CLAIMS: Final[dict[Lane, tuple[Claim, ...]]] = {
    "small": (Claim(limit=64, most_items=1_000),),
    # The longest due, whichever it is; then what is quickly done.
    "any": (Claim(limit=1, lease_s=120.0), Claim(limit=64, most_items=1_000)),
}


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How a worker works.

    Args:
        database: URL of the store.
        policy: how to compact.
        pace: how long groups gather items.
        poll_s: how long to wait before looking again, at most.
        most_rss_mib: a worker that grew larger than this makes room for a fresh one, between two turns.
    """

    database: str
    policy: Policy = Policy()
    pace: Pace = Pace(debounce_s=1.0, per_item_s=0.0005, most_items=BOUNDS.items)
    poll_s: float = 0.25
    most_rss_mib: int = 200


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker tells its parent after groups were folded. ``failed`` says which could not be, and why."""

    duration_s: float
    groups: int
    items: int
    records: int
    failed: dict[int, str] = {}


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker tells its parent when the database refused; it goes on trying."""

    error: str


Event = Turn | Trouble


def work(settings: Settings, lane: Lane, parent: Connection) -> None:
    """The whole life of a worker process.

    Args:
        settings: how to work.
        lane: which groups to take.
        parent: events go out; whatever comes in, or its end, ends the worker.
    """
    # Ctrl-C and service managers signal whole groups of processes; when to end is for the parent to say.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    store: Store | None = None
    wait_s = 0.0
    while not _ended(parent, wait_s):
        try:
            store = store or open_store(settings.database)
            busy = turn(store, settings, CLAIMS[lane], tell=parent.send)
            wait_s = 0.0 if busy else _rest(store, settings)
        except AgentOtelError as exc:
            parent.send(Trouble(error=str(exc)))
            wait_s = max(1.0, settings.poll_s)
        except (BrokenPipeError, ConnectionResetError):
            break
        if resident() > settings.most_rss_mib * 2**20:
            break
    if store is not None:
        store.close()


def turn(
    store: Store,
    settings: Settings,
    claims: tuple[Claim, ...],
    *,
    tell: Callable[[Event], object],
    clock: Callable[[], int] = time.time_ns,
) -> bool:
    """Claims and folds once; whether there was anything to do.

    Raises:
        StoreError: the database refused.
    """
    busy = False
    for claim in claims:
        groups = store.claim(claim, now_ns=clock(), pace=settings.pace)
        if groups:
            busy = True
            begun = time.perf_counter()
            outcome = fold_claimed(store, groups, now_ns=clock(), policy=settings.policy)
            tell(_turn(outcome, time.perf_counter() - begun))
    return busy


def _turn(outcome: Outcome, duration_s: float) -> Turn:
    return Turn(
        duration_s=duration_s,
        groups=outcome.saved,
        items=outcome.items,
        records=outcome.records,
        failed={group: repr(exc) for group, exc in outcome.failed.items()},
    )


def _rest(store: Store, settings: Settings) -> float:
    """How long nothing will be due, as far as one can know: others may put items at any time."""
    wake_ns = store.wake_at(pace=settings.pace)
    if wake_ns is None:
        return settings.poll_s
    return min(max(wake_ns - time.time_ns(), 0) / 1e9, settings.poll_s) or 0.01


def _ended(parent: Connection, wait_s: float) -> bool:
    """Whether the parent has spoken or is gone; waits for that for a while."""
    try:
        return parent.poll(wait_s)
    except (EOFError, OSError):
        return True
