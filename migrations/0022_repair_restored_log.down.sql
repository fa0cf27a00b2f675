drop function repair_restored_log(bigint);
drop function stored_snapshot_columns();
