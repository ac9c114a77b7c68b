-- An append may bring events that are known already: then they are counted, and nothing is added.
ALTER TABLE append_source ADD COLUMN duplicates bigint NOT NULL DEFAULT 0 CHECK (duplicates >= 0);
ALTER TABLE append_source DROP CONSTRAINT append_source_first_check;
ALTER TABLE append_source ADD CONSTRAINT append_source_first_check CHECK (first >= 0);
