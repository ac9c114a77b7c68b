UPDATE person
SET display_name = '', name_sort = '', languages = '{}', affiliation_ids = '{}',
    affiliation_roles = '{}', affiliation_from = '{}', affiliation_to = '{}', degree_isced_f = '{}',
    degree_eqf = '{}', degree_on = '{}', concept_ids = '{}', concept_weights = '{}',
    wished_concept_ids = '{}', wished_concept_weights = '{}', wished_nuts = '{}', wished_focus = '{}', wished_themes = '{}',
    about_langs = '{}', about_values = '{}', about_translated = '{}', nuts = NULL,
    available_from = NULL, capacity = 0, visibility = 1, shared_with = '{}', talent_pool = false,
    reference = NULL, account_id = NULL, version = version + 1, updated_at = now(),
    erased_at = now()
WHERE tenant_id = $1::uuid AND id = $2::uuid AND erased_at IS NULL
