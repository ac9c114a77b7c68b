UPDATE head SET position = $2 WHERE position = $1
