-- The same rule, written so that a dump of it is what it was: of BETWEEN, the server's own dump loses the parentheses, and a
-- restored schema was taken for a changed one.
alter table face_models drop constraint face_models_resolution_range;
alter table face_models add constraint face_models_resolution_range
    check (width >= 1 and width <= 16384 and height >= 1 and height <= 16384);
