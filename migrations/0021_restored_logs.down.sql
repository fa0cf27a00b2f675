drop trigger refuse_away_from_home on events;
drop function refuse_away_from_home();
drop function restored_log_evidence();
revoke select on sequence events_position from recorder_appender, recorder_projector;
drop table log_repairs;
drop table log_home;
