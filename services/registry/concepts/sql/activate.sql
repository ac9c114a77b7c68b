-- $1 vocabulary, $2 those in use stay.  What goes out of use stays known to matching: profiles name
-- it.
WITH changed AS (
    UPDATE concept SET active = (vocabulary = $1), retired = (vocabulary <> $1)
    WHERE active <> (vocabulary = $1) AND (vocabulary = $1 OR NOT $2)
)
SELECT count(*) FROM concept WHERE vocabulary = $1
