-- Four eyes as rules of the tables themselves: whatever the program above does, nobody agrees to
-- their own request, nor to what they had a hand in, and what takes two is not done without.

ALTER TABLE approval ADD COLUMN spent_at BIGINT;

-- Who had a hand in the facts: counted the cash. They agree to nothing about it.
CREATE TABLE approval_hand (
    approval TEXT NOT NULL REFERENCES approval (id),
    person TEXT NOT NULL,
    PRIMARY KEY (approval, person)
);

-- Keys of an inspection that were erased; they do not come back with a batch sent again.
CREATE TABLE erasure (
    station TEXT NOT NULL,
    inspection TEXT NOT NULL,
    key_id BYTEA NOT NULL,
    approval TEXT NOT NULL REFERENCES approval (id),
    at BIGINT NOT NULL,
    PRIMARY KEY (station, inspection)
);
CREATE INDEX erasure_key ON erasure (station, key_id);

-- A list's entry that is known not to be this traveller (by the token of the travel document).
CREATE TABLE list_override (
    subject TEXT NOT NULL,
    list TEXT NOT NULL,
    entry TEXT NOT NULL,
    approval TEXT NOT NULL REFERENCES approval (id),
    at BIGINT NOT NULL,
    PRIMARY KEY (subject, list, entry)
);

-- Personal data that left: once for each approval.
CREATE TABLE personal_export (
    approval TEXT PRIMARY KEY REFERENCES approval (id),
    at BIGINT NOT NULL,
    sha256 TEXT NOT NULL
);

-- Rights beyond one's own, for a time. Somebody else looks at what was done with them.
CREATE TABLE break_glass (
    approval TEXT PRIMARY KEY REFERENCES approval (id),
    account TEXT NOT NULL REFERENCES account (id),
    site TEXT NOT NULL,
    role TEXT NOT NULL,
    begun_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    reviewed_by TEXT,
    reviewed_at BIGINT,
    verdict TEXT,
    CHECK (ends_at > begun_at AND ends_at - begun_at <= 14400000000),
    CHECK (reviewed_by IS NULL OR reviewed_by <> account)
);
CREATE INDEX break_glass_account ON break_glass (account, ends_at);

CREATE TRIGGER approval_is_asked_first BEFORE INSERT ON approval
WHEN NEW.agreed_by IS NOT NULL OR NEW.agreed_at IS NOT NULL OR NEW.spent_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'an approval is asked for before it is given'); END;

CREATE TRIGGER approval_stays BEFORE UPDATE ON approval
WHEN NEW.id <> OLD.id OR NEW.matter <> OLD.matter OR NEW.object <> OLD.object
    OR NEW.site <> OLD.site OR NEW.reason <> OLD.reason OR NEW.detail <> OLD.detail
    OR NEW.asked_by <> OLD.asked_by OR NEW.asked_at <> OLD.asked_at
    OR OLD.spent_at IS NOT NULL
    OR (OLD.agreed_by IS NOT NULL AND (NEW.agreed_by IS NULL OR NEW.agreed_by <> OLD.agreed_by
        OR NEW.agreed_at <> OLD.agreed_at OR NEW.refused <> OLD.refused))
BEGIN SELECT RAISE(ABORT, 'what was asked and answered stays as it is'); END;

CREATE TRIGGER approval_not_by_a_hand BEFORE UPDATE ON approval
WHEN NEW.agreed_by IS NOT NULL AND NEW.refused = 0
    AND EXISTS (SELECT 1 FROM approval_hand
                WHERE approval = NEW.id AND person = NEW.agreed_by)
BEGIN SELECT RAISE(ABORT, 'who had a hand in it does not agree to it'); END;

CREATE TRIGGER approval_spent_when_given BEFORE UPDATE ON approval
WHEN NEW.spent_at IS NOT NULL AND (NEW.agreed_by IS NULL OR NEW.refused <> 0)
BEGIN SELECT RAISE(ABORT, 'this was not agreed to'); END;

CREATE TRIGGER approval_not_removed BEFORE DELETE ON approval
BEGIN SELECT RAISE(ABORT, 'an approval is not removed'); END;
CREATE TRIGGER approval_hand_not_removed BEFORE DELETE ON approval_hand
BEGIN SELECT RAISE(ABORT, 'a hand in a matter is not removed'); END;
CREATE TRIGGER approval_hand_not_altered BEFORE UPDATE ON approval_hand
BEGIN SELECT RAISE(ABORT, 'a hand in a matter is not altered'); END;

-- Where there are accounts, an alert about a listed person or company is closed by two.
CREATE TRIGGER alert_listed_closed_by_two BEFORE UPDATE ON alert
WHEN NEW.state = 'closed' AND OLD.state <> 'closed'
    AND OLD.code IN ('list_match', 'list_match_possible')
    AND EXISTS (SELECT 1 FROM account)
    AND NOT EXISTS (SELECT 1 FROM approval
        WHERE matter IN ('close_list_match', 'override_list') AND object = OLD.id
          AND agreed_by IS NOT NULL AND refused = 0 AND spent_at IS NULL)
BEGIN SELECT RAISE(ABORT, 'an alert about a listed person or company is closed by two'); END;

CREATE TRIGGER alert_listed_closed AFTER UPDATE ON alert
WHEN NEW.state = 'closed' AND OLD.state <> 'closed'
    AND OLD.code IN ('list_match', 'list_match_possible')
