SELECT set_config('idle_session_timeout', '3s', false),
       set_config('idle_in_transaction_session_timeout', '3s', false)
