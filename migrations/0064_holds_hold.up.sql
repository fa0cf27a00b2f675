-- A legal hold keeps what a person gave as it is. Services could blank a held person's rows where they may not delete them, and a
-- deletion that was under way when the hold came went on behind it.
alter function refuse_held_delete() rename to refuse_held_change;

-- Refuses that rows of somebody under a legal hold go, or lose what they say.
create or replace function refuse_held_change() returns trigger language plpgsql volatile security definer as $$
declare
    subject uuid;
begin
    if tg_argv[0] = 'user' then subject := old.id; else subject := old.user_id; end if;
    -- A hold that has this row is waited for; one that comes later waits for us.
    perform from users where id = subject for key share;
    if current_setting('transaction_isolation') <> 'read committed' then
        -- A hold that is younger than the transaction's snapshot is not to be seen, but is a conflict.
        insert into legal_holds (user_id, reason, held_by) values (subject, 'none', 'nobody') on conflict do nothing;
        if found then
            delete from legal_holds where user_id = subject;
        end if;
    end if;
    perform refuse_held(subject);
    if tg_op = 'DELETE' then
        return old;
    end if;
    return new;
end
$$;

-- Puts a user under a legal hold and appends an event of it, when what others are changing of his is done. Returns whether an
-- erasure of his is under way, which stops before its next step; NULL if he is held already.
create or replace function hold_user(subject uuid, reason text, actor text) returns boolean language plpgsql volatile as $$
begin
    perform from users where id = subject for update;
    insert into legal_holds (user_id, reason, held_by) values (subject, reason, actor) on conflict do nothing;
    if not found then
        return null;
    end if;
    perform append_hold(subject, 'user.held', actor);
    return exists (select from erasures where subject_id = subject and finished_at is null);
end
$$;

-- What goes on with a row may be written on: its status, its chunks and vectors, whether it is in use or hidden.
create trigger refuse_held_update before update of email, personality_traits, settings on users
    for each row when ((old.email, old.personality_traits, old.settings) is distinct from (new.email, new.personality_traits, new.settings))
    execute function refuse_held_change('user');
create trigger refuse_held_update before update of provider, model_path on voice_models
    for each row when ((old.provider, old.model_path) is distinct from (new.provider, new.model_path))
    execute function refuse_held_change('model');
create trigger refuse_held_update before update of model_path, width, height on face_models
    for each row when ((old.model_path, old.width, old.height) is distinct from (new.model_path, new.width, new.height))
    execute function refuse_held_change('model');
create trigger refuse_held_update before update of filename, content_type, text_content on knowledge_documents
    for each row when ((old.filename, old.content_type, old.text_content) is distinct from (new.filename, new.content_type, new.text_content))
    execute function refuse_held_change('document');

do $$
begin
    execute format('alter function refuse_held_change() set search_path = %I, pg_temp', current_schema());
    execute format('alter function hold_user(uuid, text, text) set search_path = %I, pg_temp', current_schema());
end
$$;
