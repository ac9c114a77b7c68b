-- Before anything of the tenant's webhooks changes; see webhook_roll.
SELECT id FROM webhook_roll WHERE id = $1::uuid FOR UPDATE
