SELECT count(*) AS already_there, count(*) FILTER (WHERE differs) AS differing
FROM staged_twins;
