SELECT position FROM listener WHERE name = $1
