-- Whom the voice system serves: users, their voice and face models, the documents that answers are drawn from.
--
-- Every row belongs to one user. A user's id leads each key: what is unique is unique among his own rows, so that nobody
-- learns of another's by being refused. The one exception is an email address, which one user has in the whole system.
--
-- Rows are written by services that act for a user: members of the role recorder_service, which say in each transaction
-- for whom (acting_user). What they may see of it, 0031 says. Personal values stay in these tables: an event of a change
-- names the columns that changed, and holds only values that are not personal (append_own_events).
do $$
begin
    if to_regrole('recorder_service') is null then
        begin
            create role recorder_service nologin;
        exception
            when duplicate_object or unique_violation then null;
        end;
    end if;
    execute format('grant usage on schema %I to recorder_service', current_schema());
end
$$;

-- The user for whom this connection acts: `set local recorder.user_id = '<uuid>'`. NULL where it does not say.
-- The body is parsed here and now: no search_path of a caller can change what it means.
create function acting_user() returns uuid language sql stable parallel safe
return nullif(current_setting('recorder.user_id', true), '')::uuid;

create table users (
    id                  uuid         primary key,
    email               text         not null,
    personality_traits  text[]       not null default '{}',
    subscription_tier   text         not null default 'free',
    settings            jsonb        not null default '{}',
    version             int          not null default 1,
    created_at          timestamptz  not null default clock_timestamp(),
    updated_at          timestamptz  not null default clock_timestamp(),
    deleted_at          timestamptz,
    -- The nil UUID is nobody: the audit log's chain of events about no user bears it.
    constraint users_id_is_somebody check (id <> '00000000-0000-0000-0000-000000000000'),
    constraint users_email_form check (email ~ '^[^@[:space:]]+@[^@[:space:]]+$' and octet_length(email) <= 254),
    constraint users_personality_traits_form check (
        cardinality(personality_traits) <= 64 and array_position(personality_traits, null) is null
        and octet_length(array_to_string(personality_traits, '')) <= 8192
    ),
    constraint users_subscription_tier_known check (subscription_tier in ('free', 'pro', 'enterprise')),
    constraint users_settings_form check (jsonb_typeof(settings) = 'object' and octet_length(settings::text) <= 65536),
    constraint users_times_in_order check (updated_at >= created_at and deleted_at >= created_at)
);

-- Also among deleted users, who may be restored.
create unique index users_email_key on users (lower(email));

create table voice_models (
    user_id        uuid              not null,
    id             uuid              not null,
    provider       text              not null,
    model_path     text              not null,
    quality_score  double precision,
    is_active      boolean           not null default false,
    version        int               not null default 1,
    created_at     timestamptz       not null default clock_timestamp(),
    updated_at     timestamptz       not null default clock_timestamp(),
    deleted_at     timestamptz,
    primary key (user_id, id),
    constraint voice_models_user_id_fkey foreign key (user_id) references users (id) on delete restrict,
    constraint voice_models_provider_known check (provider in ('xtts-v2', 'google-cloud-tts', 'openai-tts')),
    constraint voice_models_model_path_form check (octet_length(model_path) between 1 and 1024),
    constraint voice_models_quality_score_range check (quality_score between 0 and 1),
    constraint voice_models_active_is_there check (not is_active or deleted_at is null),
    constraint voice_models_times_in_order check (updated_at >= created_at and deleted_at >= created_at)
);

create unique index voice_models_active_key on voice_models (user_id) where is_active;
create index voice_models_created_at_idx on voice_models (user_id, created_at, id);

