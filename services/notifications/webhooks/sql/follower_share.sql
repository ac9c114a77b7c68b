-- The follower does not move while this transaction lasts.
SELECT position FROM listener WHERE name = 'webhooks' FOR SHARE
