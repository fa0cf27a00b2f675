package import Postgres

/// The policies that say how long data is kept.
package struct RetentionPolicies: Sendable {
    /// What a policy is about.
    package enum Subject: String, Sendable, CaseIterable {
        case expiredCaches = "expired_caches"
        case deletedDocuments = "deleted_documents"
        case deletedModels = "deleted_models"
        case deletedUsers = "deleted_users"
        case latencyMinutes = "latency_minutes"
        case auditLogs = "audit_logs"
    }

    /// A row of `retention_policies`.
    package struct Policy: Sendable, Equatable {
        package let subject: Subject
        /// As PostgreSQL writes intervals.
        package let keepFor: String
        package let isEnabled: Bool
    }

    private let pool: PostgresPool

    /// - Parameter pool: Connections of a role that is a member of `recorder_owner`.
    package init(_ pool: PostgresPool) { self.pool = pool }

    /// All policies, in the order of ``Subject``.
    ///
    /// - Throws: ``PrivacyError``.
    package func all() async throws -> [Policy] {
        try await PrivacyError.translating { try await pool.query(SelectPolicies()) }
    }

    /// Changes a policy, and records that in an event, `retention.changed`.
    ///
    /// - Parameters:
    ///   - keepFor: The new period, as PostgreSQL reads intervals, such as `90 days`; unchanged if `nil`.
    ///   - isEnabled: Whether it is enabled; unchanged if `nil`.
    ///   - actor: Who changes it.
    /// - Returns: The period now in force, as PostgreSQL writes it.
    /// - Throws: ``PrivacyError`` with `.invalid` if the interval cannot be read, has no unit, or reaches back beyond
    ///   the earliest date that PostgreSQL knows.
    @discardableResult
    package func set(
        _ subject: Subject,
        keepFor: String?,
        isEnabled: Bool?,
        by actor: String
    ) async throws -> String {
        if let keepFor, keepFor != "0", !keepFor.contains(where: \.isLetter), !keepFor.contains(":") {
            throw PrivacyError(.invalid, "\(keepFor) of what? Write \(keepFor) days, for example")
        }
        do {
            let update = UpdatePolicy(subject: subject, keepFor: keepFor, isEnabled: isEnabled, actor: actor)
            guard let kept = try await pool.first(update) else {
                throw PrivacyError(.notFound, "there is no policy \(subject.rawValue): run `recorder migrate verify`")
            }
            return kept
        } catch let error as PostgresError where ["22007", "22008", "23514", "22015"].contains(error.sqlState) {
            throw PrivacyError(
                .invalid,
                "that is no time to keep something for: write 30 days, for example",
                cause: error
            )
        } catch let error as PostgresError {
            throw PrivacyError(error, "the policy \(subject.rawValue) cannot be changed", undone: "it stays as it was")
        }
    }
}
