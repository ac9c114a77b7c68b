SELECT set_config('client_connection_check_interval', '1000', false),
       -- Compiling a plan takes longer than any statement of ours runs; a plan that is costed
       -- high (enable_seqscan off) would be compiled at every execution.
       set_config('jit', 'off', false)
