"""The PostgreSQL server that tests run against is a real one, of their own."""

from __future__ import annotations

from contextlib import closing

import psycopg
import pytest

from real.postgres import PostgresServer


def test_each_test_has_an_empty_database(postgres_url):
    """Nothing is left there by others."""
    with closing(psycopg.connect(postgres_url)) as connection:
        found = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname NOT LIKE 'pg%'").fetchone()
        assert found == (4,)  # information_schema's


def test_a_server_goes_and_comes_back_where_it_was():
    """Stopped and started, or crashed; and nothing of it is left in the end."""
    with closing(PostgresServer(max_connections="7")) as server:
        for mode in ("fast", "immediate"):
            server.stop(mode)
            with pytest.raises(psycopg.OperationalError):
                psycopg.connect(server.url())
            server.start()
            with closing(psycopg.connect(server.url())) as connection:
                assert connection.execute("SHOW max_connections").fetchone() == ("7",)
    assert not server.folder.exists()
