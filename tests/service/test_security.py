"""Who may speak to the processor."""

from __future__ import annotations

import os

import pytest

from agent_otel.errors import SettingsError
from agent_otel.service.security import Address, Tokens, addresses, check_exposure, is_loopback, local_name
from agent_otel.service.settings import ProcessorSettings

ONE, OTHER, THIRD = "first-token-0123456789", "other-token-0123456789", "third-token-0123456789"


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("127.0.0.1:4318", [("127.0.0.1", 4318)]),
        ("[::1]:4318", [("::1", 4318)]),
        ("::1:4318", [("::1", 4318)]),
        ("0.0.0.0:0", [("0.0.0.0", 0)]),
        ("off", []),
    ],
)
def test_an_address_is_what_it_says(where, expected):
    """Both families, and none."""
    assert [(each.host, each.port) for each in addresses(where, name="http")] == expected


@pytest.mark.parametrize(
    "where", ["", "4318", ":4318", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "OFF"]
)
def test_what_is_no_address_is_refused(where):
    """The message says what was expected, and which setting it is about."""
    with pytest.raises(SettingsError, match=r"^http: expected host:port or off, got"):
        addresses(where, name="http")


def test_an_unknown_host_is_refused():
    """Nothing listens where nobody would look."""
    with pytest.raises(SettingsError, match="is not known"):
        addresses("no.such.host.invalid:1", name="grpc")


def test_a_name_stands_for_all_its_addresses():
    """``localhost`` may have one of each family; of a free port there is but one."""
    assert {each.host for each in addresses("localhost:4318", name="http")} <= {"127.0.0.1", "::1"}
    assert len(addresses("localhost:0", name="http")) == 1


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True),
        ("127.8.9.10", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("fe80::1%eth0", False),
    ],
)
def test_loopback_is_this_machine_alone(host, local):
    """Also in disguise."""
    assert is_loopback(host) is local


EXPOSED = Address(host="0.0.0.0", port=4318)
LOCAL = Address(host="127.0.0.1", port=4318)


def test_strangers_are_asked_who_they_are_or_not_listened_to(tmp_path):
    """An address that others can reach needs tokens or clients' certificates."""
    with pytest.raises(SettingsError, match="can be reached from other machines"):
        check_exposure([LOCAL, EXPOSED], ProcessorSettings())
    check_exposure([LOCAL], ProcessorSettings())
    check_exposure([EXPOSED], ProcessorSettings(tokens=(ONE,)))
    check_exposure([EXPOSED], ProcessorSettings(token_file=tmp_path / "tokens"))
    certificates = dict.fromkeys(("tls_certificate", "tls_key"), tmp_path)
    with pytest.raises(SettingsError, match="can be reached"):  # encrypted, and open to everybody
        check_exposure([EXPOSED], ProcessorSettings(**certificates))
    check_exposure([EXPOSED], ProcessorSettings(**certificates, tls_client_ca=tmp_path))


@pytest.mark.parametrize(
    "host", ["localhost", "LocalHost:4318", "localhost.:1", "127.0.0.1:4318", "[::1]:4318", "[::1]"]
)
def test_this_machine_is_known_by_its_names(host):
    """As a ``Host`` header has them."""
    assert local_name(host)


@pytest.mark.parametrize(
    "host",
    ["", "evil.example", "evil.example:4318", "localhost.evil.example", "10.0.0.1", "[fe80::1]", "127.0.0.1.evil"],
)
def test_other_names_are_not_this_machine(host):
    """A web page that made its name point here is told apart from a local program."""
    assert not local_name(host)


def test_any_of_the_tokens_lets_in():
    """From settings and file alike; nothing else does."""
    tokens = Tokens([ONE, OTHER])
    assert tokens.needed
    for token in (ONE, OTHER):
        assert tokens.admits(f"Bearer {token}")
        assert tokens.admits(f"bearer  {token} ")
    for shown in (
        "",
        ONE,
        f"Basic {ONE}",
        "Bearer",
        "Bearer ",
        f"Bearer {ONE[:-1]}",
        f"Bearer {ONE}x",
        "Bearer \udcff",
        f"Bearer {THIRD}",
    ):
        assert not tokens.admits(shown)


def test_without_tokens_everybody_may():
    """Nothing is asked for where nothing was set."""
    assert not Tokens().needed
    assert Tokens().admits("")


@pytest.mark.parametrize(
    "token", ["short", "with a blank in it, long", "nön-ascii-token-0123456789", "tab\ttab-0123456789abc"]
)
def test_a_token_that_can_be_guessed_or_not_be_sent_is_refused(token):
    """The message does not repeat it."""
    with pytest.raises(SettingsError) as caught:
        Tokens([token])
    assert token not in str(caught.value)


def test_a_file_of_tokens_is_read_again_when_it_changes(tmp_path):
    """And only then."""
    file = tmp_path / "tokens"
    file.write_text(f"# ours\n\n{ONE}\n  {OTHER}  \n")
    tokens = Tokens(file=file)
    assert tokens.admits(f"Bearer {ONE}")
    assert tokens.admits(f"Bearer {OTHER}")
    assert not tokens.reload_if_changed()
    file.write_text(THIRD)
    assert tokens.reload_if_changed()
    assert tokens.admits(f"Bearer {THIRD}")
    assert not tokens.admits(f"Bearer {ONE}")
    assert not tokens.reload_if_changed()


@pytest.mark.parametrize("content", ["", "# nothing\n", "short\n", None])
def test_a_file_that_cannot_be_used_changes_nothing(tmp_path, content):
    """Half a file is there while an editor writes: whoever was let in still is, and nobody else."""
    file = tmp_path / "tokens"
    file.write_text(ONE)
    tokens = Tokens(file=file)
    if content is None:
        file.unlink()
    else:
        file.write_text(content)
    with pytest.raises(SettingsError):
        tokens.reload_if_changed()
    assert tokens.admits(f"Bearer {ONE}")
    assert not tokens.admits("Bearer short")
    file.write_text(OTHER)
    os.utime(file, ns=(1, 1))
    assert tokens.reload_if_changed()
    assert tokens.admits(f"Bearer {OTHER}")


@pytest.mark.parametrize("content", ["", None])
def test_a_file_without_tokens_does_not_mean_that_everybody_may(tmp_path, content):
    """It is refused at the start."""
    file = tmp_path / "tokens"
    if content is not None:
        file.write_text(content)
    with pytest.raises(SettingsError):
        Tokens(file=file)
