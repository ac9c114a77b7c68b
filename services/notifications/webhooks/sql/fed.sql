UPDATE webhook SET live = $3, fed_through = $4::bigint
WHERE tenant_id = $1::uuid AND id = $2::uuid AND state = 2
