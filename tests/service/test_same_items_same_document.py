"""The same items make the same documents (design.md §4, G2), by whatever way they came to how many processors."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import agent_spans
import pytest
from deliveries import At, deliver

import agent_otel
from agent_otel.model import names
from agent_otel.model.item import Item
from agent_otel.model.versions import from_builtins
from agent_otel.otlp.documents import document
from agent_otel.otlp.lines import items_from_bytes
from agent_otel.otlp.views import views
from agent_otel.service.evidence import left_by
from agent_otel.service.fold import END_OF_TIME_NS
from agent_otel.store.base import Stats
from agent_otel.store.open import open_store
from agent_otel.testing import record_runs
from dialect_cases import CASES, name_of

CAPTURES = Path(__file__).parents[1] / "data" / "otlp"
COPIES = 3
PATIENCE_S = 60


def agent_runs() -> tuple[Item, ...]:
    """What the SDK sends: a run with everything in it, its sub-agent, one that fails, and one without an end."""

    @agent_otel.tool(reads="path")
    def read_file(path: str) -> str:
        return path

    @agent_otel.tool(writes="path")
    def write_file(path: str) -> None:
        if path == "b.py":
            raise OSError(path)

    with record_runs() as recorded:
        with agent_otel.run("Fix it", agent="fixer", scope=["**"], exclusions=[]) as run:
            for number in range(6):
                read_file(f"src/{number}.py")
            write_file("a.py")
            failed = run.record_command("pytest -q", exit_code=1)
            run.failure(command=failed, error="expected 200, got 403", suspected_cause="the guard")
            run.decision("wait", alternatives={"retry": "hides the race"}, based_on=["ADR-29"])
            with agent_otel.run("Look into it", agent="helper") as part:
                part.step()
                read_file("deep.py")
            passed = run.record_command("pytest -q", exit_code=0)
            run.verification("tests", evidence=passed)
            run.handoff("done", blockers=[], next_action="review")
        with pytest.raises(OSError, match=r"b\.py"), agent_otel.run("Break it", agent="breaker"):
            write_file("b.py")
        unended = agent_otel.run("Never ends", agent="lost")
        unended.__enter__().risk("nobody knows")
        items = recorded.items
        unended.__exit__(None, None, None)
    return items


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Telemetry of our SDK, of a load of runs, and of other agents, in files."""
    folder = tmp_path_factory.mktemp("sources")
    (folder / "sdk.jsonl").write_bytes(document(agent_runs()))
    (folder / "load.pb").write_bytes(b"".join(agent_spans.requests(runs=4, spans=25)))
    for case in CASES:
        for file in case.glob("*.jsonl.gz"):
            (folder / f"{name_of(case).replace('/', '-')}-{file.stem}").write_bytes(gzip.decompress(file.read_bytes()))
    return [*sorted(folder.iterdir()), *sorted(CAPTURES.glob("*.jsonl"))]


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database of each kind."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres_url"))
    return f"sqlite:///{tmp_path / 'runs.db'}"


def output_of(*arguments: str | Path) -> bytes:
    """What the command line prints."""
    command = [sys.executable, "-m", "agent_otel", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout


def until_folded(database: str) -> None:
    """Waits until the processors have folded everything."""
    store = open_store(database)
    ends_s = time.monotonic() + PATIENCE_S
    while store.stats().due or store.due(now_ns=time.time_ns()):
        assert time.monotonic() < ends_s
        threading.Event().wait(0.05)
    store.close()


def answered(processor: str) -> dict[str, int]:
    """What a processor says became of the items that it got, by fate; without those of which there are none."""
    with urllib.request.urlopen(f"{processor}/metrics", timeout=10) as reply:
        told = re.findall(r"^agent_otel_processor_items_(\w+)_total\{.*\} (\S+)$", reply.read().decode(), re.MULTILINE)
    fates: Counter[str] = Counter()
    for fate, number in told:
        fates[fate] += int(float(number))
    return {fate: fates[fate] for fate in ("accepted", "stored", "duplicate", "rejected") if fates[fate]}


def kept(database: str) -> tuple[Stats, list[Item]]:
    """What the store says that it has, and every item that it has."""
    with closing(open_store(database)) as store:
        stats = store.stats()
        store.refold()  # so that it names every group
        return stats, [item for group in store.due(now_ns=END_OF_TIME_NS) for item in store.items(group).items]


def test_same_items_same_documents(serve: Callable, sources: list[Path], database: str) -> None:
    """One item a request, three times each, shuffled, over HTTP and gRPC, to two processors: byte for byte one output.

    It is the one that ``compact`` makes of the same telemetry in files, and the one that the API gives.
    """
    items = [item for source in sources for item in items_from_bytes(source.read_bytes()).items]
    one, other = serve(db=database), serve(db=database)
    ways = deliver(items, [At(one.http, one.grpc), At(other.http, other.grpc)], copies=COPIES)
    assert sum(ways.values()) == COPIES * len(items)
    assert set(ways) == {"protobuf", "json", "over_grpc"}
    until_folded(database)
    expected = output_of("compact", *sources, "--json", "--no-revision")
    assert output_of("export", "--db", database, "--no-revision") == expected
    assert output_of("export", "--url", one.http, "--no-revision") == expected
    counted = Counter(answered(one.http)) + Counter(answered(other.http))
    assert (one.stop(), other.stop()) == (0, 0)
    sent = {item.digest for item in items}
    repeated = COPIES * len(items) - len(sent)
    assert counted == {"accepted": COPIES * len(items), "stored": len(sent), "duplicate": repeated}
    stats, there = kept(database)
    assert len(there) == stats.items == len(sent) + stats.notes
    assert (stats.duplicates, stats.expired) == (repeated, 0)
    noted = [item for item in there if item.digest not in sent]
    assert sent <= {item.digest for item in there}
    # The processors keep a note of each run that left a state of its own, and nothing else.
    assert len(noted) == stats.notes
    assert {view.event_name for view in views(noted)} == {names.RUN_LEFT}
    left = left_by(map(from_builtins, json.loads(expected)), known=lambda _: None)
    assert {item.digest for item in left} <= {item.digest for item in noted}
