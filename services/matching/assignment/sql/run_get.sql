-- $1 round, $2 run; 0: the last
SELECT x.run, x.sheet, (extract(epoch FROM x.solved_at) * 1000)::bigint
FROM round_run x JOIN round r ON r.tenant_id = x.tenant_id AND r.id = x.round_id
WHERE x.round_id = $1::uuid AND x.run = CASE WHEN $2::bigint = 0 THEN r.run ELSE $2::bigint END
