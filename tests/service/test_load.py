"""A processor under load: rated, beyond what it can take, and with a giant among the runs.

``--load 60`` gives each load a minute. Nothing here is about how fast it is: see ``benchmarks/soak.py``.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import agent_spans
import pytest
from senders import Senders
from soak import Processor

from agent_otel.store.base import RecordQuery
from agent_otel.store.open import open_store
from real.ports import wait_until

SOAK = Path(agent_spans.__file__).with_name("soak.py")
MOST_MIB = 512
"""Memory of all its processes together (G6)."""


@pytest.fixture
def seconds(request):
    """How long a load goes on."""
    return request.config.getoption("--load")


@pytest.fixture
def database(tmp_path):
    """The URL of a database that is not there yet."""
    return f"sqlite:///{tmp_path}/runs.db"


def counted(processor):
    """What the processor says became of the spans it got."""
    _, said = processor.get("/metrics")
    names = ("accepted", "stored", "duplicate", "rejected")
    prefix = "agent_otel_processor_items_{}_total"
    return {
        name: sum(float(line.split()[-1]) for line in said.splitlines() if line.startswith(prefix.format(name)))
        for name in names
    }


def test_what_is_acknowledged_under_load_becomes_records(seconds):
    """The benchmark reconciles what it sent with what is stored, and waits until everything is folded."""
    done = subprocess.run(
        [sys.executable, SOAK, "--json", "--seconds", str(seconds), "--rate", "4000"],
        capture_output=True,
        text=True,
        timeout=300 + 4 * seconds,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout[done.stdout.index("{") :])
    assert figures["spans acknowledged"] > 0
    assert figures["spans/s end to end (all records folded)"] != "did not settle"


def test_overload_is_refused_and_delivered_later(seconds, database):
    """Ten times the senders it has room for: refusals that can be sent again, bounded memory, and nothing lost."""
    processor = Processor(database, "--workers", "1", "--in-flight-mib", "64")
    load = agent_spans.Endless(runs=64, spans=250, batch=16_000)
    numbered = enumerate(itertools.chain.from_iterable(map(load.round, itertools.count())))
    senders = Senders(processor.address, numbered, connections=10)
    weighed: list[float] = []
    senders.start()
    ending = threading.Timer(seconds, senders.finish)
    ending.start()
    wait_until(lambda: weighed.append(sum(processor.rss_mib())) or senders.done, timeout_s=120 + 3 * seconds)
    account = senders.account
    assert set(account.statuses) == {200, 503}
    assert account.broken == 0
    sent = account.acknowledged * load.batch
    with closing(open_store(database)) as store:
        assert store.stats().items == sent
    numbers = counted(processor)
    processor.stop()
    assert numbers == {"accepted": sent, "stored": sent, "duplicate": 0, "rejected": 0}
    assert max(weighed) <= MOST_MIB


def test_a_giant_run_keeps_nobody_waiting(database):
    """Its neighbours' records are there while it still grows; its own says that it was cut."""
    processor = Processor(database, "--workers", "2")
    giant = agent_spans.requests(runs=1, spans=40_000, size=250, batch=4_000)
    others = agent_spans.requests(runs=300, spans=10, size=250, first_run=1)
    senders = Senders(processor.address, enumerate(itertools.chain(giant, others)), connections=1)
    senders.start()
    senders.join()
    with closing(open_store(database)) as store:

        def complete():
            found = store.records(RecordQuery(limit=400))
            return [record.run_id for record in found if record.capture.spans == 10 and not record.capture.truncated]

        wait_until(lambda: len(complete()) == 300, timeout_s=60)
        first = store.record(agent_spans.run_id(0))
        assert first is None or first.capture.truncated
        wait_until(lambda: (record := store.record(agent_spans.run_id(0))) and record.capture.truncated, timeout_s=120)
        assert store.stats().items == 40_000 + 3_000
    numbers = counted(processor)
    processor.stop()
    assert numbers == {"accepted": 43_000, "stored": 43_000, "duplicate": 0, "rejected": 0}
