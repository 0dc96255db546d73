-- Exploration counts what imported and put events name as shown over the last weeks. Few events name anything, so their own index keeps
-- the count from reading all events of these weeks.
CREATE INDEX interaction_impressions ON interaction (dataset_id, occurred_at) WHERE part > 0 AND jsonb_exists(properties, 'IMPRESSION');
