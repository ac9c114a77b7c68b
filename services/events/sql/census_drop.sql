DELETE FROM follower WHERE instance = $1 OR seen_at < now() - interval '1 minute'
