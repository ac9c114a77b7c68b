SELECT roll_log($1)
