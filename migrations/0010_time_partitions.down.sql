drop function create_time_partitions(date, date);
drop table time_partitions;
