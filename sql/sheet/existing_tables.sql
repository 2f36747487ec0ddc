-- Those of some tables that there are, in their order.
SELECT name
FROM unnest(%(tables)s::text[]) WITH ORDINALITY AS wanted (name, place)
WHERE to_regclass(quote_ident(name)) IS NOT NULL
ORDER BY place;
