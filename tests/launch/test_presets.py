"""What each agent is told, word for word: this table is the one in the agents' own documentation."""

from __future__ import annotations

import json
from types import MappingProxyType

import pytest

from agent_otel.launch.environment import Instruments, diverted, environment_for, merged
from agent_otel.launch.presets import PRESETS, preset_for

URL = "http://127.0.0.1:54321"

OTEL = {
    "OTEL_TRACES_EXPORTER": "otlp",
    "OTEL_LOGS_EXPORTER": "otlp",
    "OTEL_METRICS_EXPORTER": "otlp",
    "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
    "OTEL_EXPORTER_OTLP_ENDPOINT": URL,
    "OTEL_RESOURCE_ATTRIBUTES": "agent_otel.run.id=r1",
    "OTEL_BSP_SCHEDULE_DELAY": "500",
    "OTEL_BLRP_SCHEDULE_DELAY": "500",
    "OTEL_METRIC_EXPORT_INTERVAL": "2000",
    "OTEL_METRIC_EXPORT_TIMEOUT": "2000",
    "OTEL_LOGS_EXPORT_INTERVAL": "500",
    "OTEL_TRACES_EXPORT_INTERVAL": "500",
    "TRACEPARENT": "00-1",
}
"""What every agent gets."""

GOLDEN = {
    "claude": {"CLAUDE_CODE_ENABLE_TELEMETRY": "1", "CLAUDE_CODE_ENHANCED_TELEMETRY_BETA": "1"},
    "codex": {},
    "gemini": {
        "GEMINI_TELEMETRY_ENABLED": "true",
        "GEMINI_TELEMETRY_TARGET": "local",
        "GEMINI_TELEMETRY_OTLP_ENDPOINT": URL,
        "GEMINI_TELEMETRY_OTLP_PROTOCOL": "http",
        "GEMINI_TELEMETRY_OUTFILE": "",
        "GEMINI_TELEMETRY_LOG_PROMPTS": "false",
    },
    "qwen": {
        "QWEN_TELEMETRY_ENABLED": "true",
        "QWEN_TELEMETRY_TARGET": "local",
        "QWEN_TELEMETRY_OTLP_ENDPOINT": URL,
        "QWEN_TELEMETRY_OTLP_PROTOCOL": "http",
        "QWEN_TELEMETRY_OUTFILE": "",
        "QWEN_TELEMETRY_LOG_PROMPTS": "false",
    },
    "copilot": {"COPILOT_OTEL_ENABLED": "true", "COPILOT_OTEL_EXPORTER_TYPE": "otlp-http"},
    "opencode": {},
    "openhands": {
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{URL}/v1/traces",
        "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf",
    },
    "my-own-agent": {},
}
"""Program to what it gets besides, where no content was asked for."""

CONTENT = {
    "claude": {
        "OTEL_LOG_USER_PROMPTS": "1",
        "OTEL_LOG_ASSISTANT_RESPONSES": "1",
        "OTEL_LOG_TOOL_DETAILS": "1",
        "OTEL_LOG_TOOL_CONTENT": "1",
    },
    "codex": {},
    "gemini": {"GEMINI_TELEMETRY_LOG_PROMPTS": "true", "GEMINI_TELEMETRY_TRACES_ENABLED": "true"},
    "qwen": {"QWEN_TELEMETRY_LOG_PROMPTS": "true", "QWEN_TELEMETRY_INCLUDE_SENSITIVE_SPAN_ATTRIBUTES": "true"},
    "copilot": {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "true"},
    "opencode": {"OPENCODE_CONFIG_CONTENT": '{"experimental": {"openTelemetry": true}}'},
    "openhands": {},
    "my-own-agent": {},
}
"""Program to what is otherwise or besides, where it was."""

CODEX = [
    "-c",
    f'otel.exporter={{otlp-http={{endpoint="{URL}/v1/logs",protocol="binary"}}}}',
    "-c",
    f'otel.trace_exporter={{otlp-http={{endpoint="{URL}/v1/traces",protocol="binary"}}}}',
    "-c",
    f'otel.metrics_exporter={{otlp-http={{endpoint="{URL}/v1/metrics",protocol="binary"}}}}',
]


