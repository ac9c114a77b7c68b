-- Rounds of a tenant, and those an account takes part in, are topics (5 is never subscribed to).
ALTER TABLE subscription DROP CONSTRAINT subscription_topic_check,
    ADD CONSTRAINT subscription_topic_check CHECK (topic BETWEEN 1 AND 4 OR topic BETWEEN 6 AND 8);
