drop function latency_series(text, timestamptz, timestamptz, interval, text, text);
drop function latency_percentile(text, double precision, timestamptz, timestamptz, text, text);
drop function latency_summary(text, timestamptz, timestamptz, text, text);
drop function latency_histogram_percentile(smallint[], bigint[], double precision, double precision, double precision);
drop function latency_histogram(smallint[], bigint[]);
drop aggregate array_concat(anycompatiblearray);
drop function latency_of_bin(int);
drop function latency_bin(double precision);