create table face_models (
    user_id        uuid              not null,
    id             uuid              not null,
    model_path     text              not null,
    width          int               not null,
    height         int               not null,
    quality_score  double precision,
    is_active      boolean           not null default false,
    version        int               not null default 1,
    created_at     timestamptz       not null default clock_timestamp(),
    updated_at     timestamptz       not null default clock_timestamp(),
    deleted_at     timestamptz,
    primary key (user_id, id),
    constraint face_models_user_id_fkey foreign key (user_id) references users (id) on delete restrict,
    constraint face_models_model_path_form check (octet_length(model_path) between 1 and 1024),
    constraint face_models_resolution_range check (width between 1 and 16384 and height between 1 and 16384),
    constraint face_models_quality_score_range check (quality_score between 0 and 1),
    constraint face_models_active_is_there check (not is_active or deleted_at is null),
    constraint face_models_times_in_order check (updated_at >= created_at and deleted_at >= created_at)
);

create unique index face_models_active_key on face_models (user_id) where is_active;
create index face_models_created_at_idx on face_models (user_id, created_at, id);

create table knowledge_documents (
    user_id       uuid         not null,
    id            uuid         not null,
    filename      text         not null,
    content_type  text         not null,
    text_content  text         not null,
    chunk_count   int          not null default 0,
    status        text         not null default 'pending',
    vector_ids    text[]       not null default '{}',
    version       int          not null default 1,
    uploaded_at   timestamptz  not null default clock_timestamp(),
    updated_at    timestamptz  not null default clock_timestamp(),
    deleted_at    timestamptz,
    -- A hit in the name weighs more than one in the text.
    text_search   tsvector     not null generated always as (
        setweight(to_tsvector('english', regexp_replace(filename, '[._/-]+', ' ', 'g')), 'A') || setweight(to_tsvector('english', text_content), 'B')
    ) stored,
    primary key (user_id, id),
    constraint knowledge_documents_user_id_fkey foreign key (user_id) references users (id) on delete restrict,
    constraint knowledge_documents_filename_form check (octet_length(filename) between 1 and 1024),
    constraint knowledge_documents_content_type_form check (
        content_type ~ '^[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+$' and octet_length(content_type) <= 255
    ),
    constraint knowledge_documents_text_content_size check (octet_length(text_content) <= 4194304),
    constraint knowledge_documents_chunk_count_range check (chunk_count >= 0),
    constraint knowledge_documents_status_known check (status in ('pending', 'processing', 'completed', 'failed')),
    constraint knowledge_documents_vector_ids_form check (array_position(vector_ids, null) is null),
    constraint knowledge_documents_times_in_order check (updated_at >= uploaded_at and deleted_at >= uploaded_at)
);

create index knowledge_documents_uploaded_at_idx on knowledge_documents (user_id, uploaded_at, id);
create index knowledge_documents_status_idx on knowledge_documents (user_id, status) where deleted_at is null;
create index knowledge_documents_text_search_idx on knowledge_documents using gin (text_search);

-- What an update never changes, whoever makes it.
create function refuse_identity_change() returns trigger language plpgsql as $$
begin
    raise exception 'the id, the user and the beginning of a row of % stay what they are', tg_table_name
        using errcode = 'check_violation', constraint = tg_table_name || '_identity';
end
$$;

-- Counts a row's versions: a writer that says which version it saw loses to whoever was faster, instead of undoing it.
create function count_version() returns trigger language plpgsql as $$
begin
    new.version := old.version + 1;
    new.updated_at := greatest(clock_timestamp(), old.updated_at);
    return new;
end
$$;

-- A model that is deleted is not in use any more.
create function deactivate_deleted() returns trigger language plpgsql as $$
begin
    new.is_active := false;
    return new;
end
$$;

-- The ways of a document: pending → processing → completed or failed; a document may fail before it is taken up, and
-- one that is through is pending again when it shall be processed anew.
create function check_document_status() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        if new.status <> 'pending' then
            raise exception 'a document begins as pending, not as %', new.status
                using errcode = 'check_violation', constraint = 'knowledge_documents_status_transition';
        end if;
    elsif old.status <> new.status and old.status || ' → ' || new.status <> all (array[
        'pending → processing', 'pending → failed', 'processing → completed', 'processing → failed',
        'completed → pending', 'failed → pending'
    ]) then
        raise exception 'a document that is % does not become %', old.status, new.status
            using errcode = 'check_violation', constraint = 'knowledge_documents_status_transition';
    end if;
    return new;
