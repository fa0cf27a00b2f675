drop function sweep_rate_limits(int);
drop function take_token(text, double precision, double precision, double precision, interval);
drop function bucket_level(double precision, double precision, double precision, timestamptz, timestamptz);
drop table rate_limits;
