internal import Postgres

/// Where a live model begins of which retention deleted what is older: the log still has it, so a fold brings it back.
enum RetentionLimit {
    /// The condition on a view's row, called `model`, that retention left it alone.
    ///
    /// - Parameters:
    ///   - view: The view's name.
    ///   - recorder: The schema in which retention keeps account.
    /// - Returns: `nil` for a view of which retention deletes nothing.
    static func condition(of view: String, recorder: String) -> String? {
        let schema = PostgresConfiguration.quotedIdentifier(recorder)
        return switch view {
        case "latency_metrics":
            """
            model.bucket_start >= coalesce((
                select deleted_before from \(schema).retention_policies where name = 'latency_minutes'), '-infinity')
            """
        case "audit_logs":
            """
            not exists (
                select from \(schema).audit_seeds as seed
                where seed.chain = coalesce(model.user_id, '00000000-0000-0000-0000-000000000000')
                    and model.position <= seed.position)
            """
        default: nil
        }
    }
}
