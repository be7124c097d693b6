-- The server's tables. Portable subset only (SQLite, PostgreSQL and its distributed kin): BIGINT
-- microseconds for times, TEXT ids, BYTEA bytes, no triggers, no partial or expression indexes,
-- no auto-increment. Numbers that order things come from `counter`, whose row serialises writers.

CREATE TABLE counter (
    name TEXT PRIMARY KEY,
    value BIGINT NOT NULL
);
INSERT INTO counter (name, value) VALUES ('arrival', 0), ('change', 0), ('pending', 0), ('bundle', 0);

-- One row a station: its keys and what it last said of itself.
CREATE TABLE station (
    station TEXT PRIMARY KEY,
    signing_key TEXT NOT NULL,
    enrolled_at BIGINT NOT NULL,
    arrival BIGINT NOT NULL,
    revoked_at BIGINT,
    online BIGINT NOT NULL DEFAULT 0,
    seen_at BIGINT,
    presence TEXT
);

-- Every record as it came. `arrival` numbers what the server took, in the order of its commits.
CREATE TABLE record (
    station TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    arrival BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    at BIGINT NOT NULL,
    type TEXT NOT NULL,
    key_id BYTEA NOT NULL,
    subject BYTEA,
    previous BYTEA NOT NULL,
    hash BYTEA NOT NULL,
    stored BYTEA NOT NULL,
    PRIMARY KEY (station, epoch, seq)
);
CREATE UNIQUE INDEX record_arrival ON record (arrival);
CREATE INDEX record_key ON record (station, key_id);
CREATE INDEX record_subject ON record (subject, at);

-- Batches that contradict what is on disk, kept whole beside it.
CREATE TABLE branch (
    station TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    first BIGINT NOT NULL,
    last BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    PRIMARY KEY (station, epoch, first, last, hash)
);

-- Their records: evidence, never assessed.
CREATE TABLE fork (
    station TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    previous BYTEA NOT NULL,
    received_at BIGINT NOT NULL,
    stored BYTEA NOT NULL,
    PRIMARY KEY (station, epoch, seq, hash)
);

-- Unbroken runs of records whose chain holds within the run.
CREATE TABLE run (
    station TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    first BIGINT NOT NULL,
    last BIGINT NOT NULL,
    previous BYTEA NOT NULL,
    hash BYTEA NOT NULL,
    PRIMARY KEY (station, epoch, first)
);

-- What stations signed: the proof that a head was theirs.
CREATE TABLE signed_head (
    station TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    statement BYTEA NOT NULL,
    signature BYTEA NOT NULL,
    received_at BIGINT NOT NULL,
    PRIMARY KEY (station, epoch, seq, hash)
);

-- Keys of inspections, wrapped for this server. Erasing a person empties `wrapped`.
CREATE TABLE body_key (
    station TEXT NOT NULL,
    key_id BYTEA NOT NULL,
    wrapped BYTEA,
    PRIMARY KEY (station, key_id)
);

-- Messages that were refused, the latest of them.
CREATE TABLE quarantine (
    id TEXT PRIMARY KEY,
    received_at BIGINT NOT NULL,
    topic TEXT NOT NULL,
    reason TEXT NOT NULL,
    payload BYTEA NOT NULL
);
CREATE INDEX quarantine_received ON quarantine (received_at);

-- What waits for assessment; written with the records, removed when done.
CREATE TABLE pending (
    kind TEXT NOT NULL,
    station TEXT NOT NULL,
    detail TEXT NOT NULL,
    number BIGINT NOT NULL,
    PRIMARY KEY (kind, station, detail)
);
CREATE INDEX pending_number ON pending (number);

-- What is known of each inspection without opening it: nothing here names a person.
CREATE TABLE inspection (
    station TEXT NOT NULL,
    inspection TEXT NOT NULL,
    key_id BYTEA NOT NULL,
    subject BYTEA,
    opened_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    records BIGINT NOT NULL,
    direction TEXT,
    role TEXT,
    mode TEXT,
    designator TEXT,
    origin TEXT,
    destination TEXT,
    decision TEXT,
    -- What later assessments are to know of it; emptied when a person is erased.
    digest TEXT,
    PRIMARY KEY (station, inspection)
);
CREATE INDEX inspection_last ON inspection (last_at);
CREATE INDEX inspection_subject ON inspection (subject);

-- Alerts as they stand. `body` is the alert's JSON; the other columns are for finding it.
CREATE TABLE alert (
    id TEXT PRIMARY KEY,
    code TEXT NOT NULL,
    severity TEXT NOT NULL,
    weight BIGINT NOT NULL,
    station TEXT NOT NULL,
    inspection TEXT,
    subject TEXT,
    state TEXT NOT NULL,
    assignee TEXT,
    standing BIGINT NOT NULL,
    raised_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX alert_weight ON alert (weight, raised_at, id);
CREATE INDEX alert_inspection ON alert (station, inspection);

-- Every version of every alert, for bundles that can be made again.
CREATE TABLE alert_version (
    arrival BIGINT PRIMARY KEY,
    id TEXT NOT NULL,
    version BIGINT NOT NULL,
    at BIGINT NOT NULL,
    state TEXT NOT NULL,
    body TEXT NOT NULL
);

-- What people and the engine did with alerts. Never changed, never removed.
CREATE TABLE decision (
    arrival BIGINT PRIMARY KEY,
    alert TEXT NOT NULL,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    from_state TEXT NOT NULL,
    to_state TEXT NOT NULL,
    reason TEXT NOT NULL,
    text TEXT NOT NULL
);
CREATE INDEX decision_alert ON decision (alert, arrival);

-- What changed, for readers that follow with a cursor.
CREATE TABLE change_log (
    cursor BIGINT PRIMARY KEY,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    reference TEXT NOT NULL
);

-- Nightly bundles: a range of arrivals each, chained by their manifests.
CREATE TABLE bundle (
    number BIGINT PRIMARY KEY,
    name TEXT NOT NULL,
    first BIGINT NOT NULL,
    last BIGINT NOT NULL,
    built_at BIGINT NOT NULL,
    previous TEXT,
    manifest_sha256 TEXT NOT NULL,
    manifest TEXT NOT NULL,
    state TEXT NOT NULL,
    receipt TEXT,
    receipted_at BIGINT
);

-- Headquarters: what came in from servers, and what became of it.
CREATE TABLE incoming (
    manifest_sha256 TEXT PRIMARY KEY,
    server TEXT NOT NULL,
    number BIGINT NOT NULL,
    name TEXT NOT NULL,
    received_at BIGINT NOT NULL,
    state TEXT NOT NULL,
    checks TEXT NOT NULL,
    manifest TEXT NOT NULL,
    receipt TEXT NOT NULL
);
CREATE INDEX incoming_server ON incoming (server, number);
