CREATE TABLE solution (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text COLLATE "C" NOT NULL CONSTRAINT solution_name_unique UNIQUE,
    dataset_group_id int NOT NULL CONSTRAINT solution_dataset_group REFERENCES dataset_group,
    recipe text NOT NULL,         -- e.g. aws-user-personalization
    perform_hpo boolean NOT NULL DEFAULT false,
    perform_auto_ml boolean NOT NULL DEFAULT false,
    perform_auto_training boolean NOT NULL DEFAULT true,
    perform_incremental_update boolean NOT NULL DEFAULT false,
    event_type text,
    config json,                  -- echoed exactly as given; null when none was given
    latest_update json,
    status text NOT NULL,
    failure_reason text,
    next_training_at timestamptz, -- null: no automatic training
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX solution_group ON solution (dataset_group_id);
CREATE INDEX solution_next_training ON solution (next_training_at) WHERE next_training_at IS NOT NULL;

CREATE TABLE solution_version (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    solution_id int NOT NULL REFERENCES solution ON DELETE CASCADE,
    suffix text NOT NULL CHECK (suffix ~ '^[0-9a-f]{8}$'),
    name text NOT NULL,
    training_mode text NOT NULL DEFAULT 'FULL',
    training_type text NOT NULL DEFAULT 'MANUAL' CHECK (training_type IN ('MANUAL', 'AUTOMATIC')),
    config json,
    status text NOT NULL,
    failure_reason text,
    training_hours double precision,
    metrics json,
    report json,                  -- log lines, data counts, seed, peak memory, what was chosen and why
    interaction_count bigint,
    trained_until bigint,         -- ordinal/row watermark: whether anything is new since
    model_key text,               -- name in the artifact store
    model_sha256 bytea,
    model_bytes bigint,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT solution_version_suffix_unique UNIQUE (solution_id, suffix),
    CONSTRAINT solution_version_name_unique UNIQUE (solution_id, name)
);

CREATE TABLE campaign (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text COLLATE "C" NOT NULL CONSTRAINT campaign_name_unique UNIQUE,
    dataset_group_id int NOT NULL REFERENCES dataset_group,
    solution_id int NOT NULL CONSTRAINT campaign_solution REFERENCES solution,
    solution_version_id int NOT NULL CONSTRAINT campaign_solution_version REFERENCES solution_version,
    min_provisioned_tps int NOT NULL DEFAULT 1,
    config json,
    latest_update json,
    status text NOT NULL,
    failure_reason text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX campaign_group ON campaign (dataset_group_id);
CREATE INDEX campaign_solution_id ON campaign (solution_id);

CREATE TABLE filter (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text COLLATE "C" NOT NULL CONSTRAINT filter_name_unique UNIQUE,
    dataset_group_id int NOT NULL CONSTRAINT filter_dataset_group REFERENCES dataset_group,
    expression text NOT NULL,
    status text NOT NULL,
    failure_reason text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX filter_group ON filter (dataset_group_id);
