-- Refused while an event needs it. One that was trained here under this id stays.
delete from dictionaries
where id = 2 and checksum = '\xe1f5e60aed9116a094211203cf38c3b472b5b6cfeaf573769218f5c424459103';
