INSERT INTO system (tenant_id, id, name, curve_key, token_hash, types, expires_at, append_types,
                    follows_limit, events_per_second, appends_per_second, public_only)
VALUES ($1::uuid, $2::uuid, $3, $4, $5::bytea, $6::text[],
        to_timestamp(nullif($7::bigint, 0) / 1000.0), $8::text[], $9::integer, $10::integer,
        $11::integer, $12::boolean)
