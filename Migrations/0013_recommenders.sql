-- A use case of a domain, trained and served as one resource. The work is that of a solution and a campaign of its own, which no list
-- shows: their names, "recommender/" and the recommender's, are none that people can give.
CREATE TABLE recommender (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text COLLATE "C" NOT NULL CONSTRAINT recommender_name_unique UNIQUE,
    dataset_group_id int NOT NULL CONSTRAINT recommender_dataset_group REFERENCES dataset_group,
    config json,                  -- in force; echoed exactly as given; null when none was given
    latest_update json,           -- the wanted configuration, and the version whose training it waits for
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX recommender_group ON recommender (dataset_group_id);

ALTER TABLE solution ADD COLUMN recommender_id int CONSTRAINT solution_recommender_unique UNIQUE REFERENCES recommender;
ALTER TABLE campaign ADD COLUMN recommender_id int CONSTRAINT campaign_recommender_unique UNIQUE REFERENCES recommender;
