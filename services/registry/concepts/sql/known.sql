SELECT coalesce(c.content_hash, ''), coalesce(c.vocabulary, '')
FROM unnest($1::text[]) WITH ORDINALITY AS given(uri, place)
LEFT JOIN concept c ON c.uri = given.uri
ORDER BY given.place
