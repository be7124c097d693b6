-- What fills in the past (a backlog, everything under a new list) is assessed when nothing new waits.
ALTER TABLE pending ADD COLUMN behind BIGINT NOT NULL DEFAULT 0;
DROP INDEX pending_number;
CREATE INDEX pending_order ON pending (behind, number);
