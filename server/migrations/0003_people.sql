-- Who may do what, who is signed in, what takes two persons, and the audit.

CREATE TABLE account (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    -- JSON: roles by site; `*` is every site.
    grants TEXT NOT NULL,
    -- Argon2id, PHC string; NULL for one who signs in elsewhere.
    password TEXT,
    must_change BIGINT NOT NULL,
    -- The second factor's secret, base32, sealed; NULL without one.
    factor BYTEA,
    factor_step BIGINT,
    failures BIGINT NOT NULL,
    failed_at BIGINT,
    made_at BIGINT NOT NULL,
    ended_at BIGINT,
    version BIGINT NOT NULL
);

-- SHA-256 of the token in the browser.
CREATE TABLE session (
    digest BYTEA PRIMARY KEY,
    account TEXT NOT NULL REFERENCES account (id),
    begun_at BIGINT NOT NULL,
    used_at BIGINT NOT NULL,
    address TEXT NOT NULL,
    agent TEXT NOT NULL
);
CREATE INDEX session_account ON session (account);

-- The digest of the code of the first start; empty once it is used.
CREATE TABLE setup (
    digest BYTEA PRIMARY KEY
);

-- What one asked for and another agreed to.
CREATE TABLE approval (
    id TEXT PRIMARY KEY,
    matter TEXT NOT NULL,
    object TEXT NOT NULL,
    site TEXT NOT NULL,
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    asked_by TEXT NOT NULL,
    asked_at BIGINT NOT NULL,
    agreed_by TEXT,
    agreed_at BIGINT,
    refused BIGINT NOT NULL,
    CHECK (agreed_by IS NULL OR agreed_by <> asked_by)
);
CREATE INDEX approval_object ON approval (matter, object);

-- Who did and read what; `link` chains each entry to the one before.
CREATE TABLE audit (
    number BIGINT PRIMARY KEY,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    object TEXT NOT NULL,
    outcome TEXT NOT NULL,
    details TEXT NOT NULL,
    link BYTEA NOT NULL
);
INSERT INTO counter (name, value) VALUES ('audit', 0);
CREATE INDEX audit_actor ON audit (actor, number);
CREATE INDEX audit_object ON audit (object, number);
