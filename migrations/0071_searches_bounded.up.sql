-- A search for a row of hyphens, or for very many words, ended with an error of the server's insides. And a client that sends a
-- number as double precision, as drivers do, could not ask for the second page.
drop function search_documents(text, int, real, uuid);

-- A page of the acting user's documents that match, the best first, each with snippets of its text in which the words
-- that were found stand between U+E000 and U+E001.
--
-- `query` is what people type into search boxes: words, "phrases", or, -not; of hyphens with nothing but punctuation between
-- them one counts. A page begins behind the rank and id of the one before. Runs with its owner's rights, because under row-level
-- security no index serves @@: it is not leakproof.
create function search_documents(
    query text, page int, after_rank double precision default null, after_id uuid default null
) returns table (id uuid, filename text, rank real, snippet text)
language plpgsql stable security definer as $$
#variable_conflict use_column
declare
    words  tsquery;
    marks  constant text := 'MaxFragments=2, MinWords=8, MaxWords=24, FragmentDelimiter=" … ", StartSel=' || chr(57344)
                            || ', StopSel=' || chr(57345);
begin
    if length(query) > 4096 then
        raise exception 'a search has % characters, and at most 4,096', length(query)
            using errcode = 'string_data_right_truncation';
    end if;
    words := websearch_to_tsquery('english', regexp_replace(query, '-[-()!&|[:space:]]*-', '-', 'g'));
    return query
        select id, filename, rank,
               ts_headline('english', translate(text_content, chr(57344) || chr(57345), ''), words, marks)
        from (
            select id, filename, text_content, rank
            from (
                select d.id, d.filename, d.text_content, ts_rank_cd(d.text_search, words) as rank
                from knowledge_documents d
                where d.user_id = (select acting_user()) and d.deleted_at is null and d.text_search @@ words
            ) hit
            where after_rank is null or (rank, id) < (after_rank::real, after_id)
            order by rank desc, id desc
            limit least(greatest(page, 1), 1000)
        ) best
        order by rank desc, id desc;
end
$$;

alter function search_documents(text, int, double precision, uuid) owner to recorder_owner;
revoke execute on function search_documents(text, int, double precision, uuid) from public;
grant execute on function search_documents(text, int, double precision, uuid) to recorder_service;

do $$
begin
    execute format('alter function search_documents(text, int, double precision, uuid) set search_path = %I, pg_temp',
                   current_schema());
end
$$;
