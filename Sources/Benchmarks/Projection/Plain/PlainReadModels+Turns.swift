extension PlainReadModels {
    /// For each turn: what was said, what each stage took and cost, how it ended.
    static let turns = """
        insert into plain_turns
        select
            stream_id, turn_id, turn_index,
            case when completed_version > coalesce(failed_version, 0)
                 then case when interrupted_version < completed_version then 'interrupted' else 'completed' end
                 when failed_version is not null then 'failed' else 'started' end,
            started_at, completed_at, user_transcript, llm_response, spoken_text, interrupted_version is not null,
            asr_ms, rag_ms, llm_ms, tts_ms, first_token_ms, end_to_end_ms,
            coalesce(end_to_end_ms, case when num_nonnulls(asr_ms, rag_ms, llm_ms, tts_ms) > 0
                then coalesce(asr_ms, 0) + coalesce(rag_ms, 0) + coalesce(llm_ms, 0) + coalesce(tts_ms, 0) end),
            asr_cost, rag_cost, llm_cost, tts_cost,
            case when num_nonnulls(asr_cost, rag_cost, llm_cost, tts_cost) > 0
                then coalesce(asr_cost, 0) + coalesce(rag_cost, 0) + coalesce(llm_cost, 0) + coalesce(tts_cost, 0) end,
            model, input_tokens, cached_input_tokens, output_tokens, error_type
        from (
            select
                stream_id, (data->>'turnId')::uuid as turn_id,
                max((data->>'turnIndex')::int) filter (where type = 'turn.started') as turn_index,
                max(version) filter (where type = 'turn.completed') as completed_version,
                max(version) filter (where type = 'turn.failed') as failed_version,
                min(version) filter (where type = 'turn.interrupted') as interrupted_version,
                min(occurred_at) filter (where type = 'turn.started') as started_at,
                max(occurred_at) filter (where type = 'turn.completed') as completed_at,
                string_agg(data->>'userTranscript', e'\\n' order by version) as user_transcript,
                string_agg(data->>'llmResponse', e'\\n' order by version) as llm_response,
                (array_agg(data->>'spokenText' order by version desc)
                    filter (where type = 'turn.interrupted'))[1] as spoken_text,
                sum((data->>'asrLatencyMs')::numeric) filter (where type = 'turn.transcribed') as asr_ms,
                sum((data->>'ragLatencyMs')::numeric) filter (where type = 'turn.retrieved') as rag_ms,
                sum((data->>'llmLatencyMs')::numeric) filter (where type = 'turn.generated') as llm_ms,
                sum((data->>'ttsLatencyMs')::numeric) filter (where type = 'turn.synthesized') as tts_ms,
                (array_agg((data->>'timeToFirstTokenMs')::numeric order by version)
                    filter (where type = 'turn.generated' and data ? 'timeToFirstTokenMs'))[1] as first_token_ms,
                (array_agg((data->>'endToEndLatencyMs')::numeric order by version desc)
                    filter (where type = 'turn.completed'))[1] as end_to_end_ms,
                sum((data->>'asrCost')::numeric) filter (where type = 'turn.transcribed') as asr_cost,
                sum((data->>'ragCost')::numeric) filter (where type = 'turn.retrieved') as rag_cost,
                sum(coalesce((data->>'llmCost')::numeric, case when type = 'turn.generated' then \(computedCost) end))
                    filter (where type = 'turn.generated') as llm_cost,
                sum((data->>'ttsCost')::numeric) filter (where type = 'turn.synthesized') as tts_cost,
                (array_agg(data->>'model' order by version desc)
                    filter (where type = 'turn.generated' and data ? 'model'))[1] as model,
                sum((data->>'inputTokens')::bigint) filter (where type = 'turn.generated') as input_tokens,
                sum((data->>'cachedInputTokens')::bigint) filter (where type = 'turn.generated') as cached_input_tokens,
                sum((data->>'outputTokens')::bigint) filter (where type = 'turn.generated') as output_tokens,
                (array_agg(data->>'errorType' order by version desc)
                    filter (where type = 'turn.failed' and data ? 'errorType'))[1] as error_type
            from plain_events where type like 'turn.%' and data ? 'turnId'
            group by 1, 2
        ) turn
        """
}
