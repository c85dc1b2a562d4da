"""Sends a request of log events by OTLP/HTTP, and is content with nothing but that it was taken."""

from __future__ import annotations

import os
from http import HTTPStatus
from typing import Final

import requests
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from agent_otel import settings
from agent_otel.cli.remote import CONNECT_S, READ_S, TlsSettings
from agent_otel.errors import SettingsError, StoreError
from agent_otel.store.urls import masked, scheme

_PATH: Final = "/v1/logs"
# By the specification of OTLP/HTTP these are worth another try, with what the answer asks for as patience.
_RETRIES: Final = Retry(
    total=4, connect=2, read=0, redirect=0, status_forcelist=[429, 502, 503, 504], backoff_factor=0.5,
    allowed_methods=None, raise_on_status=False,
)  # fmt: skip


def send_logs(endpoint: str, body: bytes, *, token: str) -> None:
    """Sends an encoded request to the processor or collector at the endpoint.

    Raises:
        SettingsError: this is no URL of one, or it does not let us in.
        StoreError: it cannot be reached, or did not take all of it.
    """
    if scheme(endpoint) not in ("http", "https"):
        message = f"expected the URL of an endpoint, such as http://127.0.0.1:4318, got {masked(endpoint)!r}"
        raise SettingsError(message)
    url = endpoint.rstrip("/").removesuffix(_PATH) + _PATH
    shown = masked(url)
    tls = settings.read(TlsSettings, environ=os.environ)
    headers = {"Content-Type": "application/x-protobuf"} | ({"Authorization": f"Bearer {token}"} if token else {})
    with requests.Session() as session:
        session.trust_env = False  # what stands in .netrc is for others
        session.mount("http", HTTPAdapter(max_retries=_RETRIES))
        certificate = (str(tls.certificate), str(tls.key)) if tls.certificate and tls.key else None
        verify = str(tls.authority) if tls.authority else True
        try:
            reply = session.post(
                url, data=body, headers=headers, timeout=(CONNECT_S, READ_S), verify=verify, cert=certificate
            )
        except (requests.RequestException, OSError) as exc:
            message = f"{shown} does not answer: {exc}"
            raise StoreError(message) from exc
    if reply.status_code == HTTPStatus.UNAUTHORIZED:
        message = f"{shown} does not let us in: set AGENT_OTEL_TOKEN"
        raise SettingsError(message)
    if reply.status_code != HTTPStatus.OK:
        message = f"{shown} answers with status {reply.status_code}"
        raise StoreError(message)
    partial = ExportLogsServiceResponse.FromString(reply.content).partial_success
    if partial.rejected_log_records:
        message = f"{shown} refused it: {partial.error_message}"
        raise StoreError(message)
