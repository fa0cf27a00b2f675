drop table dictionaries;
drop function refuse_dictionary_in_use();
