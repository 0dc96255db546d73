CREATE TABLE dataset_group (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text COLLATE "C" NOT NULL CONSTRAINT dataset_group_name_unique UNIQUE,
    domain text CHECK (domain IN ('ECOMMERCE', 'VIDEO_ON_DEMAND')),
    role_arn text,
    kms_key_arn text,
    status text NOT NULL,
    failure_reason text,
    time_zone text NOT NULL DEFAULT 'UTC',   -- IANA name; schedules and days follow it
    currency text NOT NULL DEFAULT 'USD' CHECK (currency ~ '^[A-Z]{3}$'),
    -- Columns of the Items schema that people see, e.g. {"title": "TITLE", "link": "LINK", "image": …, "price": …, "category": …, "brand": …}
    display_columns jsonb NOT NULL DEFAULT '{}',
    simulated boolean NOT NULL DEFAULT false, -- the demo shop
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- What a worker compares its snapshots with, in the same point read as the history. One narrow row per group, updated in place.
CREATE TABLE group_revision (
    dataset_group_id int PRIMARY KEY REFERENCES dataset_group ON DELETE CASCADE,
    resources bigint NOT NULL DEFAULT 0,       -- campaigns, filters, placements, promotions, experiments, models
    catalogue bigint NOT NULL DEFAULT 0,       -- item and user records; item_record.revision holds the value of its change
    catalogue_base bigint NOT NULL DEFAULT 0,  -- a worker older than this loads the whole catalogue again (deletions, FULL imports)
    next_user_id int NOT NULL DEFAULT 0,
    next_item_id int NOT NULL DEFAULT 0
) WITH (fillfactor = 10);

-- Text id -> int4 per group, never reused.
CREATE TABLE user_key (
    dataset_group_id int NOT NULL,
    id int NOT NULL,
    external_id text COLLATE "C" NOT NULL,
    PRIMARY KEY (dataset_group_id, id),
    CONSTRAINT user_key_external_unique UNIQUE (dataset_group_id, external_id)
);
CREATE TABLE item_key (
    dataset_group_id int NOT NULL,
    id int NOT NULL,
    external_id text COLLATE "C" NOT NULL,
    PRIMARY KEY (dataset_group_id, id),
    CONSTRAINT item_key_external_unique UNIQUE (dataset_group_id, external_id)
);
CREATE TABLE event_type (
    dataset_group_id int NOT NULL,
    id smallint NOT NULL CONSTRAINT event_type_limit CHECK (id BETWEEN 0 AND 254),
    name text COLLATE "C" NOT NULL,
    PRIMARY KEY (dataset_group_id, id),
    CONSTRAINT event_type_name_unique UNIQUE (dataset_group_id, name)
);

-- Ids for the given texts, in their order; missing ones are made. The counter row is locked only when something is missing.
CREATE FUNCTION intern_users(group_id int, externals text[]) RETURNS int[] LANGUAGE plpgsql AS $$
DECLARE
    missing text[];
    first_id int;
BEGIN
    SELECT array_agg(DISTINCT x COLLATE "C") INTO missing FROM unnest(externals) x
    WHERE NOT EXISTS (SELECT FROM user_key k WHERE k.dataset_group_id = group_id AND k.external_id = x COLLATE "C");
    IF missing IS NOT NULL THEN
        UPDATE group_revision SET next_user_id = next_user_id + cardinality(missing)
        WHERE dataset_group_id = group_id RETURNING next_user_id - cardinality(missing) INTO first_id;
        INSERT INTO user_key (dataset_group_id, id, external_id)
        SELECT group_id, first_id + ordinality::int - 1, x FROM unnest(missing) WITH ORDINALITY AS m(x, ordinality)
        ON CONFLICT (dataset_group_id, external_id) DO NOTHING;
    END IF;
    RETURN ARRAY(
        SELECT k.id FROM unnest(externals) WITH ORDINALITY AS e(x, ordinality)
        JOIN user_key k ON k.dataset_group_id = group_id AND k.external_id = e.x COLLATE "C" ORDER BY e.ordinality);
END
$$;

CREATE FUNCTION intern_items(group_id int, externals text[]) RETURNS int[] LANGUAGE plpgsql AS $$
DECLARE
    missing text[];
    first_id int;
BEGIN
    SELECT array_agg(DISTINCT x COLLATE "C") INTO missing FROM unnest(externals) x
    WHERE NOT EXISTS (SELECT FROM item_key k WHERE k.dataset_group_id = group_id AND k.external_id = x COLLATE "C");
    IF missing IS NOT NULL THEN
        UPDATE group_revision SET next_item_id = next_item_id + cardinality(missing)
        WHERE dataset_group_id = group_id RETURNING next_item_id - cardinality(missing) INTO first_id;
        INSERT INTO item_key (dataset_group_id, id, external_id)
        SELECT group_id, first_id + ordinality::int - 1, x FROM unnest(missing) WITH ORDINALITY AS m(x, ordinality)
        ON CONFLICT (dataset_group_id, external_id) DO NOTHING;
    END IF;
    RETURN ARRAY(
        SELECT k.id FROM unnest(externals) WITH ORDINALITY AS e(x, ordinality)
        JOIN item_key k ON k.dataset_group_id = group_id AND k.external_id = e.x COLLATE "C" ORDER BY e.ordinality);
END
$$;

-- Event types compare without regard to case; the first spelling is kept. At most 255 per group: a packed history keeps one byte.
CREATE FUNCTION intern_event_types(group_id int, names text[]) RETURNS smallint[] LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM unnest(names) n WHERE NOT EXISTS (
        SELECT FROM event_type t WHERE t.dataset_group_id = group_id AND lower(t.name) = lower(n)))
    THEN
        PERFORM 1 FROM group_revision WHERE dataset_group_id = group_id FOR UPDATE;
        INSERT INTO event_type (dataset_group_id, id, name)
        SELECT group_id,
            (SELECT coalesce(max(id), -1) FROM event_type WHERE dataset_group_id = group_id) + row_number() OVER (ORDER BY min(o)),
            (array_agg(n ORDER BY o))[1]
        FROM unnest(names) WITH ORDINALITY AS u(n, o)
        WHERE NOT EXISTS (SELECT FROM event_type t WHERE t.dataset_group_id = group_id AND lower(t.name) = lower(n))
        GROUP BY lower(n);
    END IF;
    RETURN ARRAY(
        SELECT t.id FROM unnest(names) WITH ORDINALITY AS e(n, ordinality)
        JOIN event_type t ON t.dataset_group_id = group_id AND lower(t.name) = lower(e.n) ORDER BY e.ordinality);
END
$$;

CREATE TABLE tag (
    resource text COLLATE "C" NOT NULL,  -- ARN path, e.g. campaign/name
    key text COLLATE "C" NOT NULL CHECK (length(key) BETWEEN 1 AND 128),
    value text NOT NULL CHECK (length(value) <= 256),
    PRIMARY KEY (resource, key)
);
