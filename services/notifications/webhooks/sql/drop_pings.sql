-- A verification of a URL that is no longer asked.
DELETE FROM webhook_delivery
WHERE tenant_id = $1::uuid AND webhook_id = $2::uuid AND kind = 2 AND state IN (1, 2, 3)
