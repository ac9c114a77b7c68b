SELECT first_kept, coalesce(old_through, -1) FROM trim_log($1, $2)
