SELECT EXISTS (SELECT FROM pg_catalog.pg_views
               WHERE schemaname = 'registry' AND viewname = 'published_systems')
