UPDATE webhook SET slow_until = now() + $3::bigint * interval '1 millisecond'
WHERE tenant_id = $1::uuid AND id = $2::uuid
