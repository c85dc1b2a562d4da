"""The tables of the PostgreSQL store, as numbered steps from nothing to now.

Everything lies in a schema of our own, ``agent_otel``, so that the database may hold other things. A step that was
released is never edited: a change is a new step at the end.
"""

from __future__ import annotations

from typing import Final

from agent_otel.store.postgres.views import ADDED, FINGERPRINTS, PANELS, VIEWS

Step = tuple[str, ...]

# Half the size and twice the speed of what is done without; some servers cannot.
_COMPRESS: Final = """
    DO $$ BEGIN
        EXECUTE 'ALTER TABLE agent_otel.items ALTER raw SET COMPRESSION lz4';
        EXECUTE 'ALTER TABLE agent_otel.records ALTER document SET COMPRESSION lz4, ALTER exact SET COMPRESSION lz4';
    EXCEPTION WHEN syntax_error OR feature_not_supported OR invalid_parameter_value THEN NULL; END $$
"""

# For records that are there already: by their verifications, one by one. What is too long for an index is left out.
_TERMS: Final = """
    UPDATE agent_otel.records SET terms = ARRAY(
        SELECT DISTINCT term FROM (
            SELECT unnest(ARRAY['check:' || (entry ->> 'check'), 'verdict:' || (entry ->> 'verdict'),
                (entry ->> 'verdict') || ':' || (entry ->> 'check')])
            FROM jsonb_array_elements(document -> 'verifications') AS entry
            UNION ALL SELECT unnest(ARRAY['file:' || (entry ->> 'path'), 'file:' || (entry ->> 'old_path')])
            FROM jsonb_array_elements(document -> 'changed_files') AS entry
        ) AS found (term) WHERE length(term) <= 200
    )
"""

