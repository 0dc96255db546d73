-- How probable it was that each place of a list shows what it shows, where chance had a hand in it; null: nothing was left to chance.
-- Parallel to `items`. What was clicked, divided by these, estimates what another way to choose would have earned.
ALTER TABLE shown ADD COLUMN propensities real[];

-- Our own options of a campaign (re-ranking), as /v1/campaigns/NAME/options gives them; null: none. The door has a scope of its own.
ALTER TABLE campaign ADD COLUMN options json;

ALTER TABLE api_key DROP CONSTRAINT api_key_scopes_check,
    ADD CONSTRAINT api_key_scopes_check CHECK (scopes <@ ARRAY['recommend', 'catalogue', 'users', 'metrics', 'events', 'campaigns']);
