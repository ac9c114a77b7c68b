UPDATE round_run SET sheet = $3::bytea WHERE round_id = $1::uuid AND run = $2::bigint
