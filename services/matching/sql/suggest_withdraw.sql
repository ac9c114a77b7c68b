-- Profiles left the view.  Open suggestions end; of people, nothing that explains stays.
UPDATE suggestion
SET state = CASE WHEN state = 1 THEN 4 ELSE state END,
    explanation = CASE WHEN state = 1 OR candidate_kind = 1 THEN ''::bytea ELSE explanation END,
    version = version + 1
WHERE tenant_id = current_setting('app.tenant')::uuid
      AND (query_id = ANY ($1::uuid[]) OR candidate_id = ANY ($1::uuid[]))
      AND (state = 1 OR (candidate_kind = 1 AND candidate_id = ANY ($1::uuid[])
                         AND explanation <> ''))
