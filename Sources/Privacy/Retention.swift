internal import Cache
package import EventModel
package import EventStore
internal import FoundationEssentials
package import Postgres

/// Deletes what is old enough, by the policies that are enabled.
package struct Retention: Sendable {
    /// What a run did about one policy.
    package struct Outcome: Sendable, Equatable {
        package let policy: RetentionPolicies.Policy
        /// Rows that went, or would; `nil` for a policy that is not enabled and by which nothing was to be done.
        package let rows: Int?
        /// In how many transactions.
        package let batches: Int
        /// Who should have been erased and could not be, and why. The next run tries again.
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
    ///   - batchSize: How many rows go in one transaction at most.
    ///   - eraseUser: Erases a user if their retention period has ended still, as ``SubjectErasure`` does; says whether
    ///     it did.
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

    /// Goes through the policies that are enabled.
    ///
    /// Cut off, it has done whole batches, and the next run goes on. A run that was no dry one leaves an event,
    /// `retention.completed`, in a stream of its own.
    ///
    /// - Parameter isDry: Whether only to count.
    /// - Returns: What was done about each policy. A user who cannot be erased stops nobody else's erasure.
    /// - Throws: ``PrivacyError`` that names the policy; `CancellationError`.
    package func run(isDry: Bool = false) async throws -> [Outcome] {
        var outcomes: [Outcome] = []
        for policy in try await RetentionPolicies(pool).all() {
            // Erasures that were begun are finished whether deleted users are erased by age or not.
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

    /// What a batch has come to.
    private struct Done: Sendable {
        /// How many rows went.
        let rows: Int
        let mayHaveMore: Bool
    }

    /// What is done about a subject, each a batch at a time.
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

    /// Each table has a batch of its own.
    private func sweepCaches(_ isDry: Bool) async throws -> Done {
        let caches = CacheAdministration(pool)
        let counts = isDry ? try await caches.tables().map(\.expired) : try await caches.sweepCaches(batch: batchSize)
        return Done(rows: counts.reduce(0, +), mayHaveMore: counts.contains { $0 >= batchSize })
    }

    /// Erases one user after the other; each is looked at again before.
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
                    // Since they were found: then they are passed by.
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
        let rows = try await transaction { try await $0.first(statement) ?? 0 }
        return Done(rows: rows, mayHaveMore: rows >= batchSize)
    }

    private func transaction<R: Sendable>(
        _ body: @Sendable (isolated PostgresConnection) async throws -> R
    ) async throws -> R {
        try await pool.withConnection { try await $0.transaction(retries: 20, body) }
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
