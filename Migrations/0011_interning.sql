-- Ids of texts, as before, but looked up one by one in the index: as a join, the planner read and hashed all keys of the group for the
-- handful of one event. Known texts, which are nearly all, take one statement.
CREATE OR REPLACE FUNCTION intern_users(group_id int, externals text[]) RETURNS int[] LANGUAGE plpgsql AS $$
DECLARE
    ids int[];
    missing text[];
    first_id int;
BEGIN
    ids := ARRAY(
        SELECT (SELECT k.id FROM user_key k WHERE k.dataset_group_id = group_id AND k.external_id = e.x COLLATE "C")
        FROM unnest(externals) WITH ORDINALITY AS e(x, place) ORDER BY e.place);
    IF array_position(ids, NULL) IS NULL THEN
        RETURN ids;
    END IF;
    SELECT array_agg(DISTINCT e.x COLLATE "C") INTO missing FROM unnest(externals, ids) AS e(x, id) WHERE e.id IS NULL;
    UPDATE group_revision SET next_user_id = next_user_id + cardinality(missing)
    WHERE dataset_group_id = group_id RETURNING next_user_id - cardinality(missing) INTO first_id;
    INSERT INTO user_key (dataset_group_id, id, external_id)
    SELECT group_id, first_id + place::int - 1, x FROM unnest(missing) WITH ORDINALITY AS m(x, place)
    ON CONFLICT (dataset_group_id, external_id) DO NOTHING;
    RETURN ARRAY(
        SELECT (SELECT k.id FROM user_key k WHERE k.dataset_group_id = group_id AND k.external_id = e.x COLLATE "C")
        FROM unnest(externals) WITH ORDINALITY AS e(x, place) ORDER BY e.place);
END
$$;

CREATE OR REPLACE FUNCTION intern_items(group_id int, externals text[]) RETURNS int[] LANGUAGE plpgsql AS $$
DECLARE
    ids int[];
    missing text[];
    first_id int;
BEGIN
    ids := ARRAY(
        SELECT (SELECT k.id FROM item_key k WHERE k.dataset_group_id = group_id AND k.external_id = e.x COLLATE "C")
        FROM unnest(externals) WITH ORDINALITY AS e(x, place) ORDER BY e.place);
    IF array_position(ids, NULL) IS NULL THEN
        RETURN ids;
    END IF;
    SELECT array_agg(DISTINCT e.x COLLATE "C") INTO missing FROM unnest(externals, ids) AS e(x, id) WHERE e.id IS NULL;
    UPDATE group_revision SET next_item_id = next_item_id + cardinality(missing)
    WHERE dataset_group_id = group_id RETURNING next_item_id - cardinality(missing) INTO first_id;
    INSERT INTO item_key (dataset_group_id, id, external_id)
    SELECT group_id, first_id + place::int - 1, x FROM unnest(missing) WITH ORDINALITY AS m(x, place)
    ON CONFLICT (dataset_group_id, external_id) DO NOTHING;
    RETURN ARRAY(
        SELECT (SELECT k.id FROM item_key k WHERE k.dataset_group_id = group_id AND k.external_id = e.x COLLATE "C")
        FROM unnest(externals) WITH ORDINALITY AS e(x, place) ORDER BY e.place);
END
$$;

CREATE OR REPLACE FUNCTION intern_event_types(group_id int, names text[]) RETURNS smallint[] LANGUAGE plpgsql AS $$
DECLARE
    ids smallint[];
BEGIN
    ids := ARRAY(
        SELECT (SELECT t.id FROM event_type t WHERE t.dataset_group_id = group_id AND lower(t.name) = lower(e.n))
        FROM unnest(names) WITH ORDINALITY AS e(n, place) ORDER BY e.place);
    IF array_position(ids, NULL) IS NULL THEN
        RETURN ids;
    END IF;
    PERFORM 1 FROM group_revision WHERE dataset_group_id = group_id FOR UPDATE;
    INSERT INTO event_type (dataset_group_id, id, name)
    SELECT group_id,
        (SELECT coalesce(max(id), -1) FROM event_type WHERE dataset_group_id = group_id) + row_number() OVER (ORDER BY min(o)),
        (array_agg(n ORDER BY o))[1]
    FROM unnest(names) WITH ORDINALITY AS u(n, o)
    WHERE NOT EXISTS (SELECT FROM event_type t WHERE t.dataset_group_id = group_id AND lower(t.name) = lower(n))
    GROUP BY lower(n);
    RETURN ARRAY(
        SELECT (SELECT t.id FROM event_type t WHERE t.dataset_group_id = group_id AND lower(t.name) = lower(e.n))
        FROM unnest(names) WITH ORDINALITY AS e(n, place) ORDER BY e.place);
END
$$;
