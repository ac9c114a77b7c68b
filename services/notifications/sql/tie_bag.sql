-- When the tenant's next mail is due; a bag without mail goes.
WITH next AS (
    SELECT min(due_at) AS due_at FROM mail WHERE tenant_id = $1::uuid AND state IN (1, 2)
), kept AS (
    UPDATE mailbag SET due_at = next.due_at FROM next
    WHERE mailbag.id = $1::uuid AND next.due_at IS NOT NULL
)
DELETE FROM mailbag USING next WHERE mailbag.id = $1::uuid AND next.due_at IS NULL
