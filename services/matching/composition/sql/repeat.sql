-- Back into the queue.  No row: it has another version, or is queued already.
UPDATE composition SET state = 1, failure = '', version = version + 1
WHERE tenant_id = $1::uuid AND id = $2::uuid AND version = $3::bigint AND state <> 1
