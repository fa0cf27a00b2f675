package import EventModel
package import Postgres

/// Whose data may not be erased, and why.
package struct LegalHolds: Sendable {
    /// A row of `legal_holds`.
    package struct Hold: Sendable, Equatable {
        package let user: StreamID
        package let reason: String
        package let heldBy: String
        package let heldAt: Timestamp
    }

    private let pool: PostgresPool

    /// - Parameter pool: Connections of a role that is a member of `recorder_owner`.
    package init(_ pool: PostgresPool) { self.pool = pool }

    /// All of them, the oldest first.
    ///
    /// - Throws: ``PrivacyError``.
    package func all() async throws -> [Hold] {
        try await PrivacyError.translating { try await pool.query(SelectHolds()) }
    }

    /// Keeps everything of a user until it is released. An erasure that is under way stops before its next step.
    ///
    /// - Parameter evenIfUnknown: Whether the person need not be known here: what comes of them later is kept then.
    /// - Returns: Whether one is under way: what it has done already does not come back.
    /// - Throws: ``PrivacyError`` with `.invalid` if the user is held already; `.notFound` for nobody, or a session.
    @discardableResult
    package func hold(
        _ user: StreamID,
        reason: String,
        by actor: String,
        evenIfUnknown: Bool = false
    ) async throws -> Bool {
        let hold = HoldUser(user: user, reason: reason, actor: actor, evenIfUnknown: evenIfUnknown)
        let isUnderWay = try await PrivacyError.translating { try await transaction { try await $0.first(hold) } }
        guard let isUnderWay = isUnderWay ?? nil else {
            throw PrivacyError(.invalid, "user \(user) is held already")
        }
        return isUnderWay
    }

    /// Ends a hold.
    ///
    /// - Throws: ``PrivacyError`` with `.notFound` if there is none.
    package func release(_ user: StreamID, by actor: String) async throws {
        let release = ReleaseUser(user: user, actor: actor)
        let wasHeld = try await PrivacyError.translating { try await transaction { try await $0.first(release) } }
        guard wasHeld == true else {
            throw PrivacyError(.notFound, "user \(user) is not held: see `recorder retention holds`")
        }
    }

    private func transaction<R: Sendable>(
        _ body: @Sendable (isolated PostgresConnection) async throws -> R
    ) async throws -> R {
        try await pool.withConnection { try await $0.transaction(retries: 20, body) }
    }
}
