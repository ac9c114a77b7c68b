-- Up to where suggestions were made: by this index or shard, or before the number of shards
-- changed, by all of those that got furthest.  Names are 'suggestions' or 'suggestions 2/4'.
SELECT greatest(
    (SELECT position FROM listener WHERE name = $1),
    (SELECT min(position) FROM listener
     WHERE name LIKE 'suggestions%' AND split_part(name, '/', 2) <> split_part($1, '/', 2)
     GROUP BY split_part(name, '/', 2)
     HAVING count(*) = coalesce(nullif(split_part(name, '/', 2), ''), '1')::bigint
     ORDER BY max(position) DESC LIMIT 1))