def told(*, content: bool = False, ours: bool = True) -> Instruments:
    """What a run tells."""
    trace = MappingProxyType({"TRACEPARENT": "00-1"})
    attributes = MappingProxyType({"agent_otel.run.id": "r1"})
    return Instruments(endpoint=URL, ours=ours, content=content, trace=trace, attributes=attributes)


def test_the_table_holds_every_preset():
    """No agent is added without its words being held here."""
    assert {preset_for([program]).name for program in GOLDEN} == {preset.name for preset in PRESETS} | {"my-own-agent"}


def test_every_row_says_where_it_was_looked_up():
    """What an agent calls its switches is its own to change."""
    assert all(preset.source.startswith("https://") for preset in PRESETS)


@pytest.mark.parametrize("program", GOLDEN)
def test_what_an_agent_gets(program):
    """Exactly this, and nothing that shows content."""
    assert environment_for(preset_for([program]), {}, told()) == OTEL | GOLDEN[program]


@pytest.mark.parametrize("program", CONTENT)
def test_what_an_agent_gets_that_may_show_content(program):
    """The switches for content are raised where it was asked for, and only then."""
    found = environment_for(preset_for([program]), {}, told(content=True))
    assert found == OTEL | GOLDEN[program] | CONTENT[program]


@pytest.mark.parametrize("program", CONTENT)
@pytest.mark.parametrize("content", [False, True], ids=["without", "with"])
def test_what_the_user_set_of_content_stays(program, content):
    """A switch for content that the user has set himself is left as it is."""
    switches = {name for name in (*GOLDEN[program], *CONTENT[program]) if name in CONTENT[program]}
    theirs = dict.fromkeys(switches, "theirs")
    found = environment_for(preset_for([program]), theirs, told(content=content))
    assert {name: found[name] for name in switches} == theirs


@pytest.mark.parametrize("program", GOLDEN)
def test_what_is_needed_wins(program):
    """Without an endpoint of ours nothing would arrive."""
    needed = {name: value for name, value in GOLDEN[program].items() if name not in CONTENT[program]}
    found = environment_for(preset_for([program]), dict.fromkeys(needed, "theirs"), told())
    assert {name: found[name] for name in needed} == needed


@pytest.mark.parametrize(
    ("content", "expected"),
    [(False, CODEX), (True, [*CODEX, "-c", "otel.log_user_prompt=true"])],
    ids=["without", "with"],
)
def test_codex_is_told_by_arguments(content, expected):
    """Before the user's own, so that theirs win; its files are not touched."""
    preset = preset_for(["/usr/local/bin/codex"])
    command = ["/usr/local/bin/codex", "exec", "-c", "otel.environment=mine", "fix it"]
    assert preset.argv(command, URL, content=content) == [command[0], *expected, *command[1:]]


@pytest.mark.parametrize("program", [each for each in GOLDEN if each != "codex"])
def test_others_keep_their_arguments(program):
    """What the user wrote is what runs."""
    assert preset_for([program]).argv([program, "-p", "x"], URL, content=True) == [program, "-p", "x"]


