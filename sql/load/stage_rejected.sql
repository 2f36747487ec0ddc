-- The day's quarantine, as COPY brings it. Gone with the transaction.
CREATE TEMPORARY TABLE staged_rejected (
    position integer PRIMARY KEY,
    reasons  text[],
    row      text
) ON COMMIT DROP;
