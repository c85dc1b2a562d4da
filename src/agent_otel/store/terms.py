"""What a record can be found by beside its columns: its checks, what they are worth, changed files and fingerprints.

A term is a short text. Stores keep the terms of a record in an index, and a query asks for records that have all of its
terms. A check counts with the verdict on its standing: the verification that counts, or none at all.
"""

from __future__ import annotations

import hashlib
from typing import Final

from agent_otel.model.record import RunRecord
from agent_otel.model.versions import decode
from agent_otel.review.standing import standings
from agent_otel.store.base import RecordQuery

LONGEST: Final = 200
"""Characters of a term as it is; of a longer one there is the beginning and a digest, since indexes have limits."""


def terms(record: RunRecord) -> list[str]:
    """The terms of a record, in order, each once."""
    found: set[str] = set()
    for check in standings(record):
        found |= {_term("check", check.check), _term("verdict", check.verdict), _term(check.verdict, check.check)}
    for file in record.changed_files:
        found |= {_term("file", path) for path in (file.path, file.old_path) if path}
    named = [*(each.fingerprint for each in record.failures), *(each.fingerprint for each in record.findings)]
    found |= {_term("fingerprint", fingerprint) for fingerprint in named if fingerprint}
    return sorted(found)


def terms_of_document(document: bytes) -> list[str]:
    """The terms of an encoded record."""
    return terms(decode(document))


def asked(query: RecordQuery) -> list[str]:
    """The terms a query asks for; a check and a verdict are one, since they hold together."""
    found = [_term(kind, value) for kind in ("file", "fingerprint") if (value := getattr(query, kind))]
    if query.check:
        found.append(_term(query.verdict or "check", query.check))
    elif query.verdict:
        found.append(_term("verdict", query.verdict))
    return found


def _term(kind: str, value: str) -> str:
    term = f"{kind}:{value}"
    if len(term) <= LONGEST:
        return term
    return f"{term[:LONGEST]}…{hashlib.sha256(term.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"
