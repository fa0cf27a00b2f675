-- Refused while there are users: nothing else knows what these tables hold.
do $$
begin
    if exists (select from users) then
        raise exception 'there are users: erase them before these tables are dropped' using errcode = 'RC003';
    end if;
    execute format('revoke all on schema %I from recorder_service', current_schema());
end
$$;

drop function search_documents(text, int, real, uuid);
drop function append_own_events(jsonb);
revoke execute on function append_events(jsonb), append_checked(uuid[], int[], uuid[], text[], timestamptz[], bytea[]),
    event_type_id(text) from recorder_owner;
drop table knowledge_documents, face_models, voice_models, users;
drop function refuse_unlogged_change();
drop function check_document_status();
drop function deactivate_deleted();
drop function count_version();
drop function refuse_identity_change();
drop function acting_user();
