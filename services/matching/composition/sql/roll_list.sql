SELECT id FROM composition_roll ORDER BY id LIMIT 1000
