"""JSON requests: as wide as real senders are, and no wider; a bad span costs one span."""

from __future__ import annotations

import json
import math
import re
import tracemalloc

import pytest
from hypothesis import given, strategies as st

from agent_otel.errors import DecodeError, TooLarge
from agent_otel.otlp.limits import Limits
from agent_otel.otlp.mend import MENDED, mend
from agent_otel.otlp.otlp_json import items_from_json
from agent_otel.otlp.received import Rejection
from agent_otel.otlp.steps import Steps
from agent_otel.otlp.views import views

TRACE = "0123456789abcdef0123456789abcdef"
GOOD = {"traceId": TRACE, "spanId": "0123456789abcdef", "name": "n"}


def body(*spans, resource=None):
    """A trace request of these spans."""
    block = {"resource": resource, "scopeSpans": [{"scope": {"name": "s"}, "spans": list(spans)}]}
    return json.dumps({"resourceSpans": [block]}).encode()


def read(*spans, **fields):
    """What the spans say, when none is rejected."""
    received = items_from_json(body(*spans, **fields), "span")
    assert received.rejected == ()
    return views(received.items)


def attribute(value):
    """The value an attribute has after reading."""
    (span,) = read({**GOOD, "attributes": [{"key": "k", "value": value}]})
    return span.attributes["k"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ({"stringValue": "x"}, "x"),
        ({"string_value": "x"}, "x"),
        ({"boolValue": False}, False),
        ({"intValue": "-7"}, -7),
        ({"intValue": 7}, 7),
        ({"intValue": 7.0}, 7),
        ({"intValue": "9223372036854775807"}, 2**63 - 1),
        ({"doubleValue": 1}, 1.0),
        ({"doubleValue": "1.5"}, 1.5),
        ({"doubleValue": "Infinity"}, math.inf),
        ({"doubleValue": "-Infinity"}, -math.inf),
        ({"bytesValue": "AP8="}, b"\x00\xff"),
        ({"bytesValue": "AP8"}, b"\x00\xff"),
        ({"bytesValue": "-_8="}, b"\xfb\xff"),
        ({"arrayValue": {"values": [{"intValue": 1}, {}]}}, (1, None)),
        ({"arrayValue": {}}, ()),
        ({"kvlistValue": {"values": [{"key": "a", "value": {"boolValue": True}}]}}, {"a": True}),
        ({}, None),
        (None, None),
        ({"somethingNew": 1}, None),
    ],
)
def test_values_are_read_in_every_spelling(written, meant):
    """Each kind of value is read as the specification and the senders write it."""
    assert attribute(written) == meant


def test_not_a_number_is_read():
    """NaN comes as a string."""
    assert math.isnan(attribute({"doubleValue": "NaN"}))


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"traceId": "xyz"}, "span: traceId: expected hex digits, got a string"),
        ({"traceId": TRACE[:-1]}, "span: traceId: expected hex digits, got a string"),
        ({"traceId": TRACE[:-2]}, "span whose trace id has 15 bytes, not 16"),
        ({"traceId": ""}, "span whose trace id is missing"),
        ({"traceId": "0" * 32}, "span whose trace id is all zeros"),
        ({"spanId": 5}, "span: spanId: expected a string, got a number"),
        ({"name": ["n"]}, "span: name: expected a string, got an array"),
        ({"kind": "SPAN_KIND_WRONG"}, "span: kind: expected an integer, got a string"),
        ({"kind": 2**40}, "span: a number out of range"),
        ({"startTimeUnixNano": "1.5"}, "span: startTimeUnixNano: expected an integer, got a string"),
        ({"startTimeUnixNano": 1.5}, "span: startTimeUnixNano: expected an integer, got a number"),
        ({"startTimeUnixNano": True}, "span: startTimeUnixNano: expected an integer, got a boolean"),
        ({"startTimeUnixNano": -1}, "span: a number out of range"),
        ({"startTimeUnixNano": 2**64}, "span: a number out of range"),
        ({"attributes": {"k": "v"}}, "span: attributes: expected an array, got an object"),
        ({"attributes": ["k"]}, "span: KeyValue: expected an object, got a string"),
        ({"attributes": [None]}, "span: KeyValue: expected an object, got null"),
        ({"status": 2}, "span: Status: expected an object, got a number"),
        ({"attributes": [{"value": {"boolValue": "true"}}]}, "span: boolValue: expected true or false, got a string"),
        ({"attributes": [{"value": {"bytesValue": "*"}}]}, "span: bytesValue: expected base64, got a string"),
        ({"attributes": [{"value": {"doubleValue": "much"}}]}, "span: doubleValue: expected a number, got a string"),
        ({"attributes": [{"value": {"doubleValue": True}}]}, "span: doubleValue: expected a number, got a boolean"),
        ({"attributes": [{"value": {"doubleValue": 10**400}}]}, "span: doubleValue: expected a number, got a number"),
    ],
)
def test_each_defect_is_named_and_costs_one_span(fields, reason):
    """The reason names the field and what was expected, never the value; the neighbours are kept."""
    received = items_from_json(body(GOOD, {**GOOD, **fields}, GOOD), "span")
    assert received.rejected == (Rejection(reason, 1),)
    assert len(received.items) == 2