end
$$;

create trigger check_status before insert or update of status on knowledge_documents
    for each row execute function check_document_status();

create trigger deactivate_deleted before update of deleted_at on voice_models
    for each row when (new.deleted_at is not null) execute function deactivate_deleted();
create trigger deactivate_deleted before update of deleted_at on face_models
    for each row when (new.deleted_at is not null) execute function deactivate_deleted();

create trigger refuse_identity_change before update of id, created_at on users
    for each row execute function refuse_identity_change();
create trigger refuse_identity_change before update of id, user_id, created_at on voice_models
    for each row execute function refuse_identity_change();
create trigger refuse_identity_change before update of id, user_id, created_at on face_models
    for each row execute function refuse_identity_change();
create trigger refuse_identity_change before update of id, user_id, uploaded_at on knowledge_documents
    for each row execute function refuse_identity_change();

create trigger version before update on users for each row execute function count_version();
create trigger version before update on voice_models for each row execute function count_version();
create trigger version before update on face_models for each row execute function count_version();
create trigger version before update on knowledge_documents for each row execute function count_version();

-- Refuses the commit of a change that no event tells of: the same transaction appends one of the row's kind to its user's
-- stream. So the audit log, which is built from events, is complete whoever changed a row, by whatever SQL.
create function refuse_unlogged_change() returns trigger language plpgsql security definer as $$
declare
    subject uuid;
begin
    if tg_argv[0] = 'user' then
        if tg_op = 'DELETE' then subject := old.id; else subject := new.id; end if;
    else
        if tg_op = 'DELETE' then subject := old.user_id; else subject := new.user_id; end if;
    end if;
    if not exists (
        select from events
        where stream_id = subject and transaction_id = pg_current_xact_id()
          and type in (select id from event_types where starts_with(name, tg_argv[0] || '.'))
    ) then
        raise exception 'a change of % that no event tells of is refused', tg_table_name
            using errcode = 'RC005',
                  hint = format('Append %s.created, %1$s.updated, %1$s.deleted … to the user''s stream in the same'
                                ' transaction.', tg_argv[0]);
    end if;
    return null;
end
$$;

create constraint trigger refuse_unlogged_change after insert or update or delete on users
    deferrable initially deferred for each row execute function refuse_unlogged_change('user');
create constraint trigger refuse_unlogged_change after insert or update or delete on voice_models
    deferrable initially deferred for each row execute function refuse_unlogged_change('voice_model');
create constraint trigger refuse_unlogged_change after insert or update or delete on face_models
    deferrable initially deferred for each row execute function refuse_unlogged_change('face_model');
create constraint trigger refuse_unlogged_change after insert or update or delete on knowledge_documents
    deferrable initially deferred for each row execute function refuse_unlogged_change('document');

-- Appends events about the acting user to his own stream, and to no other: the form is that of append_events. Each gets
-- his id as data.userId, by which the audit log knows whose chain it belongs to; one that names another is refused.
create function append_own_events(events jsonb)
returns table (stream uuid, event_id uuid, version int, "position" bigint)
language plpgsql volatile security definer as $$
begin
    if acting_user() is null then
        raise exception 'this connection does not say for whom it acts'
            using errcode = 'insufficient_privilege', hint = 'set local recorder.user_id = ''<uuid>''';
    elsif exists (
        select from jsonb_array_elements(events) event
        where lower(event ->> 'stream') is distinct from acting_user()::text
           or split_part(event ->> 'type', '.', 1) <> all (array['user', 'voice_model', 'face_model', 'document', 'access'])
           or lower(event -> 'data' ->> 'userId') <> acting_user()::text
    ) then
        raise exception 'events of users, models, documents and access go to the acting user''s own stream only'
            using errcode = 'insufficient_privilege';
    end if;
    return query select * from append_events((
        select coalesce(jsonb_agg(
            case when coalesce(jsonb_typeof(event -> 'data'), 'object') = 'object'
                 then jsonb_set(event, '{data}', coalesce(event -> 'data', '{}') || jsonb_build_object('userId', acting_user()))
                 else event end
            order by place
        ), '[]')
        from jsonb_array_elements(events) with ordinality e(event, place)
    ));
