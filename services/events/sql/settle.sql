SELECT set_config('idle_session_timeout', '3s', false),
       set_config('idle_in_transaction_session_timeout', '3s', false),
       -- The outbox is empty when plans are made, and may be long when they are used.
       set_config('enable_seqscan', 'off', false),
       -- The same few statements run hundreds of times a second: to plan each anew costs more
       -- than a better plan could save.
       set_config('plan_cache_mode', 'force_generic_plan', false)
