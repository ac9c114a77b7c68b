SELECT run, sheet FROM round_run WHERE round_id = $1::uuid ORDER BY run
