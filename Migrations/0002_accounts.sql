CREATE TABLE account (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    login text COLLATE "C" NOT NULL CONSTRAINT account_login_unique UNIQUE CHECK (length(login) BETWEEN 1 AND 100),
    role text NOT NULL CHECK (role IN ('admin', 'marketer', 'analyst', 'operator', 'read-only')),
    password_hash text,
    -- A one-time secret (printed password or link token), hashed. It forces a new password and dies when used.
    one_time_hash bytea,
    one_time_expires_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    disabled_at timestamptz,
    CHECK ((one_time_hash IS NULL) = (one_time_expires_at IS NULL))
);

CREATE TABLE session (
    token_hash bytea PRIMARY KEY,
    account_id int NOT NULL REFERENCES account ON DELETE CASCADE,
    must_change_password boolean NOT NULL DEFAULT false,
    dataset_group_id int,  -- the group the person works in; a hint, not a right
    created_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX session_account ON session (account_id);

-- Failed sign-ins by keyed hash of account or address: addresses themselves are not stored.
CREATE TABLE sign_in_failure (
    subject bytea NOT NULL,
    at timestamptz NOT NULL
);
CREATE INDEX sign_in_failure_subject ON sign_in_failure (subject, at);

-- AWS key pairs. The secret must be recoverable for SigV4, so it is sealed with the server's key.
CREATE TABLE access_key (
    id text COLLATE "C" PRIMARY KEY,
    name text NOT NULL,
    secret_sealed bytea NOT NULL,
    dataset_group_id int,  -- null: the whole account
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz,
    disabled_at timestamptz
);

-- Bearer keys of our own API. Only the hash is kept.
CREATE TABLE api_key (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    key_hash bytea NOT NULL CONSTRAINT api_key_hash_unique UNIQUE,
    scopes text[] NOT NULL CHECK (scopes <@ ARRAY['recommend', 'catalogue', 'users', 'metrics', 'events']),
    dataset_group_id int,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz,
    disabled_at timestamptz
);

-- Append-only for the programs: each change and each denied call, in the transaction of the change.
CREATE TABLE audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    request_id text,
    actor_kind text NOT NULL CHECK (actor_kind IN ('account', 'access-key', 'api-key', 'tracker', 'system', 'command')),
    actor text NOT NULL,
    action text NOT NULL,     -- the contract's operation name, or ours in the same style
    resource text,            -- ARN path (campaign/name) or our kind/id
    dataset_group_id int,
    parameters jsonb NOT NULL DEFAULT '{}',
    error_code text           -- set when the call was refused
);
CREATE INDEX audit_resource ON audit (resource, id);
CREATE INDEX audit_group ON audit (dataset_group_id, id);

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'tastemaker_app') THEN
        REVOKE UPDATE, DELETE ON audit FROM tastemaker_app;
    END IF;
END
$$;
