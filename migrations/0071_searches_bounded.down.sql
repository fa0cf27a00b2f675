drop function search_documents(text, int, double precision, uuid);

create function search_documents(query text, page int, after_rank real default null, after_id uuid default null)
returns table (id uuid, filename text, rank real, snippet text)
language sql stable security definer as $$
    select id, filename, rank,
           ts_headline('english', translate(text_content, chr(57344) || chr(57345), ''), websearch_to_tsquery('english', $1),
                       'MaxFragments=2, MinWords=8, MaxWords=24, FragmentDelimiter=" … ", StartSel=' || chr(57344) || ', StopSel='
                       || chr(57345))
    from (
        select id, filename, text_content, rank
        from (
            select d.id, d.filename, d.text_content,
                   ts_rank_cd(d.text_search, websearch_to_tsquery('english', $1)) as rank
            from knowledge_documents d
            where d.user_id = (select acting_user()) and d.deleted_at is null
              and d.text_search @@ websearch_to_tsquery('english', $1)
        ) hit
        where $3 is null or (rank, id) < ($3, $4)
        order by rank desc, id desc
        limit least(greatest($2, 1), 1000)
    ) best
    order by rank desc, id desc
$$;

do $$
begin
    execute format('alter function search_documents(text, int, real, uuid) set search_path = %I, pg_temp', current_schema());
end
$$;

alter function search_documents(text, int, real, uuid) owner to recorder_owner;
revoke execute on function search_documents(text, int, real, uuid) from public;
grant execute on function search_documents(text, int, real, uuid) to recorder_service;
