drop table event_types;
drop function refuse_change();
