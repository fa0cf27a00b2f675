-- Any service could ask whether somebody is erased, and hold the row of another user that his erasure waits for.

-- Refuses what would give an erased person something personal again. Of another than the acting user it says and locks nothing:
-- row security refuses to write about him.
create or replace function refuse_erased(subject uuid) returns void language plpgsql volatile security definer as $$
begin
    if subject is distinct from acting_user() then
        return;
    end if;
    -- An erasure that has this row is waited for; one that comes later waits for us, and finds what we have written.
    perform from users where id = subject for key share;
    if exists (select from erasures where subject_id = subject) then
        raise exception 'user % is erased, and nothing is stored about him any more', subject using errcode = 'RC007';
    end if;
end
$$;

do $$
begin
    execute format('alter function refuse_erased(uuid) set search_path = %I, pg_temp', current_schema());
end
$$;
