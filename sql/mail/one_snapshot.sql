-- All statements of the transaction see the tables as they are now. It comes first in the transaction.
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
