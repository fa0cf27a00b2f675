-- Latencies by minute, hour and day. The three are written together, each for itself, so that hours and days
-- stay when minutes are dropped. Rows are partial: workers keep to their own shard and never wait for one
-- another, and whoever reads adds up.
--
-- bins and counts are the histogram (migration latency_functions). A bin may stand there several times; whoever reads
-- adds up.
create table latency_metrics_minutes_v1 (
    bucket_start  timestamptz  not null,
    stage         text         not null,
    provider      text,
    model         text,
    interrupted   boolean,
    shard         smallint     not null,
    count         bigint       not null,
    sum_ms        numeric      not null,
    min_ms        numeric      not null,
    max_ms        numeric      not null,
    bins          smallint[]   not null,
    counts        bigint[]     not null,
    constraint latency_metrics_minutes_v1_key
        unique nulls not distinct (bucket_start, stage, provider, model, interrupted, shard)
) partition by range (bucket_start);

create table latency_metrics_hours_v1 (
    like latency_metrics_minutes_v1 including defaults,
    constraint latency_metrics_hours_v1_key
        unique nulls not distinct (bucket_start, stage, provider, model, interrupted, shard)
) partition by range (bucket_start);

create table latency_metrics_days_v1 (
    like latency_metrics_minutes_v1 including defaults,
    constraint latency_metrics_days_v1_key
        unique nulls not distinct (bucket_start, stage, provider, model, interrupted, shard)
) partition by range (bucket_start);

-- Late and far events land here when their month or year has no partition.
create table latency_metrics_minutes_v1_default partition of latency_metrics_minutes_v1 default;
create table latency_metrics_hours_v1_default partition of latency_metrics_hours_v1 default;
create table latency_metrics_days_v1_default partition of latency_metrics_days_v1 default;

-- A turn as far as it has come: its latency and whether it was cut are wanted when it completes.
create table latency_metrics_turns_v1 (
    session_id   uuid     not null,
    turn_id      uuid     not null,
    stages_ms    numeric,
    interrupted  boolean  not null,
    primary key (session_id, turn_id)
) with (fillfactor = 80);

alter table latency_metrics_minutes_v1 owner to recorder_projector;
alter table latency_metrics_hours_v1 owner to recorder_projector;
alter table latency_metrics_days_v1 owner to recorder_projector;
alter table latency_metrics_minutes_v1_default owner to recorder_projector;
alter table latency_metrics_hours_v1_default owner to recorder_projector;
alter table latency_metrics_days_v1_default owner to recorder_projector;
alter table latency_metrics_turns_v1 owner to recorder_projector;

-- One user's each, and the projector's alone to see.
alter table latency_metrics_turns_v1 enable row level security;

insert into time_partitions (parent, step)
values ('latency_metrics_minutes_v1', 'month'), ('latency_metrics_hours_v1', 'year'), ('latency_metrics_days_v1', 'year')
on conflict do nothing;

select create_time_partitions((now() - interval '1 month')::date, (now() + interval '12 months')::date);
