-- Who depends on whom: control, group, or a share of $1 thousandths and more.
SELECT parent_id::text, child_id::text
FROM registry.published_ownership
WHERE kind IN (2, 3) OR (kind = 1 AND share_thousandths >= $1::bigint)
ORDER BY parent_id, child_id
LIMIT $2::bigint
