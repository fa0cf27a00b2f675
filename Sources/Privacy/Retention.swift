internal import Cache
package import EventModel
package import EventStore
internal import FoundationEssentials
package import Postgres

/// Deletes old data, by the policies that are enabled.
package struct Retention: Sendable {
    /// What a run did about one policy.
    package struct Outcome: Sendable, Equatable {
        package let policy: RetentionPolicies.Policy
        /// Rows that were deleted, or would be; `nil` for a disabled policy with nothing to do.
        package let rows: Int?
        /// How many batches that took.
        package let batches: Int
        /// The users who could not be erased, and why. The next run tries again.
        package var failures: [Failure] = []
    }

    /// A user who could not be erased.
    package struct Failure: Sendable, Equatable {
        package let user: StreamID
        /// Why; never holds what is stored about them.
        package let reason: String
    }

    private let pool: PostgresPool
    private let store: PostgresEventStore
    private let batchSize: Int
    private let eraseUser: @Sendable (StreamID) async throws -> Bool

    /// - Parameters:
    ///   - pool: Connections of a role that is a member of `recorder_owner`.
    ///   - store: The log.
    ///   - batchSize: The most rows that one batch deletes from a table.
    ///   - eraseUser: Erases a user if that is still due, as ``SubjectErasure/runIfDue(_:)`` does; returns whether it
    ///     did.
    package init(
        _ pool: PostgresPool,
        store: PostgresEventStore,
        batchSize: Int = 500,
        eraseUser: @escaping @Sendable (StreamID) async throws -> Bool
    ) {
        self.pool = pool
        self.store = store
        self.batchSize = batchSize
        self.eraseUser = eraseUser
    }

    /// Applies the policies that are enabled.
    ///
    /// A run that is cut off has done whole batches, and the next run goes on. Unless it is dry, a run appends an
    /// event, `retention.completed`, to a stream of its own.
    ///
    /// - Parameter isDry: Whether only to count.
    /// - Returns: What was done about each policy. A user who cannot be erased does not stop the erasure of others.
    /// - Throws: ``PrivacyError`` that names the policy; `CancellationError`.
    package func run(isDry: Bool = false) async throws -> [Outcome] {
        var outcomes: [Outcome] = []
        for policy in try await RetentionPolicies(pool).all() {
            // Erasures already begun are finished even if this policy is disabled.
            if policy.subject == .deletedUsers {
                outcomes.append(try await eraseUsers(policy, isDry: isDry))
                continue
            }
            guard policy.isEnabled else {
                outcomes.append(Outcome(policy: policy, rows: nil, batches: 0))
                continue
            }
            var (rows, batches) = (0, 0)
            for work in works(policy.subject) {
                while true {
                    try Task.checkCancellation()
                    let done = try await PrivacyError.translating("the policy \(policy.subject.rawValue)") {
                        try await work(isDry)
                    }
                    rows += done.rows
                    batches += done.rows > 0 ? 1 : 0
                    if isDry || !done.mayHaveMore { break }
                }
            }
            outcomes.append(Outcome(policy: policy, rows: rows, batches: batches))
        }
        if !isDry { try await appendEvent(outcomes) }
        return outcomes
    }

    /// The outcome of one batch.
    private struct Done: Sendable {
        /// How many rows were deleted, or would be.
        let rows: Int
        let mayHaveMore: Bool
    }

    /// The work for a policy's subject; each call does one batch.
    private func works(_ subject: RetentionPolicies.Subject) -> [@Sendable (Bool) async throws -> Done] {
        switch subject {
        case .expiredCaches: [sweepCaches]
        case .deletedDocuments: [entities("knowledge_documents", "document", subject)]
        case .deletedModels:
            [entities("voice_models", "voice_model", subject), entities("face_models", "face_model", subject)]
        case .deletedUsers: []
        case .latencyMinutes: [calling("retain_latency_minutes")]
        case .auditLogs: [calling("retain_audit_logs")]
        }
    }

    /// Sweeps one batch of each cache table, or counts all expired rows.
    private func sweepCaches(_ isDry: Bool) async throws -> Done {
        let caches = CacheAdministration(pool)
        let counts = isDry ? try await caches.tables().map(\.expired) : try await caches.sweepCaches(batch: batchSize)
        return Done(rows: counts.reduce(0, +), mayHaveMore: counts.contains { $0 >= batchSize })
    }

    /// Erases one user after another, each only if that is still due.
    private func eraseUsers(_ policy: RetentionPolicies.Policy, isDry: Bool) async throws -> Outcome {
        var tried: [StreamID] = []
        var (erased, batches) = (0, 0)
        var failures: [Failure] = []
        while true {
            let batch = isDry ? Int(Int32.max) : batchSize
            let users = try await PrivacyError.translating("the policy \(policy.subject.rawValue)") { [tried] in
                try await pool.query(UsersToErase(batch: batch, tried: tried))
            }
            guard !isDry else {
                let isSilent = users.isEmpty && !policy.isEnabled
                return Outcome(policy: policy, rows: isSilent ? nil : users.count, batches: 0)
            }
            guard !users.isEmpty else { break }
            for user in users {
                try Task.checkCancellation()
                do {
                    erased += try await eraseUser(user) ? 1 : 0
                } catch let error as PrivacyError where error.code == .held {
                    // Held since they were found: skip them.
                } catch  where !(error is CancellationError) {
                    failures.append(Failure(user: user, reason: "\(error)"))
                }
            }
            tried += users
            batches += 1
        }
        let isSilent = batches == 0 && !policy.isEnabled
        return Outcome(policy: policy, rows: isSilent ? nil : erased, batches: batches, failures: failures)
    }

    private func entities(
        _ relation: String,
        _ noun: String,
        _ subject: RetentionPolicies.Subject
    ) -> @Sendable (Bool) async throws -> Done {
        { isDry in
            try await batch(
                RetainEntities(relation: relation, noun: noun, policy: subject, batch: batchSize, isDry: isDry)
            )
        }
    }

    private func calling(_ function: StaticString) -> @Sendable (Bool) async throws -> Done {
        { isDry in try await batch(RetainRows(function: function, batch: batchSize, isDry: isDry)) }
    }

    private func batch<S: PostgresStatement>(_ statement: S) async throws -> Done where S.Row == Int {
        let rows = try await pool.transaction(retries: 20) { try await $0.first(statement) ?? 0 }
        return Done(rows: rows, mayHaveMore: rows >= batchSize)
    }

    private func appendEvent(_ outcomes: [Outcome]) async throws {
        let rows = outcomes.compactMap { outcome in
            outcome.rows.map { JSONValue.Member(outcome.policy.subject.rawValue, .number("\($0)")) }
        }
        let event = try EventDraft(
            id: .generate(at: .now()),
            type: EventType("retention.completed"),
            data: Array(JSONValue.object([.init("rows", .object(rows))]).json.utf8),
            metadata: Array(#"{"actor":"retention"}"#.utf8)
        )
        _ = try await store.withAppender { try await $0.append(Append(stream: .generate(at: .now()), events: [event])) }
    }
}
