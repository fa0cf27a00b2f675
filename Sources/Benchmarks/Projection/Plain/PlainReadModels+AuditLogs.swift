extension PlainReadModels {
    /// For each audited event: who did what to what, and from where.
    static let auditLogs = """
        insert into plain_audit_logs
        select
            event_id, position,
            coalesce(
                (data->>'userId')::uuid, case when type like 'user.%' then stream_id end, started_by,
                case when metadata->>'actor' ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
                     then (metadata->>'actor')::uuid end
            ),
            type,
            coalesce(case when type like 'access.%' then data->>'resource' end,
                     split_part(type, '.', 1) || '/'
                         || coalesce(case when type not like 'session.%' then data->>'id' end, stream_id::text)),
            coalesce(data->>'result', 'success'), metadata->>'ipAddress', metadata->>'userAgent', metadata, occurred_at
        from (
            select *, substr(max(lpad(version::text, 10, '0') || (data->>'userId') collate "C")
                filter (where type = 'session.started')
                over (partition by stream_id order by version), 11)::uuid as started_by
            from plain_events
            where type in ('session.started', 'session.ended') or type like 'user.%' or type like 'voice_model.%'
                or type like 'face_model.%' or type like 'document.%' or type like 'access.%'
        ) audited
        """
}
