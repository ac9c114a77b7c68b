-- $1 round, $2 sheet; the run is the round's
INSERT INTO round_run (tenant_id, round_id, run, sheet)
SELECT tenant_id, id, run, $2::bytea FROM round WHERE id = $1::uuid
