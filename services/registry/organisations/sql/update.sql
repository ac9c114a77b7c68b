-- As insert.sql, but $2 is the expected version.  No row: it has another version.
UPDATE organisation
SET name_langs = $3::text[], name_values = $4::text[], name_translated = $5::text[],
    name_folded = $6, name_sort = $7, type = $8::smallint, ownership = $9::smallint,
    status = $10::smallint, country = $11, nuts = $12, nace = $13, headcount = $14::bigint,
    turnover_eur = $15::bigint, balance_eur = $16::bigint, size_year = $17::integer,
    competitive_market = $18::boolean, website = $19, verified = $20::boolean,
    version = version + 1
WHERE id = $1::uuid AND version = $2::bigint
