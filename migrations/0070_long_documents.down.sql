-- Fails where a document has more words than a tsvector holds: delete it before.
drop trigger index_document on knowledge_documents;
drop function index_document();

alter table knowledge_documents drop column text_search;
alter table knowledge_documents add column text_search tsvector not null generated always as (
    setweight(to_tsvector('english', regexp_replace(filename, '[._/-]+', ' ', 'g')), 'A') || setweight(to_tsvector('english', text_content), 'B')
) stored;
alter table knowledge_documents alter text_search set statistics 0;
create index knowledge_documents_text_search_idx on knowledge_documents using gin (text_search);
