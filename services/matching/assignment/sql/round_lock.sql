-- The round stays as it is until the transaction ends.
SELECT 1 FROM round WHERE id = $1::uuid FOR UPDATE
