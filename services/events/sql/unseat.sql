SELECT count(pg_terminate_backend(activity.pid))
FROM pg_catalog.pg_locks AS lock
JOIN pg_catalog.pg_stat_activity AS activity ON activity.pid = lock.pid
WHERE lock.locktype = 'advisory' AND lock.granted AND lock.objsubid = 1
  AND (lock.classid::bigint << 32 | lock.objid::bigint) = $1
  AND activity.datname = current_database()
  AND activity.wait_event = 'ClientWrite'
  AND activity.state_change < clock_timestamp() - interval '3 seconds'
