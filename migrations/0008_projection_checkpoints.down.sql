drop table projection_checkpoints;
