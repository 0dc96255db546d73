CREATE TABLE schema (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text COLLATE "C" NOT NULL CONSTRAINT schema_name_unique UNIQUE,
    domain text CHECK (domain IN ('ECOMMERCE', 'VIDEO_ON_DEMAND')),
    body text NOT NULL,
    access_key_id text,  -- the key that made it, when that key is bound to one group
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE dataset (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dataset_group_id int NOT NULL CONSTRAINT dataset_dataset_group REFERENCES dataset_group,
    type text NOT NULL CHECK (type IN ('INTERACTIONS', 'ITEMS', 'USERS', 'ACTIONS', 'ACTION_INTERACTIONS')),
    name text NOT NULL,
    schema_id int NOT NULL CONSTRAINT dataset_schema REFERENCES schema,
    tracking_id uuid,
    status text NOT NULL,
    failure_reason text,
    latest_update json,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT dataset_type_unique UNIQUE (dataset_group_id, type)
);
CREATE INDEX dataset_schema_id ON dataset (schema_id);

CREATE TABLE dataset_import_job (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text COLLATE "C" NOT NULL CONSTRAINT dataset_import_job_name_unique UNIQUE,
    dataset_id int NOT NULL REFERENCES dataset ON DELETE CASCADE,
    data_location text NOT NULL,  -- s3://… or upload:<file name> for files given to us
    format text NOT NULL DEFAULT 'csv' CHECK (format IN ('csv', 'merchant-feed')),
    column_mapping json,          -- source column -> schema column and conversions, for guessed uploads
    role_arn text,
    import_mode text NOT NULL DEFAULT 'FULL' CHECK (import_mode IN ('FULL', 'INCREMENTAL')),
    publish_attribution_metrics boolean,
    status text NOT NULL,
    failure_reason text,
    rows_accepted bigint NOT NULL DEFAULT 0,
    rows_rejected bigint NOT NULL DEFAULT 0,
    rows_duplicate bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX dataset_import_job_dataset ON dataset_import_job (dataset_id);

-- The first 1,000 rejected rows of an import; all are counted in the job.
CREATE TABLE import_row_error (
    dataset_import_job_id int NOT NULL REFERENCES dataset_import_job ON DELETE CASCADE,
    line bigint NOT NULL,
    reason text NOT NULL,
    PRIMARY KEY (dataset_import_job_id, line)
);

CREATE TABLE event_tracker (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dataset_group_id int NOT NULL CONSTRAINT event_tracker_group_unique UNIQUE CONSTRAINT event_tracker_dataset_group REFERENCES dataset_group,
    name text COLLATE "C" NOT NULL CONSTRAINT event_tracker_name_unique UNIQUE,
    suffix text NOT NULL CONSTRAINT event_tracker_suffix_unique UNIQUE,
    tracking_id uuid NOT NULL CONSTRAINT event_tracker_tracking_id_unique UNIQUE,
    secret_sealed bytea NOT NULL,          -- the site signs user ids with it
    origins text[] NOT NULL DEFAULT '{}',  -- allowed CORS origins
    status text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- Item and user records of a group's catalogue. `attributes` holds the schema's columns by name.
CREATE TABLE item_record (
    dataset_group_id int NOT NULL,
    item_id int NOT NULL,
    is_bulk boolean NOT NULL,
    created_at bigint,  -- CREATION_TIMESTAMP, epoch seconds
    revision bigint NOT NULL,
    attributes jsonb NOT NULL,
    PRIMARY KEY (dataset_group_id, item_id)
);
CREATE INDEX item_record_revision ON item_record (dataset_group_id, revision);

CREATE TABLE user_record (
    dataset_group_id int NOT NULL,
    user_id int NOT NULL,
    is_bulk boolean NOT NULL,
    attributes jsonb NOT NULL,
    PRIMARY KEY (dataset_group_id, user_id)
);
