-- Before roll_tie.sql: whoever adds a job meanwhile waits, so none is overlooked.
SELECT 1 FROM composition_roll WHERE id = current_setting('app.tenant')::uuid FOR UPDATE
