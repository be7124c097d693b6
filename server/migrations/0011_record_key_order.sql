-- The records of one key in the order of the ledger, latest first. The old index had the key but not the
-- order, and SQLite walked the whole station's records backwards instead: opening an inspection
-- took longer with every record the station had ever sent.
DROP INDEX record_key;
CREATE INDEX record_key ON record (station, key_id, epoch, seq);
