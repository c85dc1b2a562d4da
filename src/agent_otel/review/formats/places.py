"""Where in the repository a finding is shown: a file of the record that it refers to."""

from __future__ import annotations

from agent_otel.model.record import Finding, RunRecord


def place(finding: Finding, record: RunRecord) -> str | None:
    """The first file that the finding refers to, as a path inside of the repository; None where there is none.

    A forge opens what it is told to: a path that leaves the repository, or has what no path has, is no place.
    """
    files = {file.path for file in record.changed_files} | {file.path for file in record.files_inspected}
    return next((ref for ref in finding.refs if ref in files and _inside(ref)), None)


def _inside(path: str) -> bool:
    return (
        path.isprintable()
        and path[:1] not in ("", "/", "~")
        and not {"..", ""} & set(path.split("/"))
        and ("\\" not in path and ":" not in path)
    )
