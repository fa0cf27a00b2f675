drop function latency_bins_merged(smallint[]);
drop function latency_counts_merged(smallint[], bigint[]);
