"""Text that PostgreSQL cannot hold is kept all the same, and found again."""

from __future__ import annotations

import json
from contextlib import closing

import msgspec
import psycopg
import pytest
from hypothesis import given, strategies as st

from agent_otel.model.record import Budget, Verification, encode
from agent_otel.store.base import Folded, RecordQuery, cursor
from agent_otel.store.postgres.store import PostgresStore
from agent_otel.store.postgres.texts import LONGEST_INDEXED, indexed, read, stored, stored_json

texts = st.text(st.one_of(st.sampled_from("\x00\x01\x02\\u01"), st.characters(codec="utf-8")))

HOSTILE = [
    "\x00",
    "\x00\x00\x01\x01\x02",
    "a\x00b",
    "\\u0000 \\\\u0000 \x01\\",
    "'; DROP TABLE agent_otel.items; --",
    "%s %(x)s {} $1 \\x00",
    "\u202e\ufeff\U0010ffff\ud7ff\ue000",
    "😀" * 3_000,
    "".join(chr(33 + number * 7 % 90) for number in range(20_000)),
]


@given(texts)
def test_every_text_comes_back(text):
    """Whatever it holds; and no NUL is stored."""
    assert read(stored(text)) == text
    assert "\x00" not in stored(text)


@given(texts, texts)
def test_different_texts_stay_different_and_in_order(one, other):
    """By code point, as lists are ordered."""
    assert (stored(one) < stored(other)) == (one < other)
    assert (indexed(one) == indexed(other)) == (one == other)


@given(st.recursive(texts, lambda inner: st.lists(inner) | st.dictionaries(texts, inner), max_leaves=8))
def test_every_text_of_a_document_is_stored_as_texts_are(document):
    """Escaped backslashes do not mislead it."""

    def expected(value):
        if isinstance(value, dict):
            return {stored(key): expected(inner) for key, inner in value.items()}
        return [expected(inner) for inner in value] if isinstance(value, list) else stored(value)

    assert json.loads(stored_json(msgspec.json.encode(document))) == expected(document)


def test_a_long_text_has_a_short_name_in_an_index():
    """Digits of its own, and not the beginning that others may share."""
    long, longer = "x" * (LONGEST_INDEXED + 1), "x" * (LONGEST_INDEXED + 2)
    assert indexed("x" * LONGEST_INDEXED) == "x" * LONGEST_INDEXED
    assert len(indexed(long)) < 50
    assert indexed(long) != indexed(longer)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_is_kept_and_found(postgres_emptied, clock, item, record, text):
    """In keys and links of items, and in all that a record is found by."""
    made = item(text, f"trace:{text}", "session.id:s")
    found = record(
        text,
        agent=text,
        repository=text,
        rules=("rule",),
        started="2026-05-18T09:12:03.120Z",
        final_status=text,
        budgets={text: Budget(limit=1.5), "b": Budget(limit=1e300)},
        open_risks=(text, ""),
    )
    with closing(PostgresStore(postgres_emptied, clock=clock)) as store:
        assert store.put([made, item("b", f"trace:{text}")]).stored == 2
        (group,) = store.due(now_ns=clock.now_ns)
        assert made in store.items(group).items
        assert store.save([Folded(group=group, sequence=1, records=[found, record("other")])]) == [True]
        assert encode(store.record(text)) == encode(found)
        for query in ({"agent": text}, {"repository": text}, {"after": " other", "earliest_first": True}):
            assert store.records(RecordQuery(**query)) == [found]
        assert store.records(RecordQuery(after=cursor(found))) == [record("other")]
        assert made in store.run_items(text)
        store.mark_emitted([found])
        assert store.unemitted() == [record("other")]


def test_columns_say_what_the_document_says(postgres_emptied, clock, item, record):
    """What dashboards filter and group by; a time that no calendar has is none."""
    checks = (
        Verification(id="v1", check="e2e", outcome="pass", verdict="proved"),
        Verification(id="v2", check="lint", outcome="not_run", verdict="not_run", required=True),
        Verification(id="v3", check="unit", outcome="unknown"),
    )
    made = [
        record(
            "whole",
            agent="fixer",
            repository="app",
            rules=("stale", "no-handoff", "stale"),
            started="2026-05-18T09:12:03.120Z",
            ended="2026-05-18T09:24:17.330Z",
            duration_s=734.21,
            verifications=checks,
            final_status="patch",
            parent_run="parent",
            review_state="failing",
        ),
        record("odd", started="yesterday", ended="2026-05-18T09:24:17"),
    ]
    with closing(PostgresStore(postgres_emptied, clock=clock)) as store:
        store.put([item("a")])
        store.save([Folded(group=store.due(now_ns=clock.now_ns)[0], sequence=1, records=made)])
    with psycopg.connect(postgres_emptied) as connection:
        connection.execute("SET TIME ZONE 'UTC'")
        whole, odd = connection.execute(
            "SELECT run_id, started::text, ended::text, duration_s, agent, repository, review_state, final_status,"
            " parent_run, findings, verdicts, document FROM agent_otel.records ORDER BY run_id DESC"
        )
    assert whole[:-1] == (
        "whole",
        "2026-05-18 09:12:03.12+00",
        "2026-05-18 09:24:17.33+00",
        734.21,
        "fixer",
        "app",
        "failing",
        "patch",
        "parent",
        ["no-handoff", "stale"],
        ["not_run", "proved"],
    )
    assert whole[-1] == json.loads(encode(made[0]))
    assert odd[:4] == ("odd", None, "2026-05-18 09:24:17+00", None)
