SELECT count(*) FROM round_amendment WHERE round_id = $1::uuid
