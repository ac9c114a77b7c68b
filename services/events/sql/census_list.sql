-- Of the key $2, or of the systems of the tenant $1, or all: durable consumers, and follows that
-- were seen of late.  Those furthest behind first.
WITH visible AS (
    SELECT 'system:' || system_id AS user_id FROM systems() WHERE tenant_id = $1::uuid
), live AS (
    SELECT * FROM follower WHERE seen_at > now() - interval '10 seconds'
), listed AS (
    SELECT coalesce(live.instance, '') AS instance, consumer.user_id, consumer.name AS consumer,
           coalesce(live.members, 0) AS members,
           (SELECT min(lane) FROM unnest(consumer.lanes) AS lane) AS position,
           coalesce(live.events_sent, 0) AS events_sent,
           coalesce(live.events_per_second, 0) AS events_per_second,
           coalesce(live.blocked, false) AS blocked,
           coalesce(live.since, consumer.updated_at) AS since, coalesce(live.types, '') AS types
    FROM consumer
    LEFT JOIN (SELECT user_id, consumer, max(instance) AS instance, count(*) AS members,
                      sum(events_sent)::bigint AS events_sent,
                      sum(events_per_second)::bigint AS events_per_second,
                      bool_or(blocked) AS blocked, min(since) AS since, max(types) AS types
               FROM live WHERE consumer <> '' GROUP BY user_id, consumer) AS live
         ON live.user_id = consumer.user_id AND live.consumer = consumer.name
    UNION ALL
    SELECT instance, user_id, '', 1, position, events_sent, events_per_second, blocked, since, types
    FROM live WHERE consumer = ''
)
SELECT instance, user_id, consumer, members, position, events_sent, events_per_second, blocked,
       (extract(epoch FROM since) * 1000)::bigint, string_to_array(types, ',')
FROM listed
WHERE ($2::text IS NULL OR user_id = $2)
  AND ($1::uuid IS NULL OR user_id IN (SELECT user_id FROM visible))
ORDER BY position, user_id, consumer, instance
LIMIT 1000
