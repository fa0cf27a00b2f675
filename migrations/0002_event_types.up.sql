-- Names of event types, interned: an event carries two bytes instead of its type's name.
--
-- The id comes from a sequence of 32,767 numbers, and an INSERT … ON CONFLICT DO NOTHING uses one up even
-- when the name is there: look first, insert only what is missing.
create table event_types (
    id    smallint generated always as identity primary key,
    name  text not null unique,
    constraint event_types_name_length check (octet_length(name) between 1 and 128)
);

-- The contract's own. Whoever is the first to use a type interns it, and others who use it wait until that
-- transaction has ended: one that stays open shall not hold them up.
insert into event_types (name) values
    ('session.started'), ('session.state_changed'), ('session.ended'),
    ('turn.started'), ('turn.transcribed'), ('turn.retrieved'), ('turn.generated'),
    ('turn.synthesized'), ('turn.interrupted'), ('turn.completed'), ('turn.failed'),
    ('user.registered'), ('user.updated'), ('user.logged_in'), ('user.deleted'), ('user.restored'),
    ('user.erased'),
    ('voice_model.created'), ('voice_model.updated'), ('voice_model.activated'),
    ('voice_model.processed'), ('voice_model.deleted'), ('voice_model.restored'), ('voice_model.erased'),
    ('face_model.created'), ('face_model.updated'), ('face_model.activated'), ('face_model.processed'),
    ('face_model.deleted'), ('face_model.restored'), ('face_model.erased'),
    ('document.created'), ('document.updated'), ('document.activated'), ('document.processed'),
    ('document.deleted'), ('document.restored'), ('document.erased'),
    ('access.replayed'), ('access.exported'), ('access.denied');

alter table event_types owner to recorder_owner;
grant select, insert on event_types to recorder_appender;
grant select on event_types to recorder_projector, recorder_analyst;

-- Refuses every change to what is recorded. Fires for everyone, the owner and superusers included.
create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% on % is refused: what is recorded is not changed', tg_op, tg_table_name
        using errcode = 'RC003',
              hint = 'Append an event that corrects it. Retention detaches whole partitions; erasure destroys keys.';
end
$$;

alter function refuse_change() owner to recorder_owner;

-- Events refer to types by id, so a type's name means for ever what it means today.
create trigger refuse_change before update or delete on event_types for each row execute function refuse_change();
create trigger refuse_truncate before truncate on event_types for each statement execute function refuse_change();
alter table event_types enable always trigger refuse_change, enable always trigger refuse_truncate;
