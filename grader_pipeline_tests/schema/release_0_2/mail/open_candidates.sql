-- The candidates that are not settled, oldest first.
SELECT id, kind, occurred_at
FROM mail_candidate
WHERE settled_at IS NULL
ORDER BY occurred_at, id;
