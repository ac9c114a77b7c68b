SELECT count(*) FILTER (WHERE account_id = $1), count(*) FROM saved_search
