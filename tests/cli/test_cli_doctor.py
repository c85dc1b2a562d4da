"""``agent-otel doctor``: where telemetry goes, and whether it would arrive."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent_otel.store.migrations import STEPS


@pytest.fixture
def listening() -> Iterator[int]:
    """The port of a socket that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def silent() -> int:
    """A port nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def symptoms(result) -> dict[str, tuple[str, str]]:
    """What was found, by name."""
    return {found["name"]: (found["status"], found["value"]) for found in json.loads(result.stdout)["symptoms"]}


def test_nothing_configured_means_the_embedded_store(invoke, tmp_path: Path) -> None:
    """On a fresh machine everything is well, and the database would be made here."""
    result = invoke("doctor", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["ok"] is True
    found = symptoms(result)
    assert found["configure() chooses"] == ("ok", "embedded: no OTLP endpoint is configured")
    assert found["tracer provider"] == ("note", "none is set in this process")
    assert found["database"] == ("ok", f"{tmp_path / '.agent-otel' / 'runs.db'} does not exist yet")
    assert found["content capture"] == ("ok", "NO_CONTENT")
    assert found["git"][0] == "note"
    assert list(tmp_path.iterdir()) == []


def test_text_says_the_same_line_by_line(invoke) -> None:
    """For people: status, name, value."""
    result = invoke("doctor")
    assert result.exit_code == 0
    assert "ok      configure() chooses: embedded: no OTLP endpoint is configured\n" in result.stdout


def test_database_is_described(invoke, database: Path, tmp_path: Path) -> None:
    """Path, schema, runs, and whether it can be written."""
    (tmp_path / ".git").mkdir()
    found = symptoms(invoke("doctor", "--json", "--db", database))
    assert found["database"] == ("ok", f"{database}, schema version {len(STEPS)}")
    assert found["runs"] == ("ok", "3 (3 settled)")
    assert found["database writable"] == ("ok", "yes")
    assert found["git"][0] == "ok"


def test_empty_database_has_no_runs(invoke, tmp_path: Path) -> None:
    """Nought is said plainly."""
    from agent_otel.store.sqlite import SqliteStore  # noqa: PLC0415 - only here

    SqliteStore(tmp_path / "empty.db").close()
    assert symptoms(invoke("doctor", "--json", "--db", "empty.db"))["runs"] == ("ok", "0")


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_endpoint_that_answers_is_well(invoke, listening: int, protocol: str) -> None:
    """Somebody listens where spans would go; credentials in the address are not shown."""
    result = invoke(
        "doctor",
        "--json",
        OTEL_EXPORTER_OTLP_ENDPOINT=f"http://user:canary@127.0.0.1:{listening}/v1?token=canary",
        OTEL_EXPORTER_OTLP_PROTOCOL=protocol,
    )
    assert result.exit_code == 0
    found = symptoms(result)
    assert found["configure() chooses"] == ("ok", "otlp: OTEL_EXPORTER_OTLP_ENDPOINT is set")
    assert found["OTLP endpoint"] == ("ok", f"127.0.0.1:{listening} over {protocol}")
    assert found["OTLP endpoint answers"] == ("ok", "yes")
    assert "canary" not in result.output


def test_endpoint_that_does_not_answer_is_broken(invoke, silent: int) -> None:
    """Exit code 1 where telemetry would be lost."""
    result = invoke("doctor", "--json", OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=f"127.0.0.1:{silent}")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["ok"] is False
    status, value = symptoms(result)["OTLP endpoint answers"]
    assert status == "broken"
    assert value.startswith("no: ")


@pytest.mark.parametrize(
    ("env", "shown"),
    [
        ({"OTEL_TRACES_EXPORTER": "otlp"}, "localhost:4318 over http/protobuf"),
        ({"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "localhost:4317 over grpc"),
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
            "localhost:4317 over grpc",
        ),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost"}, "localhost:80 over http/protobuf"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "https://localhost"}, "localhost:443 over http/protobuf"),
    ],
)
def test_default_ports_are_those_of_the_protocol(invoke, env: dict[str, str], shown: str) -> None:
    """What the exporters would assume is said."""
    assert symptoms(invoke("doctor", "--json", **env))["OTLP endpoint"] == ("ok", shown)


def test_endpoint_that_is_no_address_is_broken(invoke) -> None:
    """A port that is no number is named."""
    result = invoke("doctor", "--json", OTEL_EXPORTER_OTLP_ENDPOINT="http://localhost:port")
    assert result.exit_code == 1
    assert symptoms(result)["OTLP endpoint"][0] == "broken"


def test_disabled_sdk_is_said(invoke) -> None:
    """Nothing is broken, and nothing will be recorded."""
    result = invoke("doctor", "--json", OTEL_SDK_DISABLED="true")
    assert result.exit_code == 0
    assert symptoms(result)["configure() chooses"] == ("note", "disabled: OTEL_SDK_DISABLED is true")


def test_wrong_setting_is_broken(invoke) -> None:
    """A setting the SDK would refuse is found before it does."""
    result = invoke("doctor", "--json", AGENT_OTEL_HEARTBEAT="soon")
    assert result.exit_code == 1
    assert symptoms(result)["settings"] == ("broken", "AGENT_OTEL_HEARTBEAT: expected a number, got 'soon'")


def test_foreign_database_is_broken(invoke, tmp_path: Path) -> None:
    """A file that is no database of ours is not touched."""
    (tmp_path / "notes.db").write_bytes(b"my notes, " * 100)
    result = invoke("doctor", "--json", "--db", "notes.db")
    assert result.exit_code == 1
    assert symptoms(result)["database"][0] == "broken"


def test_missing_git_is_a_note(invoke, tmp_path: Path) -> None:
    """Without git the record lacks base and changes; that breaks nothing."""
    result = invoke("doctor", "--json", PATH=str(tmp_path))
    assert result.exit_code == 0
    assert symptoms(result)["git"][1].startswith("not found")


def test_a_database_is_examined_wherever_it_is(invoke, database: Path, copied: str) -> None:
    """By path, by URL, from the environment; a password is not shown."""
    for where in (str(database), f"sqlite:///{database}"):
        found = symptoms(invoke("doctor", "--db", where, "--json"))
        assert found["database"] == ("ok", f"{database}, schema version {len(STEPS)}")
        assert found["runs"] == ("ok", "3 (3 settled)")
        assert found["database writable"] == ("ok", "yes")
    found = symptoms(invoke("doctor", "--json", AGENT_OTEL_DB=copied.replace("@", ":secret@")))
    assert found["runs"] == ("ok", "3 (3 settled)")
    assert found["database"] == ("ok", copied.replace("@", ":***@"))
    assert "database writable" not in found


def test_a_database_that_cannot_be_is_broken(invoke) -> None:
    """Named like none that is known."""
    result = invoke("doctor", "--db", "mysql://x/y", "--json")
    status, value = symptoms(result)["database"]
    assert (result.exit_code, status) == (1, "broken")
    assert "no database is opened by 'mysql://x/y'" in value
