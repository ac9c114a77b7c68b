SELECT set_config('client_connection_check_interval', '1000', false)
