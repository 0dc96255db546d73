-- What people find items by: the title in small letters, or the id where there is none. A narrow copy, since the records are wide and
-- partly stored out of line: a search for a piece of a title reads all of a group's. Kept by the database, whoever writes the records.
CREATE TABLE item_title (
    dataset_group_id int NOT NULL,
    item_id int NOT NULL,
    title text NOT NULL,
    PRIMARY KEY (dataset_group_id, item_id)
);

CREATE FUNCTION write_item_titles() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO item_title (dataset_group_id, item_id, title)
    SELECT r.dataset_group_id, r.item_id, lower(left(coalesce(r.attributes ->> (g.display_columns ->> 'title'), k.external_id), 500))
    FROM written r
    JOIN dataset_group g ON g.id = r.dataset_group_id
    JOIN item_key k ON k.dataset_group_id = r.dataset_group_id AND k.id = r.item_id
    ORDER BY r.dataset_group_id, r.item_id
    ON CONFLICT (dataset_group_id, item_id) DO UPDATE SET title = excluded.title WHERE item_title.title <> excluded.title;
    RETURN NULL;
END
$$;
CREATE TRIGGER item_record_inserted AFTER INSERT ON item_record REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION write_item_titles();
CREATE TRIGGER item_record_updated AFTER UPDATE ON item_record REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION write_item_titles();

CREATE FUNCTION delete_item_titles() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM item_title t USING removed r WHERE t.dataset_group_id = r.dataset_group_id AND t.item_id = r.item_id;
    RETURN NULL;
END
$$;
CREATE TRIGGER item_record_deleted AFTER DELETE ON item_record REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION delete_item_titles();

-- Another column is the title from now on.
CREATE FUNCTION rewrite_item_titles() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE item_title t
    SET title = lower(left(coalesce(r.attributes ->> (NEW.display_columns ->> 'title'), k.external_id), 500))
    FROM item_record r JOIN item_key k ON k.dataset_group_id = r.dataset_group_id AND k.id = r.item_id
    WHERE t.dataset_group_id = NEW.id AND r.dataset_group_id = NEW.id AND r.item_id = t.item_id;
    RETURN NULL;
END
$$;
CREATE TRIGGER dataset_group_title_changed AFTER UPDATE OF display_columns ON dataset_group FOR EACH ROW
    WHEN ((OLD.display_columns ->> 'title') IS DISTINCT FROM (NEW.display_columns ->> 'title')) EXECUTE FUNCTION rewrite_item_titles();

INSERT INTO item_title (dataset_group_id, item_id, title)
SELECT r.dataset_group_id, r.item_id, lower(left(coalesce(r.attributes ->> (g.display_columns ->> 'title'), k.external_id), 500))
FROM item_record r
JOIN dataset_group g ON g.id = r.dataset_group_id
JOIN item_key k ON k.dataset_group_id = r.dataset_group_id AND k.id = r.item_id;
