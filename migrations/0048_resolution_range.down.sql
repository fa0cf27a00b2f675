alter table face_models drop constraint face_models_resolution_range;
alter table face_models add constraint face_models_resolution_range
    check (width between 1 and 16384 and height between 1 and 16384);
