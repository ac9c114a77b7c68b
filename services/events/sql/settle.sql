SELECT set_config('idle_session_timeout', '3s', false),
       set_config('idle_in_transaction_session_timeout', '3s', false),
       -- The outbox is empty when plans are made, and may be long when they are used.
       set_config('enable_seqscan', 'off', false)
