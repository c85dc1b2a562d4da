"""A diagnosis for people. Whatever a run said passes ``text.terminal.printable`` here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from agent_otel.review.diagnosis.shape import CheckDiagnosis, Diagnosis, PartDiagnosis, Quote
from agent_otel.text.terminal import printable, uncommanding


def as_text(diagnosis: Diagnosis) -> str:
    """The diagnosis for a terminal, ending in a line feed: checks, then parts, with the entries they rest on."""
    lines = [f"{diagnosis.review_state or 'not judged'}  {diagnosis.run_id}"]
    for check in diagnosis.checks:
        lines += ["", *_check(check)]
    if diagnosis.parts:
        lines += ["", "the run as a whole"]
        lines += [f"  {line}" for part in diagnosis.parts for line in _part(part)]
    if not diagnosis.checks and not diagnosis.parts:
        lines += ["", "nothing failed, and nothing that was required is missing"]
    lines += _missing(diagnosis.missing, "")
    lines += ["", *(f"{name}: {meaning}" for name, meaning in diagnosis.limits.items())] if diagnosis.limits else []
    return uncommanding("".join(f"{printable(line)}\n" for line in lines))


def _check(check: CheckDiagnosis) -> Iterator[str]:
    required = " (required)" if check.required else ""
    where = f": {check.part}" if check.part else "" if check.decided else ": not decided"
    yield f"{check.check}{required}, {check.verdict.replace('_', ' ')}{where}"
    yield f"  {check.because}"
    yield from _quotes(check.quotes, "    ")
    yield from _missing(check.missing, "  ")


def _part(part: PartDiagnosis) -> Iterator[str]:
    if not part.signs:
        yield f"{part.part}: {'nothing seen points here' if part.missing else 'nothing points here'}"
    for sign in part.signs:
        if sign.check is not None:
            yield f"{part.part}: {sign.check} (above)"
        else:
            yield f"{part.part}: {sign.because}"
            yield from _quotes(sign.quotes, "  ")
    yield from _missing(part.missing, "  ")


def _quotes(quotes: Iterable[Quote], indent: str) -> Iterator[str]:
    return (f"{indent}{quote.ref}  {quote.text}" for quote in quotes)


def _missing(missing: Iterable[str], indent: str) -> Iterator[str]:
    told = "; ".join(missing)
    if told:
        yield f"{indent}missing: {told}"
