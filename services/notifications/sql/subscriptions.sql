SELECT id, topic, email, version FROM subscription
WHERE tenant_id = $1::uuid AND account_id = $2::uuid
ORDER BY topic
