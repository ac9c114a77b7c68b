-- Before roll_tie.sql: whoever adds a request meanwhile waits, so none is overlooked.
SELECT 1 FROM round_roll WHERE id = current_setting('app.tenant')::uuid FOR UPDATE
