-- Refused while an event needs it.
delete from dictionaries where id = 1;
