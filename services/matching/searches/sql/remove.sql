DELETE FROM saved_search WHERE id = $1::uuid AND account_id = $2