BEGIN
    UPDATE approval SET spent_at = NEW.changed_at
    WHERE matter IN ('close_list_match', 'override_list') AND object = OLD.id AND agreed_by IS NOT NULL
      AND refused = 0 AND spent_at IS NULL;
END;

CREATE TRIGGER alert_listed_not_born_closed BEFORE INSERT ON alert
WHEN NEW.state = 'closed' AND NEW.code IN ('list_match', 'list_match_possible')
    AND EXISTS (SELECT 1 FROM account)
    AND NOT EXISTS (SELECT 1 FROM alert WHERE id = NEW.id)
    AND NOT EXISTS (SELECT 1 FROM list_override WHERE subject = NEW.subject)
BEGIN SELECT RAISE(ABORT, 'an alert about a listed person or company is closed by two'); END;

CREATE TRIGGER activation_by_two BEFORE INSERT ON activation
WHEN NEW.proposed_by IS NOT NULL AND NOT EXISTS (SELECT 1 FROM approval
    WHERE matter = 'activate_policy' AND asked_by = NEW.proposed_by
      AND agreed_by = NEW.confirmed_by AND refused = 0)
BEGIN SELECT RAISE(ABORT, 'a policy that somebody proposed comes into force by two'); END;

CREATE TRIGGER erasure_by_two BEFORE INSERT ON erasure
WHEN NOT EXISTS (SELECT 1 FROM approval WHERE id = NEW.approval AND matter = 'erase'
    AND object = NEW.station || '/' || NEW.inspection
    AND agreed_by IS NOT NULL AND refused = 0 AND spent_at IS NULL)
BEGIN SELECT RAISE(ABORT, 'keys are erased by two'); END;

CREATE TRIGGER body_key_erased_by_two BEFORE UPDATE ON body_key
WHEN OLD.wrapped IS NOT NULL AND NEW.wrapped IS NULL
    AND NOT EXISTS (SELECT 1 FROM erasure WHERE station = OLD.station AND key_id = OLD.key_id)
BEGIN SELECT RAISE(ABORT, 'keys are erased by two'); END;

CREATE TRIGGER body_key_stays_erased_update BEFORE UPDATE ON body_key
WHEN NEW.wrapped IS NOT NULL
    AND EXISTS (SELECT 1 FROM erasure WHERE station = NEW.station AND key_id = NEW.key_id)
BEGIN SELECT RAISE(IGNORE); END;

CREATE TRIGGER body_key_stays_erased_insert BEFORE INSERT ON body_key
WHEN NEW.wrapped IS NOT NULL
    AND EXISTS (SELECT 1 FROM erasure WHERE station = NEW.station AND key_id = NEW.key_id)
BEGIN SELECT RAISE(IGNORE); END;

CREATE TRIGGER list_override_by_two BEFORE INSERT ON list_override
WHEN NOT EXISTS (SELECT 1 FROM approval WHERE id = NEW.approval AND matter = 'override_list'
    AND agreed_by IS NOT NULL AND refused = 0 AND spent_at IS NULL)
BEGIN SELECT RAISE(ABORT, 'a hit is set aside by two'); END;

CREATE TRIGGER personal_export_by_two BEFORE INSERT ON personal_export
WHEN NOT EXISTS (SELECT 1 FROM approval WHERE id = NEW.approval AND matter = 'export_personal'
    AND agreed_by IS NOT NULL AND refused = 0 AND spent_at IS NULL)
BEGIN SELECT RAISE(ABORT, 'personal data leaves by two'); END;

CREATE TRIGGER break_glass_by_two BEFORE INSERT ON break_glass
WHEN NOT EXISTS (SELECT 1 FROM approval WHERE id = NEW.approval AND matter = 'break_glass'
    AND asked_by = NEW.account AND site = NEW.site AND object = NEW.role
    AND agreed_by IS NOT NULL AND refused = 0 AND spent_at IS NULL)
BEGIN SELECT RAISE(ABORT, 'rights beyond one''s own are given by two'); END;

CREATE TRIGGER break_glass_stays BEFORE UPDATE ON break_glass
WHEN NEW.approval <> OLD.approval OR NEW.account <> OLD.account OR NEW.site <> OLD.site
    OR NEW.role <> OLD.role OR NEW.begun_at <> OLD.begun_at OR NEW.ends_at > OLD.ends_at
    OR OLD.reviewed_by IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'what was given stays as it is'); END;

-- The audit only grows, and goes out with the bundle: it shares the order of arrival.
ALTER TABLE audit ADD COLUMN arrival BIGINT;
UPDATE audit SET arrival = number + (SELECT value FROM counter WHERE name = 'arrival');
UPDATE counter SET value = value + (SELECT value FROM counter WHERE name = 'audit')
WHERE name = 'arrival';
CREATE UNIQUE INDEX audit_arrival ON audit (arrival);

CREATE TRIGGER audit_not_altered BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit is not altered'); END;
CREATE TRIGGER audit_not_removed BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit is not removed'); END;

-- What an officer signs in with at a station, on top of the account: Argon2id of the PIN, and the
-- digest of the badge. `station_serial` grows with each change that stations must hear of.
ALTER TABLE account ADD COLUMN pin TEXT;
ALTER TABLE account ADD COLUMN badge BYTEA;
CREATE UNIQUE INDEX account_badge ON account (badge);
-- Who they are at the authority's own sign-in: issuer and subject.
ALTER TABLE account ADD COLUMN outside TEXT;
CREATE UNIQUE INDEX account_outside ON account (outside);
INSERT INTO counter (name, value) VALUES ('station_accounts', 0);