@pytest.mark.parametrize("span", [None, 5, "span", []])
def test_a_span_that_is_no_object_is_rejected_alone(span):
    """Whatever stands in the array, its neighbours are kept."""
    received = items_from_json(body(span, GOOD), "span")
    assert sum(rejection.count for rejection in received.rejected) == 1
    assert len(received.items) == 1


def test_numbers_that_no_program_holds_reject_their_span_alone():
    """JSON allows numbers of any size."""
    text = body({**GOOD, "droppedEventsCount": 12345}, GOOD).replace(b"12345", b"1e999")
    received = items_from_json(text, "span")
    assert sum(rejection.count for rejection in received.rejected) == 1
    assert len(received.items) == 1


def test_enums_come_as_numbers_and_as_names():
    """The specification demands numbers; protobuf's own JSON writes names."""
    first, second = read({**GOOD, "kind": 3, "status": {"code": 2}}, {**GOOD, "kind": "SPAN_KIND_CLIENT"})
    assert (first.kind, second.kind, first.status) == (3, 3, 2)


def test_ids_are_hex_of_either_case():
    """Both spellings are the same span."""
    lower, upper = items_from_json(body(GOOD, {**GOOD, "traceId": TRACE.upper()}), "span").items
    assert lower == upper


def test_snake_case_keys_are_read():
    """Some senders keep protobuf's own names, at every level."""
    plain = {
        "resource_spans": [
            {"scope_spans": [{"spans": [{"trace_id": TRACE, "span_id": "0123456789abcdef", "end_time_unix_nano": 5}]}]}
        ],
        "resource_logs": [{"scope_logs": [{"log_records": [{"severity_text": "INFO"}]}]}],
    }
    text = json.dumps(plain).encode()
    assert items_from_json(text, "span").items[0].time_ns == 5
    assert len(items_from_json(text, "log").items) == 1


def test_nulls_are_absent_and_the_last_of_equal_keys_counts():
    """JSON's null stands for the default, at every level."""
    assert items_from_json(b'{"resourceSpans": null}', "span").items == ()
    assert items_from_json(b'{"resourceSpans": [{"scopeSpans": null}]}', "span").items == ()
    assert items_from_json(b'{"resourceSpans": [{"scopeSpans": [{"spans": null}]}]}', "span").items == ()
    text = body({**GOOD, "kind": None}).replace(b'"name": "n"', b'"name": "first", "name": "last"')
    assert views(items_from_json(text, "span").items)[0].name == "last"


def test_logs_without_trace_have_empty_ids():
    """Senders write an empty id where there is none."""
    record = {"traceId": "", "spanId": "", "timeUnixNano": 0, "observedTimeUnixNano": "7", "body": {"stringValue": "b"}}
    text = json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}).encode()
    (log,) = views(items_from_json(text, "log").items)
    assert (log.trace_id, log.time_ns, log.body) == ("", 7, "b")


