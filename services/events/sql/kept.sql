SELECT (SELECT count(*) FROM log_partition), first_kept FROM head
