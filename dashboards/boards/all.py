"""All dashboards, in the order in which Grafana's menu of them has them."""

from __future__ import annotations

from typing import Final

from boards.dashboard import Dashboard
from boards.evidence import EVIDENCE
from boards.run import RUN
from boards.runs import RUNS

DASHBOARDS: Final[tuple[Dashboard, ...]] = (EVIDENCE, RUNS, RUN)
