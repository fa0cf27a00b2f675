extension PlainReadModels {
    /// For each session, by stage, provider and model: calls, tokens, seconds, characters and what they cost.
    static let costs = """
        insert into plain_costs
        select
            stream_id, stage, provider, model, (array_agg((occurred_at at time zone 'UTC')::date order by version))[1],
            count(*), coalesce(sum(input_tokens), 0), coalesce(sum(cached_input_tokens), 0),
            coalesce(sum(output_tokens), 0), coalesce(sum(audio_seconds), 0), coalesce(sum(characters), 0),
            sum(provided), sum(computed), sum(coalesce(provided, computed)),
            count(*) filter (where provided is null and computed is null)
        from (
            select
                stream_id, version, occurred_at, stage, data->>(stage || 'Provider') as provider,
                data->>'model' as model, (data->>'inputTokens')::bigint as input_tokens,
                (data->>'cachedInputTokens')::bigint as cached_input_tokens,
                (data->>'outputTokens')::bigint as output_tokens, (data->>'audioSeconds')::numeric as audio_seconds,
                (data->>'characters')::bigint as characters, (data->>(stage || 'Cost'))::numeric as provided,
                case when stage = 'llm' then \(computedCost) end as computed
            from plain_events
            join (values ('turn.transcribed', 'asr'), ('turn.retrieved', 'rag'), ('turn.generated', 'llm'),
                         ('turn.synthesized', 'tts')) as stages(type, stage) using (type)
            where stage <> 'rag' or data ? 'ragCost'
        ) call
        group by stream_id, stage, provider, model
        """
}
