internal import Postgres

/// Where a live model begins after retention deleted its older rows, which a fold of the log brings back.
enum RetentionLimit {
    /// The SQL condition that retention has not deleted a view's row; the row is called `model`.
    ///
    /// - Parameters:
    ///   - view: The view's name.
    ///   - recorder: The recorder's schema, in which retention records what it has deleted.
    /// - Returns: `nil` for a view from which retention deletes nothing.
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
                    and model.position <= seed.removed_to)
            """
        default: nil
        }
    }

    /// The SQL expression by which a view's column is compared; the row is called `model`.
    ///
    /// Where the older rows of a chain have gone, its hashes cover them as they were when they went, with what an
    /// erasure has blanked since; no fold of the log brings these hashes back, and they are not compared. The rest of
    /// the rows is, and `audit_verify` holds the hashes to it.
    ///
    /// - Parameters:
    ///   - column: The column's name, quoted.
    ///   - view: The view's name.
    ///   - recorder: The recorder's schema, in which retention records what it has deleted.
    static func expression(for column: String, of view: String, recorder: String) -> String {
        switch (view, column) {
        case ("audit_logs", #""hash""#), ("audit_logs", #""previous_hash""#), ("audit_chains", #""head_hash""#):
            let schema = PostgresConfiguration.quotedIdentifier(recorder)
            return """
                case when not exists (
                    select from \(schema).audit_seeds as seed
                    where seed.chain = coalesce(model.user_id, '00000000-0000-0000-0000-000000000000'))
                then model.\(column) end
                """
        default: return "model.\(column)"
        }
    }
}
