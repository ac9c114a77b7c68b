SELECT set_config('app.tenant', $1, true), set_config('statement_timeout', $2, true), set_config('lock_timeout', $3, true)
