-- The supervisor's desk. Numbers up to 0019 belong to what comes in, people and law; the desk begins
-- at 0020, so that each may go on where it is.

-- What alerts are found and ordered by, taken from their body and from their inspection's row.
ALTER TABLE alert ADD COLUMN open BIGINT NOT NULL DEFAULT 1;
-- Hundredths of the currency's unit.
ALTER TABLE alert ADD COLUMN amount BIGINT;
ALTER TABLE alert ADD COLUMN currency TEXT;
-- Names between commas: `,a,b,`.
ALTER TABLE alert ADD COLUMN rules TEXT NOT NULL DEFAULT '';
ALTER TABLE alert ADD COLUMN lists TEXT NOT NULL DEFAULT '';
-- `VVO-FNJ`
ALTER TABLE alert ADD COLUMN route TEXT NOT NULL DEFAULT '';
ALTER TABLE alert ADD COLUMN departs_at BIGINT;
ALTER TABLE alert ADD COLUMN snoozed_until BIGINT;
-- The alert that speaks for this one.
ALTER TABLE alert ADD COLUMN merged_into TEXT;

UPDATE alert SET open = 0 WHERE state = 'closed';
UPDATE alert SET amount = CAST(round(100 * CAST(json_extract(body, '$.amount.amount') AS REAL)) AS BIGINT),
    currency = json_extract(body, '$.amount.currency')
WHERE json_extract(body, '$.amount.currency') IS NOT NULL;
UPDATE alert SET rules = ',' || coalesce((SELECT group_concat(json_extract(value, '$.rule'), ',')
    FROM json_each(alert.body, '$.reasons')), '') || ',';
UPDATE alert SET lists = ',' || coalesce((SELECT group_concat(json_extract(value, '$.list'), ',')
    FROM json_each(alert.body, '$.hits')), '') || ',';
UPDATE alert SET route = coalesce((SELECT i.origin || '-' || i.destination FROM inspection i
    WHERE i.station = alert.station AND i.inspection = alert.inspection), '');

CREATE INDEX alert_open ON alert (open, weight DESC, raised_at DESC, id);
CREATE INDEX alert_state ON alert (state, station);
CREATE INDEX alert_subject ON alert (subject);
CREATE INDEX alert_merged ON alert (merged_into);
CREATE INDEX alert_raised ON alert (raised_at);
CREATE INDEX alert_assignee ON alert (assignee, open);
CREATE INDEX decision_at ON decision (at);
CREATE INDEX inspection_opened ON inspection (opened_at);
CREATE INDEX inspection_way ON inspection (origin, destination, designator);

-- Keyed terms by which inspections are found: of names, documents' holders, ships, addresses. They
-- hold no name, and go when a person is erased.
CREATE TABLE term (
    term BYTEA NOT NULL,
    at BIGINT NOT NULL,
    station TEXT NOT NULL,
    inspection TEXT NOT NULL,
    PRIMARY KEY (term, at, station, inspection)
);
CREATE INDEX term_inspection ON term (station, inspection);
CREATE TRIGGER term_erased AFTER INSERT ON erasure
BEGIN DELETE FROM term WHERE station = NEW.station AND inspection = NEW.inspection; END;

-- What each inspection declared and counted, hundredths of each currency's unit.
CREATE TABLE cash (
    station TEXT NOT NULL,
    inspection TEXT NOT NULL,
    currency TEXT NOT NULL,
    declared BIGINT,
    counted BIGINT,
    PRIMARY KEY (station, inspection, currency)
);
CREATE INDEX cash_counted ON cash (counted);
CREATE INDEX cash_declared ON cash (declared);

-- What has to be done by when. `kind`: detention, disclosure, fiu.
CREATE TABLE clock (
    station TEXT NOT NULL,
    inspection TEXT NOT NULL,
    kind TEXT NOT NULL,
    began_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    basis TEXT NOT NULL,
    met_at BIGINT,
    PRIMARY KEY (station, inspection, kind)
);
CREATE INDEX clock_due ON clock (met_at, due_at);

-- Filters that somebody keeps, for themselves or for all.
CREATE TABLE saved_view (
    owner TEXT NOT NULL,
    name TEXT NOT NULL,
    query TEXT NOT NULL,
    shared BIGINT NOT NULL,
    PRIMARY KEY (owner, name)
);

-- Alerts that are kept out of the queue for a time, with who answers for it and why.
CREATE TABLE silence (
    id TEXT PRIMARY KEY,
    code TEXT NOT NULL,
    -- Empty for every one.
    subject TEXT NOT NULL,
    station TEXT NOT NULL,
    author TEXT NOT NULL,
    reason TEXT NOT NULL,
    begun_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    ended_by TEXT,
    ended_at BIGINT,
    CHECK (ends_at > begun_at),
    -- A listed person is never silenced.
    CHECK (code NOT IN ('list_match', 'list_match_possible', 'retro_match', 'break_glass')),
    CHECK (subject <> '' OR station <> '')
);
CREATE INDEX silence_ends ON silence (ends_at);

-- Who was named with `@` in a comment.
CREATE TABLE mention (
    person TEXT NOT NULL,
    alert TEXT NOT NULL,
    at BIGINT NOT NULL,
    by_whom TEXT NOT NULL,
    seen_at BIGINT,
    PRIMARY KEY (person, alert, at)
);

-- Files beside an alert; their bytes are kept once, under their hash.
CREATE TABLE attachment (
    alert TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    name TEXT NOT NULL,
    media_type TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    added_by TEXT NOT NULL,
    added_at BIGINT NOT NULL,
    PRIMARY KEY (alert, sha256)
);
CREATE TABLE attached (
    sha256 TEXT PRIMARY KEY,
    content BYTEA NOT NULL
);

-- What the desk asks of a station, until the station's own record says that it was shown there.
CREATE TABLE station_order (
    id TEXT PRIMARY KEY,
    number BIGINT NOT NULL,
    alert TEXT NOT NULL,
    station TEXT NOT NULL,
    inspection TEXT NOT NULL,
    kind TEXT NOT NULL,
    text TEXT NOT NULL,
    ordered_by TEXT NOT NULL,
    ordered_at BIGINT NOT NULL,
    sent_at BIGINT,
    shown_at BIGINT
);
CREATE INDEX station_order_open ON station_order (shown_at, number);
CREATE INDEX station_order_alert ON station_order (alert);
INSERT INTO counter (name, value) VALUES ('station_order', 0);

-- Alerts of one matter, gathered.
CREATE TABLE case_file (
    id TEXT PRIMARY KEY,
    title TEXT NOT NULL,
    made_by TEXT NOT NULL,
    made_at BIGINT NOT NULL
);
CREATE INDEX case_file_made ON case_file (made_at);
CREATE TABLE case_alert (
    case_file TEXT NOT NULL REFERENCES case_file (id),
    alert TEXT NOT NULL,
    added_by TEXT NOT NULL,
    added_at BIGINT NOT NULL,
    PRIMARY KEY (case_file, alert)
);
CREATE INDEX case_alert_alert ON case_alert (alert);

-- Answers to requests that carried an idempotency key.
CREATE TABLE answered (
    key TEXT PRIMARY KEY,
    at BIGINT NOT NULL,
    request BYTEA NOT NULL,
    status BIGINT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX answered_at ON answered (at);
