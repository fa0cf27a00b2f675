-- Whoever reads a read model is told of the streams that are stopped in it, which are those of the version that its view reads.
grant select on schema_projections to recorder_analyst;
