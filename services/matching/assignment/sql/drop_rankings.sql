DELETE FROM round_ranking WHERE round_id = $1::uuid AND owner = ANY ($2::text[])
