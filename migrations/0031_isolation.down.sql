do $$
declare
    partition regclass;
begin
    for partition in select relid from pg_partition_tree('events') loop
        execute format('alter table %s disable row level security', partition);
    end loop;
end
$$;

drop function create_events_partitions(date, date);
alter function make_events_partitions(date, date) rename to create_events_partitions;
grant execute on function create_events_partitions(date, date) to recorder_appender, recorder_projector;
drop policy every_reader on events;
drop policy every_appender on events;
drop policy own on events;
revoke select on events, event_types from recorder_service;

do $$
declare
    name text;
begin
    foreach name in array array['users', 'voice_models', 'face_models', 'knowledge_documents'] loop
        execute format('alter table %I disable row level security', name);
        execute format('drop policy own on %I', name);
    end loop;
end
$$;

drop trigger refuse_taken_stream on users;
drop function refuse_taken_stream();
drop function append_checked(uuid[], int[], uuid[], text[], timestamptz[], bytea[]);
alter function append_rows(uuid[], int[], uuid[], text[], timestamptz[], bytea[]) rename to append_checked;

do $$
declare
    name text;
begin
    foreach name in array array[
        'append_event(uuid, text, jsonb, jsonb, int, uuid, timestamptz)', 'append_events(jsonb)', 'event_type_id(text)',
        'append_checked(uuid[], int[], uuid[], text[], timestamptz[], bytea[])'
    ] loop
        execute format('alter function %s set search_path = %I', name, current_schema());
    end loop;
end
$$;

drop function note_subjects(uuid[], text[]);
drop function identity_frame_data(bytea);
drop table stream_subjects;

alter table users alter email set statistics -1, alter personality_traits set statistics -1, alter settings set statistics -1;
alter index users_email_key alter column 1 set statistics -1;
alter table voice_models alter user_id set statistics -1, alter model_path set statistics -1;
alter table face_models alter user_id set statistics -1, alter model_path set statistics -1;
alter table knowledge_documents alter user_id set statistics -1, alter filename set statistics -1,
    alter text_content set statistics -1, alter vector_ids set statistics -1, alter text_search set statistics -1;
