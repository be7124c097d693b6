-- Records of one kind at one station: movements seen, policies applied.
CREATE INDEX record_type ON record (type, station, at);

-- Which versions of policy and lists were in force from when on, and who answers for it. A pack that
-- nobody confirmed has an empty `confirmed_by`.
CREATE TABLE activation (
    number BIGINT PRIMARY KEY,
    at BIGINT NOT NULL,
    versions TEXT NOT NULL,
    proposed_by TEXT,
    confirmed_by TEXT
);
INSERT INTO counter (name, value) VALUES ('activation', 0);

-- What rules in shadow would have raised: compared, never shown at the counter. `also` is 1 where
-- the policy in force raised the same alert.
CREATE TABLE shadow_hit (
    rule TEXT NOT NULL,
    rule_version TEXT NOT NULL,
    station TEXT NOT NULL,
    inspection TEXT NOT NULL,
    at BIGINT NOT NULL,
    code TEXT NOT NULL,
    severity TEXT NOT NULL,
    also BIGINT NOT NULL,
    PRIMARY KEY (rule, rule_version, station, inspection)
);
CREATE INDEX shadow_hit_inspection ON shadow_hit (station, inspection);