STEPS: Final[tuple[Step, ...]] = (
    (
        # Rows of groups change with every delivery: room on the page, and no index on what changes, keep that cheap.
        """CREATE TABLE agent_otel.groups (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            items bigint NOT NULL DEFAULT 0,
            expired bigint NOT NULL DEFAULT 0,
            sequence bigint NOT NULL DEFAULT 0,
            folded bigint NOT NULL DEFAULT 0,
            begun_ns bigint NOT NULL DEFAULT 0,
            newest_ns bigint NOT NULL DEFAULT 0,
            empty boolean NOT NULL DEFAULT false,
            dirty_since_ns bigint,
            look_again_ns bigint,
            claimed_ns bigint,
            claimed_until_ns bigint,
            attempts integer NOT NULL DEFAULT 0
        ) WITH (fillfactor = 50)""",
        "CREATE INDEX groups_dirty ON agent_otel.groups (dirty_since_ns, id) WHERE dirty_since_ns IS NOT NULL",
        "CREATE INDEX groups_look_again ON agent_otel.groups (look_again_ns, id) WHERE look_again_ns IS NOT NULL",
        "CREATE INDEX groups_begun ON agent_otel.groups (begun_ns) WHERE NOT empty",
        "COMMENT ON TABLE agent_otel.groups IS 'Items that share links, directly or through others: folded together'",
        "COMMENT ON COLUMN agent_otel.groups.sequence IS 'counts the changes; folded is the one that the records show'",
        "COMMENT ON COLUMN agent_otel.groups.dirty_since_ns IS 'since when items wait to be folded'",
        "COMMENT ON COLUMN agent_otel.groups.attempts IS 'how often it was claimed since it was last saved'",
        """CREATE TABLE agent_otel.links (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            link text COLLATE "C" NOT NULL UNIQUE,
            group_id bigint NOT NULL
        )""",
        "CREATE INDEX links_group ON agent_otel.links (group_id)",
        # Items point to their first link, and no further: groups merge without a touch to the items.
        "COMMENT ON TABLE agent_otel.links IS 'What joins items: ids of traces, sessions, runs'",
        """CREATE TABLE agent_otel.origins (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            link_id bigint NOT NULL,
            digest bytea NOT NULL,
            resource bytea NOT NULL,
            scope bytea NOT NULL,
            UNIQUE (link_id, digest)
        )""",
        "COMMENT ON TABLE agent_otel.origins IS 'Resource and scope of items (OTLP protobuf), once for each link'",
        """CREATE TABLE agent_otel.items (
            link_id bigint NOT NULL,
            origin_id bigint NOT NULL,
            time_ns bigint NOT NULL,
            is_log boolean NOT NULL,
            repaired boolean NOT NULL,
            digest bytea NOT NULL,
            key text NOT NULL,
            links text NOT NULL,
            raw bytea NOT NULL
        )""",
        # The first index sees each item once; the second reads those of a group in order. Both grow at their ends.
        "CREATE UNIQUE INDEX items_once ON agent_otel.items (time_ns, digest)",
        "CREATE INDEX items_link ON agent_otel.items (link_id, time_ns)",
        "COMMENT ON TABLE agent_otel.items IS 'Spans and log records as they arrived'",
        "COMMENT ON COLUMN agent_otel.items.key IS 'trace id/span id of a span, event id or digest of a log record'",
        "COMMENT ON COLUMN agent_otel.items.raw IS 'the Span or LogRecord of OTLP, protobuf'",
        """CREATE TABLE agent_otel.records (
            run bytea PRIMARY KEY,
            run_id text COLLATE "C" NOT NULL,
            group_id bigint NOT NULL,
            revision bigint NOT NULL,
            emitted bigint NOT NULL DEFAULT 0,
            waiting_since_ns bigint,
            sealed boolean NOT NULL DEFAULT false,
            start_text text COLLATE "C" NOT NULL,
            started timestamptz,
            ended timestamptz,
            duration_s double precision,
            lifecycle text COLLATE "C" NOT NULL,
            outcome text COLLATE "C" NOT NULL,
            agent text COLLATE "C",
            service text COLLATE "C",
            repository text COLLATE "C",
            branch text COLLATE "C",
            parent_run text COLLATE "C",
            review_state text COLLATE "C",
            final_status text COLLATE "C",
            findings text[] COLLATE "C" NOT NULL,
            verdicts text[] COLLATE "C" NOT NULL,
            document jsonb NOT NULL,
            exact bytea NOT NULL
        )""",
        "CREATE INDEX records_run_id ON agent_otel.records USING hash (run_id)",
        "CREATE INDEX records_group ON agent_otel.records (group_id)",
        "CREATE INDEX records_start_text ON agent_otel.records (start_text)",
        "CREATE INDEX records_started ON agent_otel.records (started)",
        "CREATE INDEX records_ended ON agent_otel.records (ended)",
        "CREATE INDEX records_waiting ON agent_otel.records (waiting_since_ns) WHERE waiting_since_ns IS NOT NULL",
        # Lists are in the order of their start, whatever they are filtered by. Names may be longer than an index takes.
        "CREATE INDEX records_agent ON agent_otel.records (left(agent, 100), start_text)",
        "CREATE INDEX records_repository ON agent_otel.records (left(repository, 100), start_text)",
        "CREATE INDEX records_lifecycle ON agent_otel.records (lifecycle, start_text)",
        "CREATE INDEX records_review_state ON agent_otel.records (review_state, start_text)",
        "CREATE INDEX records_findings ON agent_otel.records USING gin (findings)",
        "CREATE INDEX records_verdicts ON agent_otel.records USING gin (verdicts)",
        "COMMENT ON TABLE agent_otel.records IS 'Run records: one document for each run, and columns to find it by'",
        "COMMENT ON COLUMN agent_otel.records.run IS 'digest of the run id'",
        "COMMENT ON COLUMN agent_otel.records.start_text IS 'started as the document has it; lists are in its order'",
        "COMMENT ON COLUMN agent_otel.records.waiting_since_ns IS 'since when a revision waits to be emitted'",
        "COMMENT ON COLUMN agent_otel.records.sealed IS 'its items have expired: it cannot be folded again'",
        "COMMENT ON COLUMN agent_otel.records.findings IS 'the rules of its findings'",
        "COMMENT ON COLUMN agent_otel.records.verdicts IS 'the verdicts of its verifications'",
        "COMMENT ON COLUMN agent_otel.records.document IS 'the run record; NUL stands there as two characters U+0001'",
        "COMMENT ON COLUMN agent_otel.records.exact IS 'the run record, byte for byte'",
        # A row for some of the connections each, so that nobody waits for another one to count.
        """CREATE TABLE agent_otel.counters (
            shard integer PRIMARY KEY,
            items bigint NOT NULL,
            groups bigint NOT NULL,
            duplicates bigint NOT NULL,
            expired bigint NOT NULL,
            open bigint NOT NULL,
            settled bigint NOT NULL,
            abandoned bigint NOT NULL
        ) WITH (fillfactor = 50)""",
        "COMMENT ON TABLE agent_otel.counters IS 'How much there is and was, in parts to be added up'",
        _COMPRESS,
        *VIEWS,
    ),
    (
        "ALTER TABLE agent_otel.records ADD terms text[] COLLATE \"C\" NOT NULL DEFAULT '{}'",
        _TERMS,
        "CREATE INDEX records_terms ON agent_otel.records USING gin (terms)",
        "COMMENT ON COLUMN agent_otel.records.terms IS 'checks, their verdicts and changed files, to find it by'",
    ),
    PANELS,
    FINGERPRINTS,
    ADDED,
    ("ALTER TABLE agent_otel.counters ADD notes bigint NOT NULL DEFAULT 0",),
)
