-- Takes the right to write anything but temporary tables, until the transaction or savepoint ends. A
-- query cannot take it back.
SET LOCAL transaction_read_only = on;
