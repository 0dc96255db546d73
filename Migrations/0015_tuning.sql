-- Finished trials of a search for hyperparameters: a worker that takes a training over goes on where the last one ended.
CREATE TABLE tuning_trial (
    solution_version_id int NOT NULL REFERENCES solution_version ON DELETE CASCADE,
    rung smallint NOT NULL,
    number smallint NOT NULL,
    parameters json NOT NULL,
    quality double precision,     -- null: the setting could not be fitted
    seconds double precision NOT NULL,
    finished_at timestamptz NOT NULL,
    PRIMARY KEY (solution_version_id, rung, number)
);

ALTER TABLE solution_version
    ADD COLUMN tuned_parameters json,  -- of the search, or taken over from an earlier version's
    ADD COLUMN tuned_at timestamptz;   -- of the search itself

-- Of a solution that leaves the choice to us, known once its first training has made it.
ALTER TABLE solution ADD COLUMN auto_ml_recipe text;
