"""Opening a store by URL; passwords stay out of what people see."""

from __future__ import annotations

import traceback
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from agent_otel.errors import SettingsError, StoreError
from agent_otel.store.open import open_store
from agent_otel.store.urls import HIDDEN, masked, without_secrets


@pytest.mark.parametrize(
    "form", [Path, str, "sqlite:///{0.name}".format, "sqlite:////{0}".format, "SQLite:////{0}".format]
)
def test_sqlite_is_opened_by_path_or_url(tmp_path, monkeypatch, item, clock, form):
    """Relative to the working directory, or absolute."""
    monkeypatch.chdir(tmp_path)
    with closing(open_store(form(tmp_path / "runs.db"), clock=clock)) as store:
        store.put([item("a")])
        assert store.wake_at() == clock.now_ns
    assert (tmp_path / "runs.db").exists()


def test_a_path_may_start_at_home(tmp_path, monkeypatch):
    """As a shell would read it; settings from a file have no shell."""
    monkeypatch.setenv("HOME", str(tmp_path))
    open_store("~/runs.db").close()
    assert (tmp_path / "runs.db").exists()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("", "expected a database, got nothing"),
        ("sqlite://", "expected sqlite:///relative/path or sqlite:////absolute/path, got 'sqlite://'"),
        ("sqlite:///", "expected sqlite:///relative/path"),
        ("sqlite://runs.db", "expected sqlite:///relative/path"),
        ("sqlite://folder/runs.db", "expected sqlite:///relative/path"),
        ("mysql://me:secret@host/db", r"no database is opened by 'mysql://me:\*\*\*@host/db'"),
    ],
)
def test_what_names_no_store_is_refused(tmp_path, monkeypatch, url, message):
    """With what was expected, and no file made."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError, match=message):
        open_store(url)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("scheme", ["postgresql", "postgres"])
def test_postgresql_is_opened_by_url(postgres_url, item, clock, scheme):
    """Under either of its names, with the clock that was given."""
    with closing(open_store(postgres_url.replace("postgresql", scheme), clock=clock)) as store:
        store.put([item("a")])
        assert store.wake_at() == clock.now_ns


def test_a_driver_that_is_not_installed_is_named(python):
    """With the line that installs it."""
    done = python(
        "import sys; sys.modules['psycopg'] = None\n"
        "from agent_otel.errors import MissingExtra\n"
        "from agent_otel.store.open import open_store\n"
        "try: open_store('postgresql://host/runs')\n"
        "except MissingExtra as exc: print(exc)"
    )
    expected = "PostgreSQL storage needs 'psycopg'. Install it with: pip install \"agent-otel[postgres]\"\n"
    assert (done.stdout, done.stderr) == (expected, "")


@pytest.mark.parametrize(
    ("url", "error", "message"),
    [
        (
            "postgresql://me:sesame%@host/runs",
            SettingsError,
            r"^postgresql://me:\*\*\*@host/runs is no URL",
        ),
        ("postgresql://me:sesame@host/runs?nonsense=1", SettingsError, "nonsense"),
        ("postgresql://me:sesame@127.0.0.1:1/runs", StoreError, r"^postgresql://me:\*\*\*@127.0.0.1:1/runs: .*refused"),
        ("postgresql:///runs?user=me&password=sesame&host=/nowhere", StoreError, r"password=\*\*\*&host=/nowhere: "),
    ],
)
def test_a_postgresql_that_cannot_be_opened_is_an_error(url, error, message):
    """It says where and why, and no password is in it, nor in what a traceback shows."""
    with pytest.raises(error, match=message) as caught:
        open_store(url)
    assert "sesame" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("runs.db", "runs.db"),
        ("sqlite:////var/runs.db", "sqlite:////var/runs.db"),
        ("postgresql://me@host:5432/runs", "postgresql://me@host:5432/runs"),
        ("postgresql://me:secret@host:5432/runs", "postgresql://me:***@host:5432/runs"),
        ("postgresql://me:se/cr@t@host/runs", "postgresql://me:***@host/runs"),
        ("postgresql://me:secret@one,two:5433/runs", "postgresql://me:***@one,two:5433/runs"),
        ("postgresql:///runs?host=/tmp&password=secret&user=me", "postgresql:///runs?host=/tmp&password=***&user=me"),
        ("postgresql:///runs?PassWord=a&sslpassword=b", "postgresql:///runs?PassWord=***&sslpassword=***"),
        ("postgresql:///runs?p%61ssword=secret", "postgresql:///runs?p%61ssword=***"),
    ],
)
def test_a_url_is_shown_without_its_passwords(url, shown):
    """Whoever reads a log learns where the database is, and not how to get in."""
    assert masked(url) == shown


@given(
    st.text(st.characters(codec="utf-8"), min_size=5).filter(lambda text: text not in "postgresql://me:***@host/runs")
)
def test_no_password_is_shown(password):
    """Whatever it is made of, and however it was (not) quoted."""
    assert masked(f"postgresql://me:{password}@host/runs") == f"postgresql://me:{HIDDEN}@host/runs"


def test_messages_about_a_url_do_not_quote_its_passwords():
    """A driver's message may hold the password as it stands in the URL, or decoded."""
    url = "postgresql://me:se%20cret@host/runs?sslpassword=other"
    assert (
        without_secrets("bad se%20cret, bad se cret, bad other, at host", url) == "bad ***, bad ***, bad ***, at host"
    )
    assert without_secrets("nothing to hide", "postgresql://host/runs") == "nothing to hide"
