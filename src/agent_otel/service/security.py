"""Who may speak to the processor: addresses it may listen on, tokens, certificates."""

from __future__ import annotations

import hmac
import ipaddress
import secrets
import socket
import ssl
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from agent_otel.errors import SettingsError
from agent_otel.service.settings import OFF, ProcessorSettings

SHORTEST_TOKEN: Final = 16
HOW_TO_ENTER: Final = "a token is needed: Authorization: Bearer TOKEN"

_BEARER: Final = "bearer "
_LARGEST_PORT: Final = 65_535


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """Where to listen: an address of this machine, resolved once, so that what was checked is what is bound."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return is_loopback(self.host)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def addresses(where: str, *, name: str) -> list[Address]:
    """What a ``host:port`` stands for; nothing for ``off``.

    Args:
        where: as the user wrote it.
        name: of the setting, for the message.

    Raises:
        SettingsError: it is no address, or its host is not known.
    """
    if where == OFF:
        return []
    host, colon, port = where.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not host or not port.isascii() or not port.isdigit() or int(port) > _LARGEST_PORT:
        message = f"{name}: expected host:port or {OFF}, got {where!r}"
        raise SettingsError(message)
    try:
        found = socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as exc:
        message = f"{name}: the host of {where!r} is not known: {exc.strerror or exc}"
        raise SettingsError(message) from exc
    hosts = dict.fromkeys(str(address[0]) for *_, address in found)
    # A free port is chosen per address: of a name with several, the first one is enough then.
    return [Address(host=each, port=int(port)) for each in list(hosts)[: 1 if int(port) == 0 else None]]


def is_loopback(host: str) -> bool:
    """Whether an address is of this machine alone."""
    address = ipaddress.ip_address(host.partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def check_exposure(listening: Iterable[Address], settings: ProcessorSettings) -> None:
    """Refuses to listen to strangers without asking who they are.

    Raises:
        SettingsError: an address can be reached from other machines, and neither tokens nor clients' certificates are
            asked for.
    """
    if settings.tokens or settings.token_file is not None or settings.tls_client_ca is not None:
        return
    for address in listening:
        if not address.is_loopback:
            message = (
                f"{address} can be reached from other machines, and anybody there could read and write runs: "
                "set tokens (token_file, AGENT_OTEL_TOKENS) or tls_client_ca, or listen on 127.0.0.1"
            )
            raise SettingsError(message)


def local_name(host: str) -> bool:
    """Whether a ``Host`` header names this machine as its users do, and not as a web page somewhere might.

    A page whose name was made to point to 127.0.0.1 (DNS rebinding) could otherwise read what a browser can.
    """
    name = host.strip().lower()
    name = name.partition("]")[0].removeprefix("[") if name.startswith("[") else name.partition(":")[0]
    if name.removesuffix(".") == "localhost":
        return True
    try:
        return is_loopback(name)
    except ValueError:
        return False


class Tokens:
    """The tokens that let a client in, compared in constant time, read again when their file changes.

    Args:
        given: tokens from the settings.
        file: one token a line; empty lines, and lines that begin with ``#``, do not count.

    Raises:
        SettingsError: the file cannot be read or holds no token, or a token is too short.
    """

    def __init__(self, given: Iterable[str] = (), *, file: Path | None = None) -> None:
        self._given = tuple(given)
        self._file = file
        self._key = secrets.token_bytes(32)
        self._seen: object = None
        self._digests: tuple[bytes, ...] = ()
        self.reload()

    @property
    def needed(self) -> bool:
        """Whether a token is asked for at all."""
        return self._file is not None or bool(self._given)

    def reload(self) -> None:
        """Reads the file again. What cannot be used changes nothing: the tokens that were known stay.

        Raises:
            SettingsError: see the class.
        """
        seen, lines = _stamp(self._file), _lines(self._file)
        tokens = [*self._given, *lines]
        for token in tokens:
            _check(token)
        if self.needed and not tokens:
            message = f"{self._file} holds no token"
            raise SettingsError(message)
        self._digests = tuple(self._digest(token.encode()) for token in tokens)
        self._seen = seen

    def reload_if_changed(self) -> bool:
        """Reads the file again where it is another one than before. Whether it was.

        Raises:
            SettingsError: see the class.
        """
        if _stamp(self._file) == self._seen:
            return False
        self.reload()
        return True

    def admits(self, authorization: str) -> bool:
        """Whether an ``Authorization`` header carries one of the tokens; always, where none is asked for."""
        if not self.needed:
            return True
        bearer = authorization[: len(_BEARER)].lower() == _BEARER
        shown = self._digest(authorization[len(_BEARER) :].strip().encode("utf-8", "surrogatepass"))
        # Every token is compared, whichever fits: the time tells nothing.
        fits = [hmac.compare_digest(shown, known) for known in self._digests]
        return bearer and any(fits)

    def _digest(self, token: bytes) -> bytes:
        return hmac.digest(self._key, token, "sha256")


def http_tls(settings: ProcessorSettings) -> ssl.SSLContext | None:
    """The TLS side of the HTTP listener; None where it speaks plain HTTP.

    Raises:
        SettingsError: a file cannot be used.
    """
    if settings.tls_certificate is None or settings.tls_key is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(settings.tls_certificate, settings.tls_key)
        if settings.tls_client_ca is not None:
            context.load_verify_locations(settings.tls_client_ca)
            context.verify_mode = ssl.CERT_REQUIRED
    except OSError as exc:  # ssl.SSLError is one
        message = (
            f"TLS: {settings.tls_certificate}, {settings.tls_key} or {settings.tls_client_ca} cannot be used: {exc}"
        )
        raise SettingsError(message) from exc
    return context


def _stamp(file: Path | None) -> object:
    """Something that changes when the file does."""
    if file is None:
        return None
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _lines(file: Path | None) -> list[str]:
    if file is None:
        return []
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        message = f"cannot read the tokens in {file}: {exc}"
        raise SettingsError(message) from exc
    lines = [line.strip() for line in text.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def _check(token: str) -> None:
    if len(token) < SHORTEST_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
        message = (
            f"a token needs at least {SHORTEST_TOKEN} characters, printable ASCII without blanks, got {len(token)}"
        )
        raise SettingsError(message)
