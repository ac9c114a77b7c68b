-- No row: the lease ended and another instance has it.
DELETE FROM composition_job
WHERE tenant_id = $1::uuid AND composition_id = $2::uuid AND attempts = $3::bigint
