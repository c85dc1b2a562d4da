"""Answers a request to the API."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from http import HTTPStatus
from typing import Final

import msgspec

from agent_otel.service.api import parameters
from agent_otel.service.api.openapi import description
from agent_otel.service.api.problems import Refusal
from agent_otel.service.api.routes import READS, Asked, Route, find, reply_json
from agent_otel.service.exchange import Reply, Request
from agent_otel.store.base import Store

METHODS: Final = ("GET", "HEAD")

HEADERS: Final = {
    # Records tell of somebody's work, and say what strangers wrote: not for shared caches, and never to be guessed at.
    "cache-control": "private, no-cache",
    "x-content-type-options": "nosniff",
}

_TAG: Final = re.compile(r'(?:W/)?("[^"]*")')


def reply(request: Request, store: Store) -> Reply:
    """What to answer.

    Args:
        request: to a path under ``/api/``; whoever asks may.
        store: where the records are; it is only read.

    Raises:
        StoreError: the database cannot be read.
    """
    try:
        found = _conditional(request, _answer(request, store))
    except Refusal as refusal:
        found = refusal.reply()
    return msgspec.structs.replace(found, headers={**HEADERS, **found.headers})


def _answer(request: Request, store: Store) -> Reply:
    found = find(request.path, ROUTES)
    if request.method not in METHODS:
        message = f"{found.route.path} is only read: expected {' or '.join(METHODS)}, got {request.method}"
        raise Refusal(HTTPStatus.METHOD_NOT_ALLOWED, message, headers={"allow": ", ".join(METHODS)})
    values = parameters.values(request.query, found.route.parameters)
    return found.route.answer(Asked(path=found.path, run_id=found.run_id, values=values), store)


def _conditional(request: Request, answered: Reply) -> Reply:
    """The answer with its entity tag, or without its body for whoever has that already (RFC 9110, 13.1.2)."""
    tag = f'"{hashlib.blake2b(answered.body, digest_size=16).hexdigest()}"'
    headers = {**answered.headers, "etag": tag}
    known = request.headers.get("if-none-match", "")
    if known.strip() == "*" or tag in _TAG.findall(known):
        del headers["content-type"]
        return Reply(status=HTTPStatus.NOT_MODIFIED.value, headers=headers)
    return msgspec.structs.replace(answered, headers=headers)


@cache
def _description() -> bytes:
    return msgspec.json.encode(description(ROUTES))


ROUTES: Final = (
    *READS,
    Route(
        path="/api/openapi.json",
        name="describe",
        summary="This description.",
        answers={"type": "object"},
        answer=lambda _asked, _store: reply_json(_description(), {}),
    ),
)
"""All that can be asked."""
