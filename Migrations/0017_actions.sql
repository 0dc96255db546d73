-- Next best actions. Interactions with actions lie in `interaction` beside those with items, as another dataset, so that imports, events
-- and erasures know one shape: there `item_id` is the number of an action, and `event_type` is 0 taken, 1 not taken, 2 viewed.
ALTER TABLE group_revision
    ADD COLUMN actions bigint NOT NULL DEFAULT 0,  -- action records; a worker that is behind loads all of them
    ADD COLUMN next_action_id int NOT NULL DEFAULT 0;

CREATE TABLE action_key (
    dataset_group_id int NOT NULL,
    id int NOT NULL,
    external_id text COLLATE "C" NOT NULL,
    PRIMARY KEY (dataset_group_id, id),
    CONSTRAINT action_key_external_unique UNIQUE (dataset_group_id, external_id)
);

CREATE TABLE action_record (
    dataset_group_id int NOT NULL,
    action_id int NOT NULL,
    is_bulk boolean NOT NULL,
    created_at bigint,  -- CREATION_TIMESTAMP, epoch seconds
    attributes jsonb NOT NULL,
    PRIMARY KEY (dataset_group_id, action_id)
);

-- As `history`, for actions: at most 100 entries per response, 2.7 KB in all.
CREATE TABLE action_history (
    dataset_group_id int NOT NULL,
    user_id int NOT NULL,
    entries bytea NOT NULL,
    PRIMARY KEY (dataset_group_id, user_id)
) WITH (fillfactor = 60);
ALTER TABLE action_history ALTER COLUMN entries SET STORAGE PLAIN;

CREATE UNIQUE INDEX dataset_tracking_id ON dataset (tracking_id) WHERE tracking_id IS NOT NULL;

-- As intern_items.
CREATE FUNCTION intern_actions(group_id int, externals text[]) RETURNS int[] LANGUAGE plpgsql AS $$
DECLARE
    ids int[];
    missing text[];
    first_id int;
BEGIN
    ids := ARRAY(
        SELECT (SELECT k.id FROM action_key k WHERE k.dataset_group_id = group_id AND k.external_id = e.x COLLATE "C")
        FROM unnest(externals) WITH ORDINALITY AS e(x, place) ORDER BY e.place);
    IF array_position(ids, NULL) IS NULL THEN
        RETURN ids;
    END IF;
    SELECT array_agg(DISTINCT e.x COLLATE "C") INTO missing FROM unnest(externals, ids) AS e(x, id) WHERE e.id IS NULL;
    UPDATE group_revision SET next_action_id = next_action_id + cardinality(missing)
    WHERE dataset_group_id = group_id RETURNING next_action_id - cardinality(missing) INTO first_id;
    INSERT INTO action_key (dataset_group_id, id, external_id)
    SELECT group_id, first_id + place::int - 1, x FROM unnest(missing) WITH ORDINALITY AS m(x, place)
    ON CONFLICT (dataset_group_id, external_id) DO NOTHING;
    RETURN ARRAY(
        SELECT (SELECT k.id FROM action_key k WHERE k.dataset_group_id = group_id AND k.external_id = e.x COLLATE "C")
        FROM unnest(externals) WITH ORDINALITY AS e(x, place) ORDER BY e.place);
END
$$;
