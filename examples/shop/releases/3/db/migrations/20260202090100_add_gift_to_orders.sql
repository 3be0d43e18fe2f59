-- Expands only: release 1 goes on working with the new column there. The sleep stands for the work that makes real
-- migrations slow. It comes first, while nothing of `orders` is locked; adding the column then takes milliseconds.

-- migrate:up
SELECT nextval('gift_migration_runs');
SELECT pg_sleep(8);
ALTER TABLE orders ADD COLUMN gift jsonb;

-- migrate:down
ALTER TABLE orders DROP COLUMN gift;
