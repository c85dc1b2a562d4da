"""The read API as a function: what it lists, how it goes on, what it refuses, and what it says of itself."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from urllib.parse import quote

import psycopg
import pytest
from hypothesis import given, strategies as st
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from agent_otel.model.item import Item
from agent_otel.model.record import Agent, Base, ChangedFile, Check, Finding, RunRecord, Task, encode
from agent_otel.otlp.lines import items_from_line
from agent_otel.service.api import routes
from agent_otel.service.api.pages import page_of_records
from agent_otel.service.api.parameters import moment
from agent_otel.service.api.reply import ROUTES, reply
from agent_otel.service.exchange import Reply, Request
from agent_otel.store.base import Folded, RecordQuery, Store
from agent_otel.store.open import open_store
from agent_otel.store.sqlite import SqliteStore
from real.postgres import PostgresServer

STARTED = "2026-05-1{}T09:00:00.000Z"
ODD_IDS = [
    "a/b",
    "a/../b",
    "..",
    "a b",
    "50%",
    "%2F",
    "__proto__",
    "läuft 🏃",
    "a\x00b",
    "a?b#c",
    "items",
    "x/items",
    '<script>alert("1")</script>',
    "\u202e",
    "a;b=c&d",
    "+",
    "\n",
]


def made(run_id: str, **fields: object) -> RunRecord:
    """A record with this and what every record has."""
    return RunRecord(**{"run_id": run_id, "lifecycle": "settled", "outcome": "ended", **fields})  # type: ignore[arg-type]


def keep(store: Store, *records: RunRecord) -> None:
    """Has each record in the store, folded from an item of its own."""
    for number, record in enumerate(records):
        digest = hashlib.blake2b(encode(record), digest_size=16).digest()
        store.put(
            [
                Item(
                    signal="span", key=f"{number}/1", digest=digest, links=(f"trace:{number}",), time_ns=number,
                    resource=b"", scope=b"", raw=bytes([10, 16, *digest]),
                )
            ]
        )  # fmt: skip
        for group in store.due(now_ns=1 << 61):
            taken = store.items(group)
            assert store.save([Folded(group=group, sequence=taken.sequence, records=[record])]) == [True]


@pytest.fixture(scope="module")
def database(postgres: PostgresServer) -> Iterator[str]:
    """An empty PostgreSQL database."""
    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE test_api")
        yield postgres.url("test_api")
        connection.execute("DROP DATABASE test_api WITH (FORCE)")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """Four runs that differ, and some with odd ids."""
    opened: Store = SqliteStore(None) if request.param == "sqlite" else open_store(request.getfixturevalue("database"))
    keep(
        opened,
        made(
            "r1",
            agent=Agent(name="fixer"),
            base=Base(repository="app"),
            started=STARTED.format(1),
            review_state="done",
            task=Task(required_checks=(Check(name="unit"),)),
        ),
        made(
            "r2",
            agent=Agent(name="fixer"),
            started=STARTED.format(2),
            review_state="failing",
            changed_files=(ChangedFile(path="src/a.py", operation="edit"),),
        ),
        made(
            "r3",
            agent=Agent(name="ä b"),
            base=Base(repository="app"),
            started=STARTED.format(3),
            lifecycle="open",
            findings=(Finding(rule="no-handoff", severity="error", message="none"),),
        ),
        made("r0"),
        *(made(run_id, base=Base(repository="odd"), started="2020-01-01T00:00:00.000Z") for run_id in ODD_IDS),
    )
    yield opened
    opened.close()


def get(store: Store, target: str, method: str = "GET", **headers: str) -> Reply:
    """What is answered to a request target, as it stands in a request line."""
    path, _, query = target.partition("?")
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return reply(Request(method=method, path=path, query=query, headers=named), store)


def test_a_status_is_a_number_whatever_the_python(store):
    """Before Python 3.11, members of ``HTTPStatus`` have another text."""
    for target in ("/api/runs", "/api/runs/zzz", "/api/runs?x=1"):
        assert type(get(store, target).status) is int
    assert type(get(store, "/api/runs", if_none_match="*").status) is int


def ids(answered: Reply) -> list[str]:
    """The run ids of a list."""
    assert answered.status == 200, answered
    return [record["run_id"] for record in json.loads(answered.body)["runs"]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("limit=3", ["r3", "r2", "r1"]),
        ("agent=fixer", ["r2", "r1"]),
        ("agent=%C3%A4+b", ["r3"]),
        ("agent=", [..., "r0"]),
        ("state=done", ["r1"]),
        ("state=missing%20required%20evidence", []),
        ("state=open", ["r3"]),
        ("repository=app", ["r3", "r1"]),
        ("since=2026-05-12T09:00:00Z", ["r3", "r2"]),
        ("since=2026-05-12t11:00:00.0%2B02:00", ["r3", "r2"]),
        ("since=2026-05-12T09:00:00.0010009Z", ["r3"]),
        ("until=2026-05-12T09:00:00Z&since=2026-05-01T00:00:00Z", ["r1"]),
        ("finding=no-handoff", ["r3"]),
        ("finding=no-handoff&agent=fixer", []),
        ("check=unit", ["r1"]),
        ("check=unit&verdict=not_run", ["r1"]),
        ("check=unit&verdict=proved", []),
        ("verdict=not_run", ["r1"]),
        ("file=src%2Fa.py", ["r2"]),
        ("fingerprint=command%3Amake%3A.%3Aab", []),
        ("order=earliest&limit=1", ["r0"]),
    ],
)
def test_filters_narrow_the_list(store, query, found):
    """The latest first, or the earliest; conditions hold together."""
    listed = ids(get(store, f"/api/runs?{query}"))
    assert listed[-1:] == found[1:] if found[:1] == [...] else listed == found


@pytest.mark.parametrize("order", ["latest", "earliest"])
@pytest.mark.parametrize("limit", [1, 2, 3, 200])
def test_a_list_goes_on_where_it_ended(store, limit, order):
    """Following ``next``, or the link, shows every run once; the last page has neither."""
    whole = ids(get(store, f"/api/runs?limit=200&order={order}"))
    assert len(whole) == 4 + len(ODD_IDS)
    target, by_link, by_cursor = f"/api/runs?limit={limit}&order={order}", [], []
    for _ in whole:
        answered = get(store, target)
        body = json.loads(answered.body)
        by_link += ids(answered)
        link = re.fullmatch(r'<(/api/runs\?[^>]+)>; rel="next"', answered.headers.get("link", ""))
        assert (link is None) == ("next" not in body)
        if link is None:
            break
        by_cursor += ids(get(store, f"/api/runs?limit={limit}&order={order}&cursor={quote(body['next'])}"))
        target = link[1]
    assert by_link == whole
    assert by_cursor == whole[limit:]


def test_a_page_ends_when_it_is_large(store):
    """However large the records, at least one of them is on each page."""
    query, seen = RecordQuery(limit=200), []
    for _ in range(100):
        page = page_of_records(store, query, most_bytes=1)
        assert len(page.documents) == 1
        seen += [json.loads(bytes(document))["run_id"] for document in page.documents]
        if not page.next:
            break
        after = base64.urlsafe_b64decode(page.next + "==").decode()
        query = RecordQuery(limit=200, after=after)
    assert seen == ids(get(store, "/api/runs?limit=200"))


@pytest.mark.parametrize("run_id", [*ODD_IDS, "r1"])
def test_a_run_is_found_whatever_its_id(store, run_id):
    """Percent-encoded as one segment, an id may hold anything."""
    answered = get(store, f"/api/runs/{quote(run_id, safe='')}")
    assert answered.body == encode(store.record(run_id))
    assert json.loads(answered.body)["run_id"] == run_id
    assert answered.headers["content-type"] == "application/json"
    assert get(store, f"/api/runs/{quote(run_id, safe='')}/items").status == 200


def test_every_reply_is_for_the_one_who_asked(store):
    """No shared cache keeps it, and no browser makes anything of it but JSON."""
    for target in ("/api/runs", "/api/runs/r1", "/api/runs/zzz", "/api/openapi.json", "/api/runs?x=1", "/nowhere"):
        headers = get(store, target).headers
        assert headers["cache-control"] == "private, no-cache"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-type"] in ("application/json", "application/problem+json")


@pytest.mark.parametrize("target", ["/api/runs", "/api/runs/r1", "/api/runs/r1/items", "/api/openapi.json"])
def test_what_is_known_already_is_not_sent_again(store, target):
    """The entity tag changes with the content, and is compared as HTTP wants it."""
    whole = get(store, target)
    tag = whole.headers["etag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        answered = get(store, target, if_none_match=known)
        assert (answered.status, answered.body, answered.headers["etag"]) == (304, b"", tag)
    for other in ('"other"', tag.strip('"'), ""):
        assert get(store, target, if_none_match=other) == whole


def test_the_entity_tag_changes_with_the_revision():
    """A client that has revision 1 gets revision 2."""
    store = SqliteStore(None)
    keep(store, made("r1"))
    tag = get(store, "/api/runs/r1").headers["etag"]
    keep(store, made("r1", outcome="failed"))
    answered = get(store, "/api/runs/r1", if_none_match=tag)
    assert (answered.status, json.loads(answered.body)["revision"]) == (200, 2)
    store.close()


@pytest.mark.parametrize(
    ("target", "detail"),
    [
        ("/api/runs?agnet=x", "unknown parameter 'agnet': did you mean 'agent'?"),
        ("/api/runs?agent=a&agent=b", "agent was given more than once"),
        ("/api/runs?state=perfect", "state: expected one of done, missing required evidence"),
        ("/api/runs?finding=perfect", "finding: expected one of missing-required-check"),
        ("/api/runs?verdict=good", "verdict: expected one of proved, stale, contradicted, failed"),
        ("/api/runs?order=newest", "order: expected one of latest, earliest, got 'newest'"),
        ("/api/runs?limit=0", "limit: expected a whole number from 1 to 200, got '0'"),
        ("/api/runs?limit=201", "limit: expected a whole number from 1 to 200"),
        ("/api/runs?limit=-1", "limit: expected"),
        ("/api/runs?limit=1e2", "limit: expected"),
        ("/api/runs?limit=", "limit: expected"),
        ("/api/runs?limit=%D9%A3", "limit: expected"),
        (f"/api/runs?limit={'9' * 5000}", "limit: expected"),
        ("/api/runs?since=yesterday", "since: expected an RFC 3339 time such as 2026-05-18T09:12:03Z"),
        ("/api/runs?since=2026-05-18", "since: expected"),
        ("/api/runs?since=2026-05-18T09:12:03+02:00", "(a plus sign is written %2B), got '2026-05-18T09:12:03 02:00'"),
        ("/api/runs?since=2026-02-30T00:00:00Z", "since: expected"),
        ("/api/runs?until=0001-01-01T00:00:00%2B02:00", "until: expected"),
        ("/api/runs?cursor=", "cursor: expected a cursor that a page gave, got ''"),
        ("/api/runs?cursor=abc", "cursor: expected"),
        ("/api/runs?cursor=%C3%A4", "cursor: expected"),
        ("/api/runs?agent=%FF", "expected parameters in UTF-8, percent-encoded"),
        ("/api/runs?agent=\xe4", "expected parameters in UTF-8, percent-encoded"),
        ("/api/runs?" + "a=1&" * 60, "expected at most 50 parameters"),
        ("/api/runs/r1?x=1", "unknown parameter 'x': none is known"),
        ("/api/runs/r1/items?limit=1001", "limit: expected a whole number from 1 to 1000"),
        ("/api/runs/r1/items?cursor=MTIz", "cursor: expected"),
        ("/api/runs/%FF", "expected a run id in UTF-8, percent-encoded"),
    ],
)
def test_what_was_asked_wrongly_is_told(store, target, detail):
    """A problem (RFC 9457) says what was expected and what came."""
    answered = get(store, target)
    problem = json.loads(answered.body)
    assert (answered.status, answered.headers["content-type"]) == (400, "application/problem+json")
    assert detail in problem.pop("detail")
    assert problem == {"type": "about:blank", "title": "Bad Request", "status": 400}


@pytest.mark.parametrize(
    ("target", "detail"),
    [
        ("/api/runs/zzz", "no run 'zzz'"),
        ("/api/runs/zzz/items", "no run 'zzz'"),
        ("/api/runs/", "nothing is at '/api/runs/'; there is /api/runs, /api/runs/{run_id}"),
        ("/api/runs//items", "nothing is at"),
        ("/api//runs", "nothing is at"),
        ("/api/runs/r1/", "nothing is at"),
        ("/api/runs/r1/items/", "nothing is at"),
        ("/api/", "nothing is at"),
        ("/api/Runs", "nothing is at"),
        ("/api%2Fruns", "nothing is at"),
    ],
)
def test_what_is_not_there_is_told(store, target, detail):
    """Neither a slash more nor one less is guessed away."""
    answered = get(store, target)
    assert answered.status == 404
    assert detail in json.loads(answered.body)["detail"]


def test_a_message_does_not_repeat_everything(store):
    """What came is told within bounds."""
    for target in (f"/api/runs/{'x' * 100_000}", f"/{'x' * 100_000}"):
        assert len(get(store, target).body) < 1000


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_it_is_only_read(store, method):
    """Nothing can be changed through it."""
    answered = get(store, "/api/runs/r1", method)
    assert (answered.status, answered.headers["allow"]) == (405, "GET, HEAD")


def test_head_is_answered_like_get(store):
    """The server leaves the body out."""
    for target in ("/api/runs", "/api/runs/r1", "/api/runs/zzz", "/api/runs?x=1"):
        assert get(store, target, "HEAD") == get(store, target)


def test_items_are_listed_page_by_page(monkeypatch):
    """Following the link shows every item once, however few or large they are on a page; expired ones are gone."""
    store = SqliteStore(None)
    items = [
        Item(
            signal="span", key=f"1/{number}", digest=bytes([number]) * 16, links=("trace:1",), time_ns=number // 2,
            resource=b"", scope=b"", raw=Span(trace_id=b"1" * 16, span_id=bytes([number]) * 8).SerializeToString(),
        )
        for number in range(1, 6)
    ]  # fmt: skip
    store.put(items)
    (group,) = store.due(now_ns=1 << 61)
    store.save([Folded(group=group, sequence=store.items(group).sequence, records=[made("a/b")])])
    for page_bytes, limit, sizes in ((1 << 20, 2, [2, 2, 1]), (1 << 20, 5, [5]), (1, 3, [1, 1, 1, 1, 1, 0])):
        monkeypatch.setattr(routes, "PAGE_BYTES", page_bytes)
        target, seen = f"/api/runs/a%2Fb/items?limit={limit}", []
        while target:
            answered = get(store, target)
            seen.append([item.raw for item in items_from_line(answered.body).items])
            link = re.fullmatch(r'<(/api/runs/a%2Fb/items\?[^>]+)>; rel="next"', answered.headers.get("link", ""))
            target = link[1] if link else ""
        assert [len(page) for page in seen] == sizes
        assert [raw for page in seen for raw in page] == [item.raw for item in items]
    assert store.expire(before_ns=1 << 62) == 5
    answered = get(store, "/api/runs/a%2Fb/items")
    assert (answered.status, items_from_line(answered.body).items) == (200, ())
    store.close()


# -- its description --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def described(store) -> dict:
    """The description, as clients get it."""
    return json.loads(get(store, "/api/openapi.json").body)


def test_the_description_is_openapi(described):
    """A validator of OpenAPI 3.1 finds nothing."""
    validate(described)
    assert described["openapi"].startswith("3.1")


def test_everything_that_can_be_asked_is_described(described):
    """Each route with each of its parameters."""
    assert set(described["paths"]) == {route.path for route in ROUTES}
    for route in ROUTES:
        told = [each["name"] for each in described["paths"][route.path]["get"]["parameters"] if each["in"] == "query"]
        assert told == [parameter.name for parameter in route.parameters]


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/api/runs", "/api/runs"),
        ("/api/runs", "/api/runs?limit=1"),
        ("/api/runs", "/api/runs?limit=no"),
        ("/api/runs/{run_id}", "/api/runs/r3"),
        ("/api/runs/{run_id}", "/api/runs/zzz"),
        ("/api/runs/{run_id}/items", "/api/runs/r3/items"),
        ("/api/runs/{run_id}/items", "/api/runs/r3/items?limit=no"),
        ("/api/openapi.json", "/api/openapi.json"),
    ],
)
def test_replies_are_as_described(store, described, path, target):
    """Status, content type, headers, and the body by its schema."""
    answered = get(store, target)
    told = described["paths"][path]["get"]["responses"][str(answered.status)]
    schema = told["content"][answered.headers["content-type"]]["schema"]
    Draft202012Validator({**schema, "components": described["components"]}).validate(json.loads(answered.body))
    assert {"etag"} & set(answered.headers) == {name.lower() for name in told.get("headers", {})} - {"link"}


# -- whatever is asked ------------------------------------------------------------------------------------------------

parts = st.text(max_size=20) | st.sampled_from(["runs", "items", "openapi.json", "r1", "..", ""])
names = st.sampled_from(["agent", "state", "since", "until", "cursor", "limit", "order", "finding"]) | st.text(
    max_size=5
)


@given(st.lists(parts, max_size=4), st.lists(st.tuples(names, st.text(max_size=30)), max_size=4), st.booleans())
def test_whatever_is_asked_is_answered(store, segments, pairs, encoded):
    """Found, or refused with a reason; never a failure of the program."""
    write = quote if encoded else str
    path = "/api/" + "/".join(write(segment) for segment in segments)
    query = "&".join(f"{write(name)}={write(value)}" for name, value in pairs)
    answered = reply(Request(method="GET", path=path, query=query), store)
    assert answered.status in (200, 400, 404)
    assert json.loads(answered.body)


@given(st.text())
def test_any_text_as_a_cursor_is_answered(store, text):
    """A cursor that was made up is refused, or lists what comes after it."""
    for form in (text, base64.urlsafe_b64encode(text.encode()).decode()):
        for path in ("/api/runs", "/api/runs/r1/items"):
            answered = reply(Request(method="GET", path=path, query=f"cursor={quote(form)}"), store)
            assert answered.status in (200, 400)


@given(st.datetimes().map(lambda when: when.isoformat() + "Z"))
def test_times_are_as_records_have_them(text):
    """In UTC with milliseconds, whatever was given."""
    assert moment(text) == text[:19] + "." + f"{text[20:-1]:0<3}"[:3] + "Z"