@pytest.mark.parametrize(
    ("fragment", "mended"),
    [
        (b"half \\ud83d pair", "half \ufffd pair"),
        (b"other half \\ude00", "other half \ufffd"),
        (b"\\ud83d\\ude00 pair", "\U0001f600 pair"),
        (b"\\ud83d\\ud83d\\ude00", "\ufffd\U0001f600"),
        (b"cut \xc3", "cut \ufffd"),
        (b"\\\\ud800 and \xff", "\\ud800 and \ufffd"),
    ],
)
def test_text_that_is_not_unicode_is_mended(fragment, mended):
    """Half a surrogate pair, which JavaScript writes when it cuts text, or a broken byte does not cost the request."""
    text = body(GOOD, {**GOOD, "name": "HERE"}).replace(b"HERE", fragment)
    received = items_from_json(text, "span")
    whole, broken = views(received.items)
    assert broken.name == mended
    assert (whole.repaired, broken.repaired) == (False, "\ufffd" in mended)
    assert received.repaired == int("\ufffd" in mended)


def test_a_replacement_character_that_was_sent_is_no_repair():
    """Only what was broken here counts as mended."""
    text = body({**GOOD, "name": "sent \ufffd"}, {**GOOD, "name": "HERE"}).replace(b"HERE", b"\xff")
    assert [item.repaired for item in items_from_json(text, "span").items] == [False, True]


def test_long_text_is_mended_across_chunks():
    """A character that lies across the border of two chunks is no damage."""
    text = body({**GOOD, "name": "HERE"}).replace(b"HERE", "\u20ac".encode() * 800_000 + b"\xff")
    (span,) = views(items_from_json(text, "span").items)
    assert span.name == "\u20ac" * 800_000 + "\ufffd"


PARTS = [
    rb"\\",
    rb"\n",
    rb"\ud83d",
    rb"\uDE00",
    rb"\u20ac",
    b"ud83d",
    b"n",
    "\u20ac".encode(),
    b"\xff",
    b"\xed\xa0\x80",
]
"""What text is put together from: escapes and letters that look like them, halves of pairs, bytes that are no text."""

ESCAPES = re.compile(rb"(\\[^ux]|\\u[dD][89abAB]..\\u[dD][c-fC-F]..)|\\u[dD][89a-fA-F]..|\\x..", re.DOTALL)


@given(st.lists(st.sampled_from(PARTS), max_size=12))
def test_mending_finds_the_same_as_reading_one_escape_after_the_other(parts):
    """However many backslashes stand before what looks like half a pair."""
    text = b"".join(parts)
    steps = Steps()
    mended = mend(text, steps)
    one_by_one = text.decode("utf-8", "backslashreplace").encode()
    assert mended == ESCAPES.sub(lambda match: match[1] or MENDED, one_by_one)
    assert mend(mended, steps) == mended
    assert steps.taken >= mended.count(MENDED)


WORST = {
    "bytes that are no text": b"\xff" * (3 << 20),
    "what looks like pairs, and a half": b"\\\\ud83d " * 1_100_000 + b"\\ud83d",
}


@pytest.mark.parametrize("worst", WORST)
def test_what_is_nothing_but_broken_is_not_mended(worst):
    """A million characters to mend are the most, whether the body is refused for them or the text of a span."""
    with pytest.raises(TooLarge, match="send fewer at a time"):
        items_from_json(body({**GOOD, "name": "HERE"}).replace(b"HERE", WORST[worst]), "span")


HEAVY = {
    "escapes": (b"\\n" * (2 << 20), 1),
    "escapes, and half a pair": (b"\\n" * (2 << 20) + b"\\ud83d", 1),
    "backslashes, and half a pair": (b"\\\\" * (2 << 20) + b"\\ud83d", 1),
    "far too large": (b"n" * (17 << 20), 0),
}


