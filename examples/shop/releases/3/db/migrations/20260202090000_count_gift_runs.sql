-- A sequence is the one thing that a rollback does not turn back: it tells how often the next migration was begun.

-- migrate:up
CREATE SEQUENCE gift_migration_runs;

-- migrate:down
DROP SEQUENCE gift_migration_runs;
