-- No row: the lease ended and another instance has it.
DELETE FROM composition_job WHERE composition_id = $1::uuid AND attempts = $2::bigint
