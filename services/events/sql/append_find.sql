SELECT digest, first, last FROM append_source
WHERE tenant_id = $1 AND source = $2 AND batch_number = $3
