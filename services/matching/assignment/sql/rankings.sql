SELECT owner, student, rank
FROM round_ranking
WHERE round_id = $1::uuid
ORDER BY owner COLLATE "C", student COLLATE "C"
