select create_events_partitions(now()::date, (now() + interval '12 months')::date);
