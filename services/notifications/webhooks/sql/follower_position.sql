SELECT position FROM listener WHERE name = 'webhooks'
