drop table projection_rebuild_quarantine;
drop table projection_rebuilds;
