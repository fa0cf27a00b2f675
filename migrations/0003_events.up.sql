-- The log. A stream lies whole in one partition: stream ids are UUIDv7, so a range of ids is a range of time.
--
-- Columns stand widest first, so that no row carries padding. The key settles races for a version; the index on
-- transaction_id serves cursors at the head. Positions follow the heap's order, so a summary of its blocks (BRIN) serves
-- those who read the log from far behind, and costs an append nothing: summarize_events() brings it up to date.
-- An event id has no index: idempotence is asked of one stream, and a stream is read through its key.
-- type refers to event_types without a foreign key: its check cost a quarter of an insert (200,000 rows:
-- 1.41 s against 1.12 s), and a type, once there, can be neither deleted nor changed.
create sequence events_position cache 1;

create table events (
    position        bigint      not null default nextval('events_position'),
    transaction_id  xid8        not null default pg_current_xact_id(),
    occurred_at     timestamptz not null,
    recorded_at     timestamptz not null default clock_timestamp(),
    version         int         not null,
    type            smallint    not null,
    encoding        smallint    not null,
    stream_id       uuid        not null,
    event_id        uuid        not null,
    payload         bytea       not null,
    primary key (stream_id, version),
    constraint events_version_positive check (version > 0)
) partition by range (stream_id);

-- Payloads are compressed already, or small.
alter table events alter column payload set storage external;

create index events_position_idx on events using brin (position);
create index events_transaction_id_idx on events (transaction_id);

-- Cloned to every partition, those attached later included.
create trigger refuse_change before update or delete on events for each row execute function refuse_change();
alter table events enable always trigger refuse_change;

-- TRUNCATE triggers are not cloned: each partition gets its own (create_events_partitions).
create trigger refuse_truncate before truncate on events for each statement execute function refuse_change();
alter table events enable always trigger refuse_truncate;

create table events_default partition of events default;
create trigger refuse_truncate before truncate on events_default for each statement execute function refuse_change();
alter table events_default enable always trigger refuse_change, enable always trigger refuse_truncate;

alter sequence events_position owner to recorder_owner;
alter table events owner to recorder_owner;
alter table events_default owner to recorder_owner;

grant select, insert on events to recorder_appender;
grant usage on sequence events_position to recorder_appender;
grant select on events to recorder_projector;
