-- The round's state stays until the transaction ends; others may do the same beside.
SELECT 1 FROM round WHERE id = $1::uuid FOR SHARE
