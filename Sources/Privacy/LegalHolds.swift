package import EventModel
package import Postgres

/// The users whose data may not be erased, and why.
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

    /// All holds, oldest first.
    ///
    /// - Throws: ``PrivacyError``.
    package func all() async throws -> [Hold] {
        try await PrivacyError.translating { try await pool.query(SelectHolds()) }
    }

    /// Keeps all of a user's data until the hold is released. An erasure under way stops before its next step.
    ///
    /// - Parameter evenIfUnknown: Whether to accept a person who is not known here; what is stored about them later is
    ///   kept.
    /// - Returns: Whether an erasure is under way. What it has already erased is not restored.
    /// - Throws: ``PrivacyError`` with `.invalid` if the user is already held; `.notFound` if the id is nobody's or a
    ///   session's.
    @discardableResult
    package func hold(
        _ user: StreamID,
        reason: String,
        by actor: String,
        evenIfUnknown: Bool = false
    ) async throws -> Bool {
        let hold = HoldUser(user: user, reason: reason, actor: actor, evenIfUnknown: evenIfUnknown)
        let isUnderWay = try await PrivacyError.translating {
            try await pool.transaction(retries: 20) { try await $0.first(hold) }
        }
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
        let wasHeld = try await PrivacyError.translating {
            try await pool.transaction(retries: 20) { try await $0.first(release) }
        }
        guard wasHeld == true else {
            throw PrivacyError(.notFound, "user \(user) is not held: see `recorder retention holds`")
        }
    }
}
