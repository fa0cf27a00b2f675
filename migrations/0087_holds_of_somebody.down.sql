drop function hold_user(uuid, text, text, boolean);

create function hold_user(subject uuid, reason text, actor text) returns boolean language plpgsql volatile as $$
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

alter function hold_user(uuid, text, text) owner to recorder_owner;
revoke execute on function hold_user(uuid, text, text) from public;
grant execute on function hold_user(uuid, text, text) to recorder_owner;

do $$
begin
    execute format('alter function hold_user(uuid, text, text) set search_path = %I, pg_temp', current_schema());
end
$$;
