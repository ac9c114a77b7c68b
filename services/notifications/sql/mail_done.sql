-- $3 state, $4 seconds to the next try, $5 what went wrong, $6 the try: one that outlived its lease
-- has nothing to say.
UPDATE mail
SET state = $3::smallint, due_at = now() + $4::bigint * interval '1 second', last_error = $5
WHERE tenant_id = $1::uuid AND message_id = $2::uuid AND state = 2 AND attempts = $6::integer
