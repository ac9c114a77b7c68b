SELECT EXISTS (SELECT FROM systems() WHERE tenant_id = $1 AND 'system:' || system_id = $2)
