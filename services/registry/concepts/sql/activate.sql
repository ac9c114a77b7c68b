-- What goes out of use stays known to matching: profiles name it.
WITH changed AS (
    UPDATE concept SET active = (vocabulary = $1), retired = (vocabulary <> $1)
    WHERE active <> (vocabulary = $1)
)
SELECT count(*) FROM concept WHERE vocabulary = $1
