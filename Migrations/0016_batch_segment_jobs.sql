-- Segments of users for every line of an input; the answers lie in the store under the names that the contract gives them.
CREATE TABLE batch_segment_job (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text COLLATE "C" NOT NULL CONSTRAINT batch_segment_job_name_unique UNIQUE,
    solution_version_id int NOT NULL REFERENCES solution_version ON DELETE CASCADE,
    user_count int NOT NULL CHECK (user_count BETWEEN 1 AND 5000000),  -- per segment at most
    job_input json NOT NULL,   -- as given: s3DataSource {path, kmsKeyArn}
    job_output json NOT NULL,  -- as given: s3DataDestination {path, kmsKeyArn}
    role_arn text NOT NULL,
    status text NOT NULL,
    failure_reason text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX batch_segment_job_version ON batch_segment_job (solution_version_id);
