SELECT id, parent_id, child_id, kind, share_thousandths, coalesce(valid_from::text, ''),
       coalesce(valid_to::text, ''), source
FROM organisation_relation
WHERE parent_id = $1::uuid OR child_id = $1::uuid
ORDER BY id
LIMIT 500
