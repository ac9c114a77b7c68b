-- $1 id, $2 tenant, $3..$5 names, $6 folded, $7 sort, $8 type, $9 ownership, $10 status,
-- $11 country, $12 nuts, $13 nace, $14 headcount, $15 turnover, $16 balance, $17 year,
-- $18 competitive, $19 website, $20 verified
INSERT INTO organisation (id, created_by_tenant, name_langs, name_values, name_translated, name_folded,
                          name_sort, type, ownership, status, country, nuts, nace, headcount,
                          turnover_eur, balance_eur, size_year, competitive_market, website, verified)
VALUES ($1::uuid, $2::uuid, $3::text[], $4::text[], $5::text[], $6, $7, $8::smallint, $9::smallint,
        $10::smallint, $11, $12, $13, $14::bigint, $15::bigint, $16::bigint, $17::integer,
        $18::boolean, $19, $20::boolean)