end
$$;

-- A page of the acting user's documents that match, the best first, each with snippets of its text in which the words
-- that were found stand between U+E000 and U+E001.
--
-- `query` is what people type into search boxes: words, "phrases", or, -not. A page begins behind the rank and id of the
-- one before. Runs with its owner's rights, because under row-level security no index serves @@: it is not leakproof.
create function search_documents(query text, page int, after_rank real default null, after_id uuid default null)
returns table (id uuid, filename text, rank real, snippet text)
language sql stable security definer as $$
    select id, filename, rank,
           ts_headline('english', translate(text_content, U&'\E000\E001', ''), websearch_to_tsquery('english', $1),
                       U&'MaxFragments=2, MinWords=8, MaxWords=24, FragmentDelimiter=" … ", StartSel=\E000, StopSel=\E001')
    from (
        select id, filename, text_content, rank
        from (
            select d.id, d.filename, d.text_content,
                   ts_rank_cd(d.text_search, websearch_to_tsquery('english', $1)) as rank
            from knowledge_documents d
            where d.user_id = (select acting_user()) and d.deleted_at is null
              and d.text_search @@ websearch_to_tsquery('english', $1)
        ) hit
        where $3 is null or (rank, id) < ($3, $4)
        order by rank desc, id desc
        limit least(greatest($2, 1), 1000)
    ) best
    order by rank desc, id desc
$$;

do $$
declare
    name text;
begin
    foreach name in array array['users', 'voice_models', 'face_models', 'knowledge_documents'] loop
        execute format('alter table %I owner to recorder_owner', name);
    end loop;
    foreach name in array array[
        'acting_user()', 'refuse_identity_change()', 'count_version()', 'deactivate_deleted()', 'check_document_status()',
        'refuse_unlogged_change()', 'append_own_events(jsonb)', 'search_documents(text, int, real, uuid)'
    ] loop
        execute format('alter function %s owner to recorder_owner', name);
    end loop;
    -- Functions that run with their owner's rights must not find a caller's temporary tables before ours.
    foreach name in array array[
        'refuse_unlogged_change()', 'append_own_events(jsonb)', 'search_documents(text, int, real, uuid)'
    ] loop
        execute format('alter function %s set search_path = %I, pg_temp', name, current_schema());
        execute format('revoke execute on function %s from public', name);
    end loop;
end
$$;

-- A service says what is in a row, never which versions it had and when.
grant select, delete on users, voice_models, face_models, knowledge_documents to recorder_service;
grant insert (id, email, personality_traits, subscription_tier, settings),
      update (email, personality_traits, subscription_tier, settings, deleted_at) on users to recorder_service;
grant insert (user_id, id, provider, model_path, quality_score, is_active),
      update (provider, model_path, quality_score, is_active, deleted_at) on voice_models to recorder_service;
grant insert (user_id, id, model_path, width, height, quality_score, is_active),
      update (model_path, width, height, quality_score, is_active, deleted_at) on face_models to recorder_service;
grant insert (user_id, id, filename, content_type, text_content, chunk_count, vector_ids),
      update (filename, content_type, text_content, chunk_count, status, vector_ids, deleted_at)
      on knowledge_documents to recorder_service;
-- append_own_events appends with its owner's rights.
grant execute on function append_events(jsonb), append_checked(uuid[], int[], uuid[], text[], timestamptz[], bytea[]),
    event_type_id(text) to recorder_owner;
grant execute on function append_own_events(jsonb), search_documents(text, int, real, uuid) to recorder_service;
