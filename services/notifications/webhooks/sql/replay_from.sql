-- From the log, after $3: what has been delivered is delivered again.
UPDATE webhook SET live = false, fed_through = $3::bigint
WHERE tenant_id = $1::uuid AND id = $2::uuid
