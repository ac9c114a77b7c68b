-- Where another has numbered meanwhile, the check of the column fails and with it the transaction.
UPDATE head SET position = CASE WHEN position = $1 THEN $2 ELSE -1 END