@pytest.mark.parametrize("heavy", HEAVY)
def test_large_text_takes_a_few_times_its_size_of_memory(heavy):
    """Also where it has to be mended; what can only be too large is not read at all."""
    fragment, kept = HEAVY[heavy]
    text = body({**GOOD, "name": "HERE"}, GOOD).replace(b"HERE", fragment)
    tracemalloc.start()
    try:
        received = items_from_json(text, "span")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(received.items) == 1 + kept
    assert [each.reason for each in received.rejected] == ["span: larger than 16777216 bytes of JSON"] * (1 - kept)
    assert peak < 8 * len(text)


def test_a_mended_resource_marks_its_items():
    """Text that is broken in the resource is broken for all its spans."""
    text = body(GOOD, resource={"attributes": [{"key": "k", "value": {"stringValue": "HERE"}}]}).replace(
        b"HERE", b"\xff"
    )
    received = items_from_json(text, "span")
    assert received.repaired == 1


def test_an_unreadable_resource_rejects_its_own_spans_only():
    """All spans of the resource are counted, with the field to blame."""
    received = items_from_json(body(GOOD, GOOD, resource={"attributes": 5}), "span")
    assert received.rejected == (Rejection("resource or scope: attributes: expected an array, got a number", 2),)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"5",
        b'"text"',
        b"{",
        b'{"resourceSpans": 5}',
        b'{"resourceSpans": [5]}',
        b'{"resourceSpans": [{"scopeSpans": {}}]}',
        b'{"resourceSpans": []} tail',
        b"\xef\xbb\xbf{}",
        b"\xff",
        b'{"x": NaN}',
        b'{"x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
    ids=lambda text: text[:30].decode("latin-1"),
)
def test_what_is_no_request_is_a_decode_error(text):
    """Wrong types above the spans, garbage, and bottomless nesting refuse the body, and nothing else is raised."""
    with pytest.raises(DecodeError):
        items_from_json(text, "span")


def test_a_body_cut_anywhere_is_an_error():
    """JSON has an end: there is no valid shorter request."""
    text = body({**GOOD, "name": "caf\u00e9 \\"}, {**GOOD, "attributes": [{"key": "k", "value": {"doubleValue": 1.5}}]})
    for cut in range(len(text)):
        with pytest.raises(DecodeError):
            items_from_json(text[:cut], "span")


def test_values_nested_too_deeply_reject_their_span_alone():
    """What protobuf refuses as too deep is refused in JSON too."""
    value = {"intValue": 1}
    for _ in range(60):
        value = {"arrayValue": {"values": [value]}}
    deep = {**GOOD, "attributes": [{"key": "k", "value": value}]}
    received = items_from_json(body(deep, GOOD), "span")
    assert received.rejected == (Rejection("span: values nested in more than 100 messages", 1),)
    assert len(received.items) == 1


def test_an_empty_object_is_an_empty_request():
    """Unknown fields are ignored, and so a request may say nothing."""
    assert items_from_json(b'{"newSignal": {"x": [1]}}', "span").items == ()


@pytest.mark.parametrize("limits", [Limits(items=1), Limits(json_values=5), Limits(body_bytes=10)])
def test_a_body_over_a_limit_is_too_large(limits):
    """Items, values and size are bounded."""
    with pytest.raises(TooLarge):
        items_from_json(body(GOOD, GOOD), "span", limits=limits)


@pytest.mark.parametrize("mark", ["[", '{"a":'])
def test_values_inside_of_values_are_counted(mark):
    """A body of brackets or braces has few commas, and is refused all the same."""
    with pytest.raises(TooLarge, match="values"):
        items_from_json(mark.encode() * 2_000_001, "span")


def test_a_million_empty_spans_are_refused():
    """Two bytes a span in JSON, too."""
    text = b'{"resourceSpans":[{"scopeSpans":[{"spans":[' + b",".join([b"{}"] * 1_000_000) + b"]}]}]}"
    with pytest.raises(TooLarge):
        items_from_json(text, "span")
