-- Blocks repeat their events' names, types and tenants: compressed, fewer pieces of them are
-- written out of line.  Blocks that are there already stay as they are and are read all the same.
--
-- Partitions take it over from the log when they are made; those that exist are told.
ALTER TABLE log ALTER COLUMN data SET STORAGE EXTENDED;
ALTER TABLE log ALTER COLUMN data SET COMPRESSION lz4;
DO $$
DECLARE
    part bigint;
BEGIN
    FOR part IN SELECT start FROM log_partition LOOP
        EXECUTE format('ALTER TABLE %I ALTER COLUMN data SET STORAGE EXTENDED, '
                       'ALTER COLUMN data SET COMPRESSION lz4', 'log_' || part);
    END LOOP;
END
$$;
