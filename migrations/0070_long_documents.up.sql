-- A document with more different words than a tsvector holds (a megabyte of them, as a long table of numbers has) was refused,
-- although it is not longer than a document may be. It is found by the words at its beginning now.
alter table knowledge_documents alter column text_search drop expression;

-- Says by which words a document is found: a hit in the name weighs more than one in the text. Of a text with more words than a
-- tsvector holds it takes the first half, or the first half of that.
create function index_document() returns trigger language plpgsql as $$
declare
    part int := length(new.text_content);
begin
    loop
        begin
            new.text_search := setweight(to_tsvector('english', regexp_replace(new.filename, '[._/-]+', ' ', 'g')), 'A')
                || setweight(to_tsvector('english', left(new.text_content, part)), 'B');
            return new;
        exception when program_limit_exceeded then
            part := part / 2;
        end;
    end loop;
end
$$;

create trigger index_document before insert or update of filename, text_content on knowledge_documents
    for each row execute function index_document();
-- As a generated column has its value also where rows come from another server.
alter table knowledge_documents enable always trigger index_document;

alter function index_document() owner to recorder_owner;

do $$
begin
    execute format('alter function index_document() set search_path = %I, pg_temp', current_schema());
end
$$;
