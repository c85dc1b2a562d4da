"""A run that another process opened, as a command inside of it sees it: an id, a trace, a work tree."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from agent_otel.model import names
from agent_otel.sdk.git import Repository
from agent_otel.sdk.plan import Plan
from agent_otel.sdk.process_context import parent_in
from agent_otel.sdk.run import Run


def is_inside(environ: Mapping[str, str]) -> bool:
    """Whether whoever started this process was in a run, or in a trace."""
    return bool(environ.get(names.ENV_RUN)) or parent_in(environ) is not None


class JoinedRun(Run):
    """Records on the run of ``AGENT_OTEL_RUN``, or else in the trace of ``TRACEPARENT``; it neither opens nor ends it.

    What the run is held to only the other process knows.
    """

    def __init__(self) -> None:
        super().__init__(Plan.of(None, agent="", contract=None, options={}))
        self.id = os.environ.get(names.ENV_RUN, "")
        self._repository = Repository.find(Path.cwd())

    def close_tree(self) -> None:
        """Removes what asking git for trees left behind."""
        if self._repository is not None:
            self._repository.close()
