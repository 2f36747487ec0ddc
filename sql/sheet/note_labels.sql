INSERT INTO sheet_label (worksheet, label)
SELECT new.worksheet, new.label
FROM unnest(%(worksheets)s::text[], %(labels)s::text[]) AS new (worksheet, label)
ON CONFLICT DO NOTHING;
