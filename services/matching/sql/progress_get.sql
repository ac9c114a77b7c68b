SELECT position FROM listener WHERE name = 'suggestions'
