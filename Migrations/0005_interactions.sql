-- Append-only. List partition per dataset; below it one partition per bulk import (`part` = import job id, positive) and one per
-- month of receipt for streamed rows (`part` = -yyyymm). Event times run from 1995, so months of the event would make hundreds.
-- No wide b-tree: it cuts COPY from 456 k to 55 k rows a second and doubles the size.
CREATE TABLE interaction (
    dataset_id int NOT NULL,
    part int NOT NULL,
    user_id int NOT NULL,
    item_id int,                  -- null: an event about no item is kept, and never trained on
    event_type smallint NOT NULL,
    value real,
    occurred_at timestamptz NOT NULL,
    ordinal bigint NOT NULL,      -- line of the import, or microseconds of arrival: the tie-breaker within a second
    -- What measurement needs; null for bulk rows.
    visitor_id int,               -- the unit of experiments: the anonymous id, or the user where there is none
    recommendation bigint,        -- key of the shown list that the event is attributed to; only from a verified recommendation id
    order_id text COLLATE "C",
    amount numeric(14, 4),        -- price × quantity in `currency`; refunds negative
    currency text,
    properties jsonb              -- other columns of the schema, and what came with the event
) PARTITION BY LIST (dataset_id);

-- Exactly once: 16-byte hash of source, client id and position in the order. Pruned after 8 days and more.
CREATE TABLE event_key (
    dataset_group_id int NOT NULL,
    hash uuid NOT NULL,
    received_on date NOT NULL,
    PRIMARY KEY (dataset_group_id, hash)
);
CREATE INDEX event_key_received ON event_key USING brin (received_on);

-- Newest events of a user, packed: 9 bytes an entry (item int4, seconds uint4, event type uint1), little-endian, oldest first,
-- at most 100 per event type and 200 in all, so that a row stays under 1.8 KB and is never toasted.
CREATE TABLE history (
    dataset_group_id int NOT NULL,
    user_id int NOT NULL,
    entries bytea NOT NULL,
    PRIMARY KEY (dataset_group_id, user_id)
) WITH (fillfactor = 60);
ALTER TABLE history ALTER COLUMN entries SET STORAGE PLAIN;

-- `user_id` is an earlier name (an anonymous id) of `canonical_id`. Interactions are never rewritten: resolved at read and at training.
CREATE TABLE user_alias (
    dataset_group_id int NOT NULL,
    user_id int NOT NULL,
    canonical_id int NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (dataset_group_id, user_id)
);
CREATE INDEX user_alias_canonical ON user_alias (dataset_group_id, canonical_id);

-- Cards seen, as the tracker reports them. Not interactions of their own.
CREATE TABLE impression (
    dataset_group_id int NOT NULL,
    received_at timestamptz NOT NULL,
    visitor_id int NOT NULL,
    item_id int NOT NULL,
    recommendation bigint,
    position smallint
);
CREATE INDEX impression_received ON impression USING brin (received_at);

-- Raw events for the console's "newest events" and for a corrected mapping; kept for days. Refused ones carry the reason and the origin.
CREATE TABLE raw_event (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dataset_group_id int NOT NULL,
    received_at timestamptz NOT NULL,
    source text NOT NULL,   -- tracker, put-events
    origin text,
    visitor_id int,         -- whose it is, so that an erased user's raw events go too
    user_id int,
    event text,
    rejected_reason text,
    body jsonb NOT NULL
);
CREATE INDEX raw_event_group ON raw_event (dataset_group_id, id);

-- Partitions are made by programs without DDL rights through these functions, which run as the owner.
CREATE FUNCTION add_interaction_dataset(dataset int) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = tastemaker, pg_temp AS $$
BEGIN
    EXECUTE format('CREATE TABLE IF NOT EXISTS interaction_%s PARTITION OF interaction FOR VALUES IN (%s) PARTITION BY LIST (part)', dataset, dataset);
END
$$;

CREATE FUNCTION add_interaction_part(dataset int, new_part int) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = tastemaker, pg_temp AS $$
DECLARE
    name text := format('interaction_%s_%s', dataset, CASE WHEN new_part < 0 THEN 'm' || -new_part ELSE 'i' || new_part END);
BEGIN
    IF to_regclass('tastemaker.' || name) IS NULL THEN
        PERFORM pg_advisory_xact_lock(7302, dataset);
        EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF interaction_%s FOR VALUES IN (%s)', name, dataset, new_part);
        EXECUTE format('CREATE INDEX IF NOT EXISTS %I ON %I USING brin (occurred_at)', name || '_occurred', name);
    END IF;
END
$$;

CREATE FUNCTION drop_interaction_part(dataset int, old_part int) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = tastemaker, pg_temp AS $$
BEGIN
    EXECUTE format('DROP TABLE IF EXISTS interaction_%s_%s', dataset, CASE WHEN old_part < 0 THEN 'm' || -old_part ELSE 'i' || old_part END);
END
$$;

CREATE FUNCTION drop_interaction_dataset(dataset int) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = tastemaker, pg_temp AS $$
BEGIN
    EXECUTE format('DROP TABLE IF EXISTS interaction_%s', dataset);
END
$$;

-- Unlogged, one per running import: after a crash it is empty, which the merge notices by the logged row count.
CREATE FUNCTION make_staging(import_job int) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = tastemaker, pg_temp AS $$
BEGIN
    EXECUTE format('DROP TABLE IF EXISTS staging_%s', import_job);
    EXECUTE format(
        'CREATE UNLOGGED TABLE staging_%s (line bigint NOT NULL, user_id text COLLATE "C", item_id text COLLATE "C", event_type text,'
        ' value real, occurred_at timestamptz, created_at bigint, attributes jsonb)', import_job);
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'tastemaker_app') THEN
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON staging_%s TO tastemaker_app', import_job);
    END IF;
END
$$;

CREATE FUNCTION drop_staging(import_job int) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = tastemaker, pg_temp AS $$
BEGIN
    EXECUTE format('DROP TABLE IF EXISTS staging_%s', import_job);
END
$$;
