"""All dashboards, in the order in which Grafana's menu of them has them."""

from __future__ import annotations

from typing import Final

from boards.cost import COST
from boards.dashboard import Dashboard
from boards.evidence import EVIDENCE
from boards.explorer import EXPLORER
from boards.processor import PROCESSOR
from boards.run import RUN
from boards.runs import RUNS
from boards.tools import TOOLS

DASHBOARDS: Final[tuple[Dashboard, ...]] = (EVIDENCE, RUNS, RUN, TOOLS, COST, PROCESSOR, EXPLORER)
