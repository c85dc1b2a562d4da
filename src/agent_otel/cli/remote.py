"""Records over the API of a processor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit

import msgspec
import requests
from opentelemetry.sdk import environment_variables as env
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.util import Retry

from agent_otel.cli.records import ALL
from agent_otel.errors import NotFound, SettingsError, StoreError
from agent_otel.model.record import RunRecord
from agent_otel.model.versions import from_builtins
from agent_otel.service.api.cursors import opaque
from agent_otel.service.api.parameters import MOST_RUNS
from agent_otel.store.base import RecordQuery
from agent_otel.store.urls import masked

CONNECT_S: Final = 5.0
READ_S: Final = 60.0
MOST_BYTES: Final = 256 << 20
"""A reply that is larger than this is none of ours: pages end long before."""

_NOT_JSON: Final = "its answer is not JSON"
_ENDLESS: Final = "its answer does not end"
_NO_LIST: Final = "it lists no runs"
_CHUNK: Final = 1 << 16
_DOTS: Final = (".", "..")
# What a busy processor refuses with 503 is asked again after 0, 1, 2 and 4 seconds.
_RETRIES: Final = Retry(
    total=4, connect=0, redirect=0, read=0, other=0, status_forcelist=[503], backoff_factor=0.5, raise_on_status=False,
    respect_retry_after_header=False,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsSettings:
    """Certificates, from the variables by which the exporters of the same machine have them."""

    authority: Path | None = field(
        default=None,
        metadata={"env": env.OTEL_EXPORTER_OTLP_CERTIFICATE, "help": "PEM file with the authority of the processor"},
    )
    certificate: Path | None = field(
        default=None,
        metadata={"env": env.OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE, "help": "PEM file with the client's certificate"},
    )
    key: Path | None = field(
        default=None,
        metadata={"env": env.OTEL_EXPORTER_OTLP_CLIENT_KEY, "help": "PEM file with the key of that"},
    )


NO_TLS: Final = TlsSettings()


class RemoteRecords:
    """The records of the processor at a URL; see ``Records``.

    Args:
        url: where it listens, such as ``http://127.0.0.1:4318``.
        token: shown to it, where it asks for one.
        tls: whom to trust, and what to show.

    Raises:
        SettingsError: the URL is none, or the processor does not let us in.
        StoreError: it cannot be reached, or is no processor of ours.
    """

    def __init__(self, url: str, *, token: str = "", tls: TlsSettings = NO_TLS) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            message = f"expected the URL of a processor, such as http://127.0.0.1:4318, got {masked(url)!r}"
            raise SettingsError(message)
        self._base = url.rstrip("/")
        self._shown = masked(self._base)
        self._token = token
        self._session = requests.Session()
        self._session.auth = _Bearer(token)
        # Given with each request: the session's own comes after REQUESTS_CA_BUNDLE.
        self._verify = str(tls.authority) if tls.authority is not None else True
        if tls.certificate is not None:
            self._session.cert = (str(tls.certificate), str(tls.key)) if tls.key else str(tls.certificate)
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=_RETRIES))

    def record(self, run_id: str) -> RunRecord | None:
        """See ``Records.record``."""
        if run_id in _DOTS:  # HTTP clients, this one too, take them for folders however they are encoded
            return next((record for record in self.records(RecordQuery(limit=ALL)) if record.run_id == run_id), None)
        try:
            return from_builtins(self._get(f"/api/runs/{quote(run_id, safe='')}", {}))
        except NotFound:
            return None

    def records(self, query: RecordQuery) -> Iterator[RunRecord]:
        """See ``Records.records``."""
        asked: dict[str, Any] = {name: value for name in _FILTERS if (value := getattr(query, name))}
        asked["order"] = "earliest" if query.earliest_first else "latest"
        left, after = query.limit, opaque(query.after) if query.after else ""
        while left:
            page = self._get("/api/runs", asked | {"limit": min(left, _PAGE)} | ({"cursor": after} if after else {}))
            found = page.get("runs") if isinstance(page, dict) else None
            if not isinstance(found, list):
                raise self._foreign(_NO_LIST)
            yield from map(from_builtins, found)
            left, after = left - len(found), page.get("next", "")
            if not after:
                return

    def close(self) -> None:
        """Lets go of the connection."""
        self._session.close()

    def _get(self, path: str, query: Mapping[str, Any]) -> Any:
        try:
            with self._session.get(
                self._base + path,
                params=query,
                timeout=(CONNECT_S, READ_S),
                allow_redirects=False,
                stream=True,
                verify=self._verify,
            ) as reply:
                body = self._body(reply)
        except (requests.RequestException, OSError) as exc:  # the second where a certificate cannot be read
            message = f"{self._shown} does not answer: {_reason(exc)}"
            raise StoreError(message) from exc
        if reply.status_code != HTTPStatus.OK:
            raise self._refused(reply, body)
        try:
            return msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError) as exc:
            raise self._foreign(_NOT_JSON) from exc

    def _body(self, reply: requests.Response) -> bytes:
        body = bytearray()
        for chunk in reply.iter_content(_CHUNK):
            body += chunk
            if len(body) > MOST_BYTES:
                raise self._foreign(_ENDLESS)
        return bytes(body)

    def _refused(self, reply: requests.Response, body: bytes) -> Exception:
        if reply.status_code == HTTPStatus.UNAUTHORIZED:
            what = "does not know this token" if self._token else "asks for a token: set AGENT_OTEL_TOKEN"
            return SettingsError(f"{self._shown} {what}")
        if reply.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
            return StoreError(f"{self._shown} is busy or ending: try again later")
        try:
            problem = msgspec.json.decode(body, type=_Problem)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return self._foreign(f"it answers with status {reply.status_code}")
        kind = NotFound if reply.status_code == HTTPStatus.NOT_FOUND else StoreError
        return kind(f"{self._shown}: {problem.detail}")

    def _foreign(self, why: str) -> StoreError:
        return StoreError(f"{self._shown} is not the API of an agent-otel processor: {why}")


class _Problem(msgspec.Struct, frozen=True):
    detail: str


class _Bearer(AuthBase):
    """Shows the token, and keeps requests from showing what stands in ``.netrc`` instead."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _reason(exc: BaseException) -> str:
    """What is at the bottom of it: requests wraps what urllib3 wraps what the system said."""
    seen: list[BaseException] = []
    while exc not in seen:
        seen.append(exc)
        inner = getattr(exc, "reason", None) or exc.__cause__ or exc.__context__
        if not isinstance(inner, BaseException):
            break
        exc = inner
    return getattr(exc, "strerror", None) or str(exc)


_FILTERS: Final = (
    "agent",
    "state",
    "repository",
    "since",
    "until",
    "finding",
    "check",
    "verdict",
    "file",
    "fingerprint",
)
_PAGE: Final = MOST_RUNS
