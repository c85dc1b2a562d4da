"""What the C library does with memory that is free again; of glibc, which is on most machines with Linux.

By itself it keeps much of what large requests have taken: it puts what is no larger than something that was free once
among what is small, has a heap for each thread, and gives back the end of a heap alone. Elsewhere nothing is done here.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

MAPPED_BYTES: Final = 1 << 20
"""What is larger has memory of its own, which is gone when it is; a request of everyday size is not."""

KEPT_BYTES: Final = 4 << 20
"""What a heap keeps at its end for what comes next. None at all would cost every request its page faults."""

HEAPS: Final = 2
"""Threads of ours take turns anyway."""

# mallopt(3) has no other names for these than the numbers in malloc.h.
_OPTIONS: Final[Mapping[int, int]] = MappingProxyType({-1: KEPT_BYTES, -3: MAPPED_BYTES, -8: HEAPS})


def keep_little() -> bool:
    """Has this process keep little of what it needs no more; whether that can be had. To be called before threads."""
    library = glibc()
    if library is None:
        return False
    taken = [library.mallopt(option, value) for option, value in _OPTIONS.items()]
    return all(taken)


def give_back() -> None:
    """Gives back to the system what is free, also where something that is needed lies behind it."""
    library = glibc()
    if library is not None:
        library.malloc_trim(0)


@lru_cache(maxsize=1)
def glibc() -> ctypes.CDLL | None:
    """The C library of this process, where it is one that can be told what to keep."""
    library = ctypes.CDLL(None)
    return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None
