-- Counts for the reports, made again from the source of record whenever something of their time has changed.

-- Left by whoever writes or removes what reports count, in the same transaction: everything from `since` on is to be counted again.
-- Append-only, so that writers never wait for each other; counting takes the marks away.
CREATE TABLE activity_mark (
    dataset_group_id int NOT NULL,
    since timestamptz NOT NULL
);

-- A quarter of an hour. A row counts events of a type, or what lists of a placement and campaign led to, or money; the rest is zero.
-- Days of every zone of our time begin at a quarter.
CREATE TABLE metric_bucket (
    dataset_group_id int NOT NULL,
    bucket timestamptz NOT NULL,
    event_type smallint,
    placement_id int,
    campaign_id int,
    events bigint NOT NULL DEFAULT 0,
    lists bigint NOT NULL DEFAULT 0,
    clicks bigint NOT NULL DEFAULT 0,
    purchases bigint NOT NULL DEFAULT 0,     -- that a click on a list led to
    attributed numeric NOT NULL DEFAULT 0,   -- their revenue
    revenue numeric NOT NULL DEFAULT 0,      -- all of it, less refunds
    foreign_amounts bigint NOT NULL DEFAULT 0
);
CREATE INDEX metric_bucket_time ON metric_bucket (dataset_group_id, bucket);

-- The sides of an experiment or a promotion as they were counted last.
CREATE TABLE kept_outcome (
    kind text NOT NULL CHECK (kind IN ('experiment', 'promotion')),
    report_id int NOT NULL,
    dataset_group_id int NOT NULL,
    counted_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,   -- nothing that happens later counts
    is_stale boolean NOT NULL,      -- something that counts has changed since
    sides int[] NOT NULL,
    figures float8[] NOT NULL,      -- as many for each side
    PRIMARY KEY (kind, report_id)
);
CREATE INDEX kept_outcome_group ON kept_outcome (dataset_group_id);

-- What is there already is counted at the first look.
INSERT INTO activity_mark (dataset_group_id, since) SELECT id, '-infinity' FROM dataset_group;

-- Money and clicks are found by type and time. Bulk rows have no visitor and are not in it.
CREATE OR REPLACE FUNCTION add_interaction_part(dataset int, new_part int) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = tastemaker, pg_temp AS $$
DECLARE
    name text := format('interaction_%s_%s', dataset, CASE WHEN new_part < 0 THEN 'm' || -new_part ELSE 'i' || new_part END);
BEGIN
    IF to_regclass('tastemaker.' || name) IS NULL THEN
        PERFORM pg_advisory_xact_lock(7302, dataset);
        EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF interaction_%s FOR VALUES IN (%s)', name, dataset, new_part);
        EXECUTE format('CREATE INDEX IF NOT EXISTS %I ON %I USING brin (occurred_at)', name || '_occurred', name);
        IF new_part < 0 THEN
            EXECUTE format('CREATE INDEX IF NOT EXISTS %I ON %I (event_type, occurred_at) WHERE visitor_id IS NOT NULL', name || '_type', name);
        END IF;
    END IF;
END
$$;

DO $$
DECLARE
    part text;
BEGIN
    FOR part IN SELECT relname FROM pg_class WHERE relnamespace = 'tastemaker'::regnamespace AND relkind = 'r' AND relname ~ '^interaction_[0-9]+_m[0-9]+$' LOOP
        EXECUTE format('CREATE INDEX IF NOT EXISTS %I ON %I (event_type, occurred_at) WHERE visitor_id IS NOT NULL', part || '_type', part);
    END LOOP;
END
$$;
