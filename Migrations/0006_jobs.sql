-- available -> running -> completed | discarded (attempts used up) | cancelled; a failed attempt goes back to available with a later run_at.
CREATE TABLE job (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL,
    payload jsonb NOT NULL DEFAULT '{}',
    dataset_group_id int,
    unique_key text,             -- at most one live job per key
    state text NOT NULL DEFAULT 'available' CHECK (state IN ('available', 'running', 'completed', 'cancelled', 'discarded')),
    priority smallint NOT NULL DEFAULT 1,
    run_at timestamptz NOT NULL DEFAULT now(),
    attempt smallint NOT NULL DEFAULT 0,      -- counted at claim; the fencing number of everything the attempt publishes
    max_attempts smallint NOT NULL DEFAULT 3,
    lease_until timestamptz,                  -- on the database's clock
    worker text,
    cancel_requested boolean NOT NULL DEFAULT false,
    progress real NOT NULL DEFAULT 0 CHECK (progress BETWEEN 0 AND 1),
    message text,
    error text,
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    finished_at timestamptz,
    CHECK ((state = 'running') = (lease_until IS NOT NULL))
);
CREATE UNIQUE INDEX job_unique_key ON job (unique_key) WHERE state IN ('available', 'running');
CREATE INDEX job_claim ON job (priority, run_at, id) WHERE state = 'available';
CREATE INDEX job_lease ON job (lease_until) WHERE state = 'running';
CREATE INDEX job_finished ON job (finished_at) WHERE finished_at IS NOT NULL;
