SELECT rule_set || ' v' || version, checksum
FROM rule_set
ORDER BY rule_set, version
LIMIT $1::bigint
