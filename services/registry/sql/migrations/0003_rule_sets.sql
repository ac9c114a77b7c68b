-- Which versions of which rule sets have been published: public facts, added to and never changed.

CREATE TABLE rule_set (
    rule_set       text NOT NULL,
    version        integer NOT NULL CHECK (version > 0),
    programme_code text NOT NULL,
    valid_from     date,
    valid_until    date,
    checksum       text NOT NULL,  -- BLAKE2b-256 of the document
    document       text NOT NULL,
    published_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (rule_set, version),
    UNIQUE (programme_code, version)
);

GRANT SELECT, INSERT ON rule_set TO app_registry;
