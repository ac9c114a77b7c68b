-- Whose login a profile is, for telling people of what concerns them; within the tenant only.
CREATE VIEW published_logins WITH (security_invoker = true) AS
    SELECT tenant_id, id AS person_id, account_id
    FROM person
    WHERE account_id IS NOT NULL AND tenant_id = current_setting('app.tenant')::uuid;
GRANT SELECT ON published_logins TO app_matching;
GRANT SELECT (account_id) ON person TO app_matching;
