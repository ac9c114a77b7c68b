-- Rounds in which person $1 is a student or a supervisor; in one order, against deadlocks.
SELECT id::text FROM round
WHERE tenant_id = current_setting('app.tenant')::uuid AND (
    EXISTS (SELECT FROM round_student s WHERE s.tenant_id = round.tenant_id
            AND s.round_id = round.id AND s.person_id = $1::uuid)
    OR EXISTS (SELECT FROM round_limit l WHERE l.tenant_id = round.tenant_id
               AND l.round_id = round.id AND l.person_id = $1::uuid))
ORDER BY id
