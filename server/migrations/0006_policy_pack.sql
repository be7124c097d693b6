-- Policy packs as somebody proposed them: all their files, a JSON object of text by name. Which of them
-- is in force, the agreed approvals say; what came into force when, `activation`.
CREATE TABLE policy_pack (
    version TEXT PRIMARY KEY,
    files TEXT NOT NULL,
    proposed_by TEXT NOT NULL,
    proposed_at BIGINT NOT NULL
);

CREATE TRIGGER policy_pack_not_altered BEFORE UPDATE ON policy_pack
BEGIN SELECT RAISE(ABORT, 'a proposed policy is not altered'); END;
CREATE TRIGGER policy_pack_not_removed BEFORE DELETE ON policy_pack
BEGIN SELECT RAISE(ABORT, 'a proposed policy is not removed'); END;
