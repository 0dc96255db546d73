-- Marks are looked up and taken away by group.
CREATE INDEX activity_mark_group ON activity_mark (dataset_group_id);
