"""Runs the example: ``python examples/coding_agent [--policy fixer] [--workspace DIR] [--json]``.

Exit code 0 where the agent solved its task and every promise holds, else 1.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

if not __package__:  # started as a folder: what is to be found is the package around this file, not its modules
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from agent_otel.cli.main import main as agent_otel_command
from agent_otel.store.locate import find_database
from coding_agent import misbehaving
from coding_agent.agent_run import AgentRun
from coding_agent.policy import CodingAgentPolicy, Policy
from coding_agent.promises import PROMISES, Evidence
from coding_agent.report import AgentRunReport
from coding_agent.telemetry import telemetry
from coding_agent.workspace import EXPECTED, make_workspace

POLICIES: Final[Mapping[str, Callable[[], Policy]]] = {
    "fixer": CodingAgentPolicy,
    "stubborn": misbehaving.Stubborn,
    "talkative": misbehaving.Talkative,
    "rogue": misbehaving.Rogue,
    "inventor": misbehaving.Inventor,
}


def main() -> int:
    """Runs the agent, checks the promises, and says where to look next."""
    options = _options()
    folder = Path(options.workspace or tempfile.mkdtemp(prefix="coding-agent-")).resolve()
    database = find_database(Path.cwd(), os.environ)
    folder.mkdir(parents=True, exist_ok=True)
    workspace = make_workspace(folder / "repo")
    with telemetry(folder / "traces.jsonl", database) as outputs:
        report = AgentRun(workspace, POLICIES[options.policy](), expected=EXPECTED).execute()
        evidence = Evidence.of(report, outputs)
    (folder / "metrics.prom").write_text(evidence.exposition, encoding="utf-8")
    kept = {name: promise(evidence) for name, promise in PROMISES}
    if options.json:
        print(json.dumps(_document(report, kept, folder, database), indent=2))
    else:
        _tell(report, kept)
        _show_record(report, database)
        _point(folder)
    return 0 if report.solved and all(kept.values()) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="coding_agent", description="An observed coding agent repairs a small bug.")
    parser.add_argument("--policy", choices=POLICIES, default="fixer", help="what decides (default: %(default)s)")
    parser.add_argument("--workspace", metavar="DIR", help="where to work (default: a new temporary folder)")
    parser.add_argument("--json", action="store_true", help="print the report for programs")
    return parser.parse_args()


def _document(report: AgentRunReport, kept: Mapping[str, bool], folder: Path, database: Path) -> dict[str, Any]:
    return {
        **asdict(report),
        "status": report.status,
        "promises": dict(kept),
        "workspace": str(folder),
        "database": str(database),
    }


def _tell(report: AgentRunReport, kept: Mapping[str, bool]) -> None:
    for number, step in enumerate(report.steps, start=1):
        print(f"{number:>3}  {step.phase:<10} {step.tool:<22} {step.outcome:<7} {step.tokens:>4} tokens")
    print(f"\n{report.status} after {len(report.steps)} steps", end="")
    print(f", {report.observation_tokens} of {report.observation_budget} observation tokens")
    for line in (*filter(None, [report.halted]), *report.differences):
        print(f"  {line}")
    print()
    for name, holds in kept.items():
        print(f"  {'holds ' if holds else 'BROKEN'}  {name}")


def _show_record(report: AgentRunReport, database: Path) -> None:
    print("\n--- the run record, as `agent-otel show last` prints it\n", flush=True)
    agent_otel_command(["show", report.run_id, "--db", str(database)], standalone_mode=False)


def _point(folder: Path) -> None:
    # From a clone the program is not on PATH; it lies beside the interpreter.
    program = "agent-otel" if shutil.which("agent-otel") else str(Path(sys.executable).parent / "agent-otel")
    print("\n--- where to look next\n")
    for command, why in (
        (f"{program} show last --markdown", "the record for a pull request"),
        (f"{program} runs", "all runs so far"),
        (f"{program} compact {folder / 'traces.jsonl'}", "the same record, from the exported spans"),
        (f"{sys.executable} {Path(__file__).parent} --policy rogue", "an agent that a gate stops"),
        (f"git -C {folder / 'repo'} diff", "the patch"),
        (f"cat {folder / 'metrics.prom'}", "what Prometheus would scrape"),
    ):
        print(f"  {command}\n      {why}")


if __name__ == "__main__":
    sys.exit(main())
