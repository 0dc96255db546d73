-- One row: what makes this installation itself. The secret key is never here.
CREATE TABLE installation (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    account_id text NOT NULL CHECK (account_id ~ '^[0-9]{12}$'),
    region text NOT NULL DEFAULT 'us-east-1',
    key_check bytea NOT NULL,  -- sealed constant: tells a wrong secret.key at start
    created_at timestamptz NOT NULL DEFAULT now()
);

-- The role that programs run with: no DDL, and INSERT and SELECT only on the audit. Where the owner may not make roles, programs run as the owner.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tastemaker_app') THEN
        CREATE ROLE tastemaker_app NOLOGIN;
    END IF;
EXCEPTION
    WHEN insufficient_privilege OR duplicate_object OR unique_violation THEN NULL;
END
$$;

DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'tastemaker_app') THEN
        IF NOT pg_has_role(current_user, 'tastemaker_app', 'MEMBER') THEN
            EXECUTE format('GRANT tastemaker_app TO %I', current_user);
        END IF;
        GRANT USAGE ON SCHEMA tastemaker TO tastemaker_app;
        GRANT SELECT ON ALL TABLES IN SCHEMA tastemaker TO tastemaker_app;
        GRANT INSERT ON installation TO tastemaker_app;
        ALTER DEFAULT PRIVILEGES IN SCHEMA tastemaker GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO tastemaker_app;
        ALTER DEFAULT PRIVILEGES IN SCHEMA tastemaker GRANT USAGE ON SEQUENCES TO tastemaker_app;
    END IF;
EXCEPTION
    WHEN insufficient_privilege THEN NULL;
END
$$;
