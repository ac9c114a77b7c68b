DELETE FROM round_place WHERE round_id = $1::uuid
