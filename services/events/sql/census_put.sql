INSERT INTO follower (instance, number, user_id, consumer, position, events_sent,
                      events_per_second, blocked, since, types)
SELECT $1, number, user_id, consumer, position, sent, rate, blocked <> 0,
       to_timestamp(since / 1000.0), types
FROM unnest($2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],
            $8::bigint[], $9::text[])
     WITH ORDINALITY AS f(user_id, consumer, position, sent, rate, blocked, since, types, number)
