INSERT INTO rule_set (rule_set, version, programme_code, valid_from, valid_until, checksum,
                      document)
VALUES ($1, $2::bigint, $3, $4::date, $5::date, $6, $7)
ON CONFLICT (rule_set, version) DO NOTHING
