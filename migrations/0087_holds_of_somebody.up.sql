-- A hold on the id of a session, or on a mistyped one, said that it holds, and kept nothing.
drop function hold_user(uuid, text, text);

-- Puts a user under a legal hold and appends an event of it, when what others are changing of his is done. Somebody of whom
-- nothing is known only if that is wanted. Returns whether an erasure of his is under way, which stops before its next step; NULL
-- if he is held already.
create function hold_user(subject uuid, reason text, actor text, unknown_too boolean default false) returns boolean
language plpgsql volatile as $$
begin
    perform refuse_nobody(subject, unknown_too);
    perform from users where id = subject for update;
    insert into legal_holds (user_id, reason, held_by) values (subject, reason, actor) on conflict do nothing;
    if not found then
        return null;
    end if;
    perform append_hold(subject, 'user.held', actor);
    return exists (select from erasures where subject_id = subject and finished_at is null);
end
$$;

alter function hold_user(uuid, text, text, boolean) owner to recorder_owner;
revoke execute on function hold_user(uuid, text, text, boolean) from public;
grant execute on function hold_user(uuid, text, text, boolean) to recorder_owner;

do $$
begin
    execute format('alter function hold_user(uuid, text, text, boolean) set search_path = %I, pg_temp', current_schema());
end
$$;
