CREATE TABLE placement (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dataset_group_id int NOT NULL REFERENCES dataset_group,
    name text COLLATE "C" NOT NULL CHECK (name ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    title text NOT NULL,
    purpose text NOT NULL DEFAULT 'for-you' CHECK (purpose IN ('for-you', 'popular', 'similar', 'bought-together')),
    campaign_id int CONSTRAINT placement_campaign REFERENCES campaign ON DELETE SET NULL,
    filter_id int CONSTRAINT placement_filter REFERENCES filter ON DELETE SET NULL,
    item_count smallint NOT NULL DEFAULT 12 CHECK (item_count BETWEEN 1 AND 100),
    fallback text NOT NULL DEFAULT 'popular' CHECK (fallback IN ('popular', 'newest', 'none')),
    is_automatic boolean NOT NULL DEFAULT true,  -- the first model is trained, deployed and put here by itself
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT placement_name_unique UNIQUE (dataset_group_id, name)
);

-- What a promotion says stands in its versions; publishing moves `published_version`, revert makes a new version.
CREATE TABLE promotion (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dataset_group_id int NOT NULL REFERENCES dataset_group,
    name text NOT NULL,
    published_version int,       -- null: a draft, acts nowhere
    archived_at timestamptz,
    hold_out_seed text NOT NULL, -- stable for the promotion's life
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX promotion_group ON promotion (dataset_group_id);

CREATE TABLE promotion_version (
    promotion_id int NOT NULL REFERENCES promotion ON DELETE CASCADE,
    version int NOT NULL,
    definition jsonb NOT NULL,   -- kind, items or selection, placements, schedule, audience, priority, position, factor, hold-out
    note text NOT NULL DEFAULT '',
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    published_at timestamptz,
    PRIMARY KEY (promotion_id, version)
);

CREATE TABLE experiment (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dataset_group_id int NOT NULL REFERENCES dataset_group,
    placement_id int NOT NULL REFERENCES placement,
    name text NOT NULL,
    hypothesis text NOT NULL DEFAULT '',
    state text NOT NULL DEFAULT 'draft' CHECK (state IN ('draft', 'running', 'stopped')),
    seed text NOT NULL,
    primary_metric text NOT NULL CHECK (primary_metric IN ('conversion', 'revenue', 'click-through')),
    converting_event text NOT NULL,
    window_days smallint NOT NULL DEFAULT 7 CHECK (window_days BETWEEN 1 AND 90),
    coverage double precision NOT NULL DEFAULT 1 CHECK (coverage > 0 AND coverage <= 1),
    started_at timestamptz,
    planned_end_at timestamptz NOT NULL,
    stopped_at timestamptz,
    stop_reason text,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT experiment_name_unique UNIQUE (dataset_group_id, name)
);
-- One experiment at a time decides what a placement shows.
CREATE UNIQUE INDEX experiment_running ON experiment (placement_id) WHERE state = 'running';

CREATE TABLE arm (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    experiment_id int NOT NULL REFERENCES experiment ON DELETE CASCADE,
    ordinal smallint NOT NULL,   -- 0 is the control
    name text NOT NULL,
    weight double precision NOT NULL CHECK (weight > 0),
    campaign_id int CONSTRAINT arm_campaign REFERENCES campaign,  -- null: what the placement has
    filter_id int CONSTRAINT arm_filter REFERENCES filter,        -- null: what the placement has
    promotions text NOT NULL DEFAULT 'placement' CHECK (promotions IN ('placement', 'none', 'listed')),
    promotion_ids int[] NOT NULL DEFAULT '{}',
    UNIQUE (experiment_id, ordinal)
);

-- Written once per unit, insert-or-ignore; the stored row is the truth.
CREATE TABLE exposure (
    experiment_id int NOT NULL,
    unit_id int NOT NULL,        -- user_key of the anonymous id
    arm_id int NOT NULL,
    exposed_at timestamptz NOT NULL,
    PRIMARY KEY (experiment_id, unit_id)
);

-- What was shown, per list. `promotions` is parallel to `items`: the promotion that placed or moved the item, 0 for none.
CREATE TABLE shown (
    key bigint NOT NULL,         -- carried in the recommendation id
    dataset_group_id int NOT NULL,
    shown_at timestamptz NOT NULL,
    placement_id int,
    campaign_id int,
    arm_id int,
    visitor_id int NOT NULL,
    rung text NOT NULL,          -- model, popular, newest, empty
    is_degraded boolean NOT NULL DEFAULT false,
    items int[] NOT NULL,
    promotions int[] NOT NULL DEFAULT '{}',
    live_promotions int[] NOT NULL DEFAULT '{}',  -- live for this visitor and placement, acting or held out
    held_promotions int[] NOT NULL DEFAULT '{}'   -- of these, the ones whose hold-out the visitor is in
);
CREATE INDEX shown_key ON shown (key);
CREATE INDEX shown_at_brin ON shown USING brin (shown_at);

-- Requests by 15-minute bucket, flushed by each worker every few seconds. `latency` counts by the buckets 1, 2, 5, 10, 20, 50, 100, 250, 1000 ms, more.
CREATE TABLE request_metric (
    bucket timestamptz NOT NULL,
    dataset_group_id int NOT NULL,   -- 0: none resolved
    operation text NOT NULL,
    target text NOT NULL,            -- campaign or placement name, or empty
    code smallint NOT NULL,          -- HTTP status
    requests bigint NOT NULL,
    latency bigint[] NOT NULL,
    PRIMARY KEY (bucket, dataset_group_id, operation, target, code)
);
