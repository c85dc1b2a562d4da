"""File tools: which argument names the file, and what is told of it."""

import hashlib
from pathlib import Path

import pytest

from agent_otel.errors import SettingsError
from agent_otel.model import names
from agent_otel.sdk.line_counts import changed_lines
from agent_otel.sdk.run_scope import run
from agent_otel.sdk.tool import tool


@tool(reads="path", reason="why")
def read_file(path, why=""):
    """Reads a file."""
    return Path(path).read_text(encoding="utf-8")


@tool(writes="path")
def write_file(path, content):
    """Writes a file."""
    Path(path).write_text(content, encoding="utf-8")


@tool(deletes="path")
def delete_file(path):
    """Deletes a file."""
    Path(path).unlink()


class Editor:
    """File tools as methods."""

    @tool(reads="path", reason="why")
    def read(self, path="default.py", *, why=""):
        """Reads."""
        return "text"

    @tool(reads="path")
    @classmethod
    def above(cls, path):
        """Reads."""

    @classmethod
    @tool(reads="path")
    def below(cls, path):
        """Reads."""

    @tool(reads="path")
    @staticmethod
    def static(path):
        """Reads."""


def test_a_read_is_told_with_path_reason_and_digest(recording, tmp_path):
    """The span says what it does to which file; the event has what the record needs."""
    path = tmp_path / "guard.ts"
    path.write_text("the 403\n", encoding="utf-8")
    read_file(path, why="the 403 is raised here")
    (event,) = recording.span.events
    assert event.name == names.FILE_READ
    assert event.attributes[names.FILE_PATH] == str(path)
    assert event.attributes[names.FILE_REASON] == "the 403 is raised here"
    assert (
        event.attributes[names.FILE_CONTENT_DIGEST] == f"sha256:{hashlib.sha256(b'the 403' + bytes([10])).hexdigest()}"
    )
    assert names.MISSING_FIELDS not in event.attributes
    attributes = recording.span.attributes
    assert attributes[names.FILE_OPERATION] == "read"
    assert attributes[names.FILE_PATH] == str(path)
    assert attributes[names.FILE_NAME] == "guard.ts"
    assert attributes[names.FILE_EXTENSION] == "ts"
    assert recording.span.name == "execute_tool read_file"


def test_span_event_and_log_record_are_one_event(recording, tmp_path):
    """They carry the same id, so that the processor counts it once."""
    path = tmp_path / "a"
    path.touch()
    read_file(path)
    (log,) = recording.logs
    assert log.log_record.event_name == names.FILE_READ
    assert log.log_record.attributes == dict(recording.span.events[0].attributes)
    assert log.log_record.span_id == recording.span.context.span_id


def test_a_missing_reason_is_named_and_raises_nothing(recording, tmp_path):
    """It becomes a finding of the record."""
    path = tmp_path / "a"
    path.touch()
    read_file(path)
    assert recording.span.events[0].attributes[names.MISSING_FIELDS] == ("reason",)


def test_a_read_that_failed_is_no_read(recording, tmp_path):
    """The span names the file; the event is for reads that succeeded."""
    with pytest.raises(FileNotFoundError):
        read_file(tmp_path / "missing")
    assert [event.name for event in recording.span.events] == ["exception"]
    assert recording.span.attributes[names.FILE_NAME] == "missing"


@pytest.mark.parametrize(
    "call",
    [
        lambda: Editor().read("a.py", why="w"),
        lambda: Editor().read(path="a.py", why="w"),
        lambda: Editor.read(Editor(), "a.py", why="w"),
        lambda: Editor().above("a.py"),
        lambda: Editor.above(path="a.py"),
        lambda: Editor().below("a.py"),
        lambda: Editor.below("a.py"),
        lambda: Editor.static("a.py"),
        lambda: Editor().static(path="a.py"),
        lambda: tool(lambda path: path, reads="path")("a.py"),
        lambda: tool(lambda **kwargs: kwargs, reads="path")(path="a.py"),
        lambda: tool(lambda first, /, path="a.py": path, reads="path")(1),
        lambda: tool(Editor().above.__wrapped__, reads="path")("a.py"),
    ],
)
def test_the_argument_is_found_however_it_is_passed(call, recording):
    """By position, by keyword, by default; with and without an instance in front."""
    call()
    assert recording.span.attributes[names.FILE_PATH] == "a.py"


def test_a_default_is_found(recording):
    """Nothing was passed, and something was read."""
    Editor().read()
    assert recording.span.attributes[names.FILE_PATH] == "default.py"


def test_several_files_are_several_events(recording):
    """No single one of them describes the span."""
    tool(lambda *paths: None, reads="paths")("a.py", "b.py")
    tool(lambda paths: None, reads="paths")(["c.py"])
    first, second = recording.spans
    assert [event.attributes[names.FILE_PATH] for event in first.events] == ["a.py", "b.py"]
    assert names.FILE_PATH not in first.attributes
    assert second.attributes[names.FILE_PATH] == "c.py"


@pytest.mark.parametrize("value", [None, 3, object(), b"a.py"])
def test_what_is_no_path_is_left_out(value, recording):
    """A file descriptor has no name; bytes have one."""
    tool(lambda path: None, reads="path")(value)
    expected = "a.py" if value == b"a.py" else None
    assert recording.span.attributes.get(names.FILE_PATH) == expected


