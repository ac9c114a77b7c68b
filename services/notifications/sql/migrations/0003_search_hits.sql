-- Hits of saved searches are a topic of their own (5 is never subscribed to).
ALTER TABLE subscription DROP CONSTRAINT subscription_topic_check,
    ADD CONSTRAINT subscription_topic_check CHECK (topic BETWEEN 1 AND 4 OR topic = 6);
