drop trigger refuse_held_update on users;
drop trigger refuse_held_update on voice_models;
drop trigger refuse_held_update on face_models;
drop trigger refuse_held_update on knowledge_documents;

alter function refuse_held_change() rename to refuse_held_delete;

create or replace function refuse_held_delete() returns trigger
language plpgsql volatile security definer as $$
begin
    if tg_argv[0] = 'user' then perform refuse_held(old.id); else perform refuse_held(old.user_id); end if;
    return old;
end
$$;

create or replace function hold_user(subject uuid, reason text, actor text) returns boolean
language plpgsql volatile as $$
begin
    insert into legal_holds (user_id, reason, held_by) values (subject, reason, actor) on conflict do nothing;
    if not found then
        return null;
    end if;
    perform append_hold(subject, 'user.held', actor);
    return exists (select from erasures where subject_id = subject and finished_at is null);
end
$$;

do $$
declare
    name text;
begin
    foreach name in array array[
        'refuse_held_delete()',
        'hold_user(uuid, text, text)'
    ] loop
        execute format('alter function %s set search_path = %I, pg_temp', name, current_schema());
    end loop;
end
$$;
