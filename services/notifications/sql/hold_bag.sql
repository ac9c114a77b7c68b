-- Before tie_bag.sql: who adds a mail meanwhile waits, so none is overlooked.
SELECT id FROM mailbag WHERE id = $1::uuid FOR UPDATE
