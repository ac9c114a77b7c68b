-- $1 id of the last one shown or NULL, $2 limit.  Newest first: ids are ordered by time.
SELECT r.id::text, r.version, r.title, r.state, r.objective, r.seed, r.choices_max, r.fill,
       r.objection_days, coalesce((extract(epoch FROM r.objections_until) * 1000)::bigint, 0),
       r.run, r.input_hash, r.failure, (extract(epoch FROM r.created_at) * 1000)::bigint,
       (SELECT count(*) FROM round_student s WHERE s.tenant_id = r.tenant_id AND s.round_id = r.id),
       (SELECT count(*) FROM round_topic t WHERE t.tenant_id = r.tenant_id AND t.round_id = r.id),
       (SELECT count(*) FROM round_student s
        WHERE s.tenant_id = r.tenant_id AND s.round_id = r.id AND s.choices <> '')
FROM round r
WHERE $1::uuid IS NULL OR r.id < $1::uuid
ORDER BY r.id DESC
LIMIT $2::bigint
