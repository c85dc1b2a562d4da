"""How much memory processes have."""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

_PROCESSES: Final = Path("/proc")
_RSS_UNIT: Final = 1 if sys.platform == "darwin" else 1024


def resident(pid: int | None = None) -> int:
    """The bytes of memory that a process has now; 0 where there is no such process.

    Where the system does not tell, it is the most that this process ever had, and 0 for others.
    """
    try:
        # Not ru_maxrss: Linux counts in what the parent had when it started this process.
        pages = int((_PROCESSES / str(pid or os.getpid()) / "statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        own = pid is None and not _PROCESSES.is_dir()
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RSS_UNIT if own else 0
    return pages * resource.getpagesize()


def of_processor(workers: Iterable[int]) -> dict[str, int]:
    """The bytes of this process, which receives, and of those that fold."""
    return {"receiver": resident(), "workers": sum(map(resident, workers))}
