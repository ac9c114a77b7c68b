DELETE FROM append_source
WHERE (tenant_id, source, batch_number) IN
      (SELECT tenant_id, source, batch_number FROM append_source
       WHERE created_at < now() - interval '48 hours'
       ORDER BY created_at LIMIT $1)