@pytest.mark.parametrize(
    ("command", "agent", "name"),
    [
        (["claude"], "", "claude-code"),
        (["/opt/x/bin/claude", "-p", "codex"], "", "claude-code"),
        (["npx", "-y", "@openai/codex@latest", "exec"], "", "codex"),
        (["env", "A=b", "gemini"], "", "gemini-cli"),
        (["npx", "something"], "", "npx"),
        (["grep", "claude"], "", "grep"),
        (["./wrapper"], "claude-code", "claude-code"),
        (["./wrapper"], "claude", "claude-code"),
        (["claude"], "mine", "mine"),
        (["./agent.sh"], "", "agent.sh"),
        (["@"], "", "@"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_an_agent_is_recognised(command, agent, name):
    """By the name of its program, also behind one that runs it, or by what the user says, which comes first."""
    assert preset_for(command, agent).name == name


@pytest.mark.parametrize(
    ("before", "after"),
    [(["npx", "-y", "@openai/codex@latest"], ["exec", "fix it"]), (["codex"], []), (["env", "A=b", "./codex"], ["x"])],
    ids=["package", "alone", "runner"],
)
def test_arguments_stand_behind_the_program(before, after):
    """Whoever runs it is not told what is meant for it."""
    assert preset_for([*before, *after]).argv([*before, *after], URL, content=False) == [*before, *CODEX, *after]


def test_a_wrapper_is_told_nothing():
    """Where the program is not seen, no argument is put anywhere."""
    codex = preset_for(["./wrapper"], "codex")
    assert codex.argv(["./wrapper", "x"], URL, content=True) == ["./wrapper", "x"]
    assert not codex.hears(["./wrapper", "x"])
    assert codex.hears(["npx", "@openai/codex"])
    assert preset_for(["./wrapper"], "claude").hears(["./wrapper", "x"])


@pytest.mark.parametrize(
    ("theirs", "expected"),
    [
        ("", {"experimental": {"openTelemetry": True}}),
        ('{"model": "m"}', {"model": "m", "experimental": {"openTelemetry": True}}),
        ('{"experimental": {"x": 1}}', {"experimental": {"x": 1, "openTelemetry": True}}),
        ('{"experimental": {"openTelemetry": false}}', {"experimental": {"openTelemetry": False}}),
        ('{"experimental": 1}', {"experimental": 1}),
    ],
)
def test_opencode_keeps_the_users_configuration(theirs, expected):
    """What is in the variable stays, and wins."""
    found = environment_for(preset_for(["opencode"]), {"OPENCODE_CONFIG_CONTENT": theirs}, told(content=True))
    assert json.loads(found["OPENCODE_CONFIG_CONTENT"]) == expected


@pytest.mark.parametrize("theirs", ["{ // a comment\n}", "[1]"])
def test_what_cannot_be_merged_stays(theirs):
    """A configuration that is no JSON object is the user's, whatever it is."""
    found = environment_for(preset_for(["opencode"]), {"OPENCODE_CONFIG_CONTENT": theirs}, told(content=True))
    assert found["OPENCODE_CONFIG_CONTENT"] == theirs


@pytest.mark.parametrize(
    ("theirs", "ours", "expected"),
    [
        ("", {"a": "b"}, "a=b"),
        ("team=core", {"a": "b"}, "team=core,a=b"),
        ("a=theirs , x=1", {"a": "ours"}, "a=theirs,x=1"),
        ("agent_otel.run.id=outer,x=1", {"agent_otel.run.id": "inner"}, "x=1,agent_otel.run.id=inner"),
        ("agent_otel%2Erun.id=outer", {"agent_otel.run.id": "inner"}, "agent_otel.run.id=inner"),
        ("", {"a": 'fix/a, b="ü"; 100%'}, "a=fix/a%2C%20b%3D%22%C3%BC%22%3B%20100%25"),
        ("x=1", {"a": ""}, "x=1"),
        (",,", {}, ""),
    ],
)
def test_resource_attributes_are_merged(theirs, ours, expected):
    """The user's stay and come first, but for the run; what W3C baggage does not allow is percent-encoded."""
    assert merged(theirs, ours) == expected


def test_nothing_leads_elsewhere():
    """Endpoints of single signals, tokens and certificates for somebody else do not reach the agent."""
    theirs = {
        "OTEL_SDK_DISABLED": "true",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "https://collector.example",
        "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "https://collector.example/v1/logs",
        "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "grpc",
        "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20theirs",
        "OTEL_EXPORTER_OTLP_CERTIFICATE": "ca.pem",
    }
    assert diverted(theirs)
    assert environment_for(preset_for(["x"]), theirs, told()) == OTEL


@pytest.mark.parametrize("theirs", [{"OTEL_METRIC_EXPORT_INTERVAL": "500"}, {"OTEL_METRIC_EXPORT_TIMEOUT": "9000"}])
def test_intervals_of_the_user_stay(theirs):
    """Interval and time-out of metrics belong together: one of his and one of ours could contradict each other."""
    found = environment_for(preset_for(["x"]), theirs, told())
    assert {name: value for name, value in found.items() if name.startswith("OTEL_METRIC_EXPORT")} == theirs


def test_tokens_go_to_the_endpoint_that_was_chosen():
    """With an endpoint of the user's, so do his tokens and certificates."""
    theirs = {"OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20theirs", "OTEL_BSP_SCHEDULE_DELAY": "50"}
    assert not diverted(theirs)
    assert environment_for(preset_for(["x"]), theirs, told(ours=False)) == OTEL | theirs