def test_the_span_of_a_call_about_one_file_measures_it(recording, tmp_path):
    """Size, operation, line counts and digest stand on the span, as the conventions have them."""
    path = tmp_path / "a.py"
    write_file(path, "one\ntwo\n")
    write_file(path, "one\n")
    created, edited = (span.attributes for span in recording.spans)
    assert (created[names.FILE_OPERATION], created[names.FILE_SIZE], created[names.FILE_LINES_ADDED]) == (
        "create",
        8,
        2,
    )
    assert (edited[names.FILE_OPERATION], edited[names.FILE_SIZE], edited[names.FILE_LINES_REMOVED]) == ("edit", 4, 1)
    tool(reads="path")(lambda path: path.read_text())(path)
    read = recording.spans[-1].attributes
    assert read[names.FILE_SIZE] == 4
    assert read[names.FILE_CONTENT_DIGEST].startswith("sha256:")


def test_an_unknown_parameter_is_an_error_when_decorating():
    """It names the nearest, or all where none is near."""
    with pytest.raises(SettingsError, match=r"tool\(reads='pth'\).*did you mean 'path'\?"):
        tool(reads="pth")(lambda path, why: None)
    with pytest.raises(SettingsError, match="no such parameter"):
        tool(reason="kwargs", reads="path")(lambda path, **kwargs: None)
    with pytest.raises(SettingsError, match="none that can be seen"):
        tool(max, reads="path")


def test_a_new_file_was_created_and_an_old_one_edited(recording, tmp_path):
    """The operation is what was seen, and so are the line counts."""
    path = tmp_path / "a.py"
    write_file(path, "one\ntwo\n")
    write_file(path, content="one\n2\nthree\n")
    delete_file(path)
    told = [span.events[0].attributes for span in recording.spans]
    assert [event[names.FILE_OPERATION] for event in told] == ["create", "edit", "delete"]
    assert [event[names.FILE_LINES_ADDED] for event in told] == [2, 2, 0]
    assert [event[names.FILE_LINES_REMOVED] for event in told] == [0, 1, 3]
    assert {event[names.FILE_PATH] for event in told} == {str(path)}


def test_an_edit_of_a_large_or_unreadable_file_has_no_line_counts(recording, tmp_path):
    """What cannot be compared is not guessed."""
    path = tmp_path / "large"
    path.write_bytes(b"x\n" * 1_000_000)
    write_file(path, "small\n")
    tool(lambda path: None, writes="path")(str(tmp_path))
    tool(lambda path: None, writes="path")("with\0null")
    for span in recording.spans:
        assert span.events[0].attributes[names.FILE_OPERATION] == "edit"
        assert names.FILE_LINES_ADDED not in span.events[0].attributes


def test_a_change_that_failed_is_no_change(recording, tmp_path):
    """Only the span remains."""
    with pytest.raises(FileNotFoundError):
        write_file(tmp_path / "no" / "such" / "folder", "x")
    assert [event.name for event in recording.span.events] == ["exception"]


def test_a_tool_may_read_and_write_one_file(recording, tmp_path):
    """Both are told; the span is said to edit."""
    path = tmp_path / "a.py"
    path.write_text("old\n", encoding="utf-8")

    @tool(reads="path", writes="path", reason="why")
    def replace(path, why):
        path.write_text("new\n", encoding="utf-8")

    replace(path, "rename")
    assert [event.name for event in recording.span.events] == [names.FILE_READ, names.FILE_CHANGED]
    assert recording.span.attributes[names.FILE_OPERATION] == "edit"


def test_the_files_of_generators_are_told_when_they_end(recording, tmp_path):
    """Also when the consumer has seen enough."""
    path = tmp_path / "lines"
    path.write_text("a\nb\n", encoding="utf-8")

    @tool(reads="path")
    def lines(path):
        with path.open(encoding="utf-8") as file:
            yield from file

    assert next(lines(path)) == "a\n"
    assert [event.name for event in recording.span.events] == [names.FILE_READ]


def test_paths_are_relative_to_the_runs_repository(recording, repo, monkeypatch):
    """The record's paths are those of the diff."""
    monkeypatch.chdir(repo)
    with run("look", agent="reader") as current:
        write_file(repo / "src" / "a.py", "x\n")
        assert current.agent == "reader"
    span = next(span for span in recording.spans if span.name == "execute_tool write_file")
    assert span.attributes[names.FILE_PATH] == "src/a.py"
    assert span.attributes[names.AGENT_NAME] == "reader"
    assert span.attributes[names.RUN_ID] == current.id
    assert span.events[0].attributes[names.FILE_PATH] == "src/a.py"
    assert span.events[0].attributes[names.RUN_ID] == current.id


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("", "", (0, 0)),
        ("", "a\nb\n", (2, 0)),
        ("a\nb\n", "", (0, 2)),
        ("a\nb\nc\n", "a\nx\nc\n", (1, 1)),
        ("a\n", "a\na\n", (1, 0)),
        ("a\nb\na\n", "a\n", (0, 2)),
        ("a\nb\n", "b\na\n", (1, 1)),
        ("a", "a\n", (1, 1)),
        ("a\r\nb", "a\r\nc", (1, 1)),
        ("\0", "a\n", (0, 0)),
        ("x\n" * 1000 + "y\n" * 500, "y\n" * 500 + "x\n" * 900, (0, 100)),
    ],
)
def test_changed_lines_are_counted(before, after, expected):
    """As a diff counts them; in large changes, lines that only moved do not count."""
    assert changed_lines(before.encode(), after.encode()) == expected
