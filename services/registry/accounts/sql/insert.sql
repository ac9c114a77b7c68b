-- The loser of a race does nothing; the caller looks again.
INSERT INTO account (id, email, email_folded, display_name, password_hash, language)
VALUES ($1::uuid, $2, $3, $4, $5, $6)
ON CONFLICT (email_folded) DO NOTHING
