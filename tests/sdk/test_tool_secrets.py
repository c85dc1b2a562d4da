"""Secrets and large values: whatever a tool is given, gives or raises, neither leaves the process."""

import json

import pytest

from agent_otel.model import names
from agent_otel.sdk.tool import tool

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"

# The seven secrets that other SDKs leak; none of them is one.
PLANTED = {
    "anthropic": ("sk-ant-api03-FAKEfakeFAKEfakeFAKEfake-0123456789", "{}"),
    "aws": ("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "aws_secret_access_key = {}"),
    "github": ("ghp_FAKEfakeFAKEfakeFAKEfakeFAKEfake0123", "token: {}"),
    "jwt": (JWT, "curl -H 'Authorization: Bearer {}' https://api.example.com"),
    "url": ("hunter2-not-real", "git clone https://bot:{}@git.example.com/repo.git"),
    "password": ("correct-horse-battery-staple", '{{"password": "{}"}}'),
    "api_key": ("AbCdEf0123456789fakefakefake", '{{"api_key": "{}"}}'),
}
EVIDENCE = ("pytest tests/test_auth.py -q", "FAILED tests/test_password_reset.py")


@pytest.fixture(params=PLANTED)
def planted(request):
    """A secret, and the text it stands in."""
    secret, form = PLANTED[request.param]
    return secret, form.format(secret)


@pytest.fixture(params=["NO_CONTENT", "SPAN_ONLY", "EVENT_ONLY", "SPAN_AND_EVENT"])
def watched(request, record):
    """A recording with one of the content settings."""
    with record(settings={"content": request.param}) as recording:
        yield recording


def test_no_argument_leaks(planted, watched):
    """By position, by keyword, inside of structures, and as a path."""
    secret, text = planted
    tool(lambda *args, **kwargs: None)(text, [text], key={"deep": (text,)})
    tool(lambda path, why: None, reads="path", reason="why")(f"src/{text}", text)
    assert secret not in watched.everything()


def test_no_result_leaks(planted, watched):
    """As text, in a mapping, as bytes, in an object."""
    secret, text = planted
    for result in (text, {"out": text}, text.encode(), [text], type("R", (), {"__repr__": lambda _: text})()):
        tool(lambda value: value)(result)
    assert secret not in watched.everything()


def test_no_exception_leaks(planted, watched):
    """Message, stack trace, status, and what it was raised from."""
    secret, text = planted

    def fail():
        try:
            {}[text]
        except KeyError as error:
            raise LookupError(text) from error

    with pytest.raises(LookupError):
        tool(fail)()
    assert secret not in watched.everything()


def test_a_mapping_is_masked_by_the_names_in_it(watched):
    """``password`` says that any value is one."""
    tool(lambda config: config)({"password": "swordfish-plain", "api_key": "abc-plain-value-000"})
    assert "swordfish-plain" not in watched.everything()


def test_secrets_of_the_environment_are_masked_wherever_they_stand(record):
    """Their values are known, so their form does not matter."""
    with record(settings={"content": "SPAN_AND_EVENT"}, secrets=("plain-looking-value",)) as recording:
        tool(lambda text: text, name="uses plain-looking-value")("it is plain-looking-value, really")
        assert "plain-looking-value" not in recording.everything()
        assert recording.span.attributes[names.REDACTIONS] > 0


def test_evidence_stays(record):
    """Names of tests are no passwords."""
    with record(settings={"content": "SPAN_ONLY"}) as recording:
        for text in EVIDENCE:
            tool(lambda command: command)(text)
        for text in EVIDENCE:
            assert text in recording.everything()


def test_content_is_off_by_default(recording):
    """Neither arguments nor results go anywhere."""
    tool(lambda question: "an answer")("a question")
    assert "question" not in json.dumps(dict(recording.span.attributes))
    assert "an answer" not in recording.everything()


def test_content_goes_onto_the_span_when_asked(record):
    """Arguments by name as JSON, and the result."""
    with record(settings={"content": "SPAN_ONLY"}) as recording:
        tool(lambda path, lines=(1, 2), *, deep=False: {"found": [1, None]})("a.py", deep=True)
        attributes = recording.span.attributes
        assert json.loads(attributes[names.TOOL_CALL_ARGUMENTS]) == {"path": "a.py", "deep": True}
        assert json.loads(attributes[names.TOOL_CALL_RESULT]) == {"found": [1, None]}
        assert recording.span.events == ()


def test_content_goes_into_events_when_asked(record):
    """One event beside the span, which itself stays without content."""
    with record(settings={"content": "EVENT_ONLY"}) as recording:
        tool(lambda path: "text")("a.py")
        (event,) = recording.span.events
        assert event.name == names.TOOL_CONTENT
        assert event.attributes[names.TOOL_CALL_RESULT] == "text"
        assert names.TOOL_CALL_ARGUMENTS not in recording.span.attributes


def test_the_arguments_of_a_failed_call_are_told_too(record):
    """What it was asked explains why it failed."""
    with record(settings={"content": "SPAN_AND_EVENT"}) as recording:
        with pytest.raises(ZeroDivisionError):
            tool(lambda n: 1 / n)(0)
        assert json.loads(recording.span.attributes[names.TOOL_CALL_ARGUMENTS]) == {"n": 0}
        assert [event.name for event in recording.span.events] == ["exception", names.TOOL_CONTENT]


def test_arguments_are_told_as_they_were_given(record):
    """A body that empties its list does not rewrite history."""
    with record(settings={"content": "SPAN_ONLY"}) as recording:
        tool(lambda items: items.clear())([1, 2])
        assert json.loads(recording.span.attributes[names.TOOL_CALL_ARGUMENTS]) == {"items": [1, 2]}


def test_the_instance_is_no_argument(record):
    """``self`` and ``cls`` stay out."""

    class Box:
        @tool
        def method(self, a):
            return a

        @classmethod
        @tool
        def below(cls, a):
            return a

    with record(settings={"content": "SPAN_ONLY"}) as recording:
        Box().method(1)
        Box.method(Box(), 1)
        Box().below(1)
        told = [json.loads(span.attributes[names.TOOL_CALL_ARGUMENTS]) for span in recording.spans]
        assert told[:2] == [{"a": 1}] * 2
        assert told[2]["a"] == 1


@pytest.mark.parametrize("value", ["x" * 10_000_000, ["x" * 1000] * 10_000, b"x" * 10_000_000, {"k": "x" * 10_000_000}])
def test_ten_megabytes_do_not_make_a_span_of_ten_megabytes(value, record):
    """Values are cut, and say how long they were."""
    with record(settings={"content": "SPAN_AND_EVENT"}) as recording:
        tool(lambda value: value)(value)
        assert len(recording.everything()) < 100_000


def test_a_long_exception_is_cut(record):
    """Also its stack trace."""
    with record(metrics=False) as recording:
        with pytest.raises(ValueError, match="x"):
            tool(lambda: int("x" * 200_000))()
        assert len(recording.everything()) < 100_000


def test_odd_values_become_text(record):
    """A circle, odd keys, an object without a repr: something is told, nothing is raised."""
    circle: list = []
    circle.append(circle)

    class Mute:
        def __repr__(self):
            message = "no"
            raise RuntimeError(message)

    with record(settings={"content": "SPAN_AND_EVENT"}) as recording:
        for value in (circle, {(1, 2): "tuple key"}, Mute(), float("nan"), "bad\udc80text", 2**70):
            assert tool(lambda value: value)(value) is value
        assert len(recording.spans) == 6
        assert all(span.attributes[names.TOOL_CALL_RESULT] for span in recording.spans)
